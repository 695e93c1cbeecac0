"""Requests for our own pages: the portal is told what was read of them, and says the page.

Nothing under `/_ecluse/` ever reaches an application.
"""

from typing import TYPE_CHECKING, Final, Literal

from gateway.config.lanes import InboundRequest
from gateway.model.codes import LIMIT_BODY, Code
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED, Need
from gateway.proxy.portal_exchange import PortalExchange
from gateway.proxy.reading import WAIT
from gateway.proxy.refusals import refuse
from gateway.proxy.request import Request
from gateway.wire.headers import UPGRADE

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

CallPurpose = Literal["endpoint", "challenge", "logout"]

_BODY_LIMIT: Final = 64 * 1024
_SAML: Final = b"/_ecluse/saml/"
_SAML_BODY_LIMIT: Final = 512 * 1024

# All that the portal reads of a head, beside what its call says, and Upgrade.
_READ: Final = frozenset(
    {
        b"accept",
        b"accept-language",
        b"content-type",
        b"origin",
        b"referer",
        b"sec-fetch-dest",
        b"sec-fetch-site",
        b"sec-purpose",
        b"x-requested-with",
    }
)


def ask(client: "ClientConnection", purpose: Literal["endpoint", "logout"]) -> None:
    """A path of ours, in its one spelling, or an address for signing out."""
    if purpose == "logout":
        _ask(client, purpose, b"")
        return
    request = client.request
    path = request.line.target.path
    # Messages come to the portal's host alone.
    limit = _SAML_BODY_LIMIT if request.host.portal and path.startswith(_SAML) else _BODY_LIMIT
    if request.framing > limit:
        refuse(client, LIMIT_BODY, detail=f"{request.framing} bytes")
        return
    # A form is small: whoever needs longer for it holds room that is everybody's.
    timeouts = client.plane.timeouts
    client.until = client.plane.timers.now + min(timeouts.total, max(timeouts.body, timeouts.first_byte))
    _ask(client, "endpoint", b"" if client.body_done else client.begin_body(limit, bare=True))


def challenge(client: "ClientConnection", reason: Code, need: Need) -> None:
    """A navigation that needs a sign-in. The body of a form stays here: it was meant for the application and is not for
    the portal to see."""
    _ask(client, "challenge", b"", reason.id, need)


def _ask(client: "ClientConnection", purpose: CallPurpose, body: bytes, reason: str = "", need: Need = NO_NEED) -> None:
    request, memo = client.request, client.memo
    line, host = request.line, request.host
    call = InboundRequest(
        purpose=purpose,
        snapshot=client.plane.tables.snapshot,
        app=request.lane.app,
        host=host.name,
        authority=host.authority.decode("ascii"),
        scheme=memo.scheme,
        client=memo.chain[0],
        request_id=request.id.decode("ascii"),
        method=line.method.decode("ascii"),
        target=line.target.raw.decode("ascii"),
        headers=_read(request),
        cookies=request.cookie or b"",
        challenge_reason=reason,
        need=need,
    )
    client.upstream = exchange = PortalExchange(client, client.plane, call, request.lane.timeouts.first_byte)
    try:
        exchange.write(body)
    except GatewayError as error:
        client.upstream = None
        refuse(client, error.code, detail=error.detail, close=True)
        return
    if client.state is WAIT:
        exchange.ask()
    else:
        client.invite_body()


def _read(request: Request) -> dict[bytes, bytes]:
    """By lower-case name. What came twice is joined (RFC 9110 5.3)."""
    read: dict[bytes, bytes] = {}
    if UPGRADE in request.rare:
        # A line that goes on to nobody, and by which wire.navigation tells a WebSocket.
        read[b"upgrade"] = request.rare[UPGRADE]
    lines = request.lines
    for line, value in zip(lines[::2], lines[1::2], strict=True):
        name = line[2:-2].lower()
        if name in _READ:
            read[name] = read[name] + b", " + value if name in read else value
    return read
