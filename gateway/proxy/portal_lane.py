"""Requests for our own pages, handed to the portal as the data plane read them.

No request under `/_ecluse/` ever reaches an application.
"""

from typing import Final, Literal

from gateway.access.inbound import InboundRequest
from gateway.access.outcome import RequireSignIn
from gateway.config.snapshot import Snapshot
from gateway.model.levels import NO_NEED
from gateway.proxy.lane import Lane
from gateway.proxy.request import Request
from gateway.wire.headers import AUTHORIZATION, UPGRADE
from gateway.wire.navigation import is_page_of, is_same_site_frame

PortalPurpose = Literal["endpoint", "challenge", "logout"]

_BODY_LIMIT: Final = 64 * 1024
_SAML: Final = b"/_ecluse/saml/"
# The path where directories authenticate. For other paths, the portal does not get Authorization.
_SCIM: Final = b"/_ecluse/scim/"
_SAML_BODY_LIMIT: Final = 512 * 1024

# The headers that the portal reads, beside Upgrade and the arguments of its call.
_READ: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"content-type",
        b"origin",
        b"purpose",
        b"referer",
        b"sec-fetch-dest",
        b"sec-fetch-site",
        b"sec-purpose",
        b"x-moz",
        b"x-purpose",
        b"x-requested-with",
    }
)


def body_limit(request: Request) -> int:
    """Bytes that a request under `/_ecluse/` may bring. Messages come to the portal's host alone."""
    return _SAML_BODY_LIMIT if request.host.portal and request.line.target.path.startswith(_SAML) else _BODY_LIMIT


def is_embedded(request: Request) -> bool:
    """Whether the request comes from a frame in the application's own page, or in a page of a host in its file."""
    lane = request.lane
    if not isinstance(lane, Lane) or not lane.app.embedded_by:
        return False
    pages = (*lane.app.embedded_by, lane.public(request.host.name))
    return is_same_site_frame(request.line.method, request.fields) and is_page_of(request.field(b"referer"), pages)


def inbound_request(
    request: Request, purpose: PortalPurpose, snapshot: Snapshot, scheme: str, challenge: RequireSignIn | None = None
) -> InboundRequest:
    """`scheme`: what the browser used. `challenge`: where the request needs a sign-in."""
    line, host = request.line, request.host
    return InboundRequest(
        purpose=purpose,
        snapshot=snapshot,
        app=request.lane.app if isinstance(request.lane, Lane) else None,
        host=host.name,
        authority=host.authority.decode("ascii"),
        scheme=scheme,
        client=request.client,
        request_id=request.id.decode("ascii"),
        method=line.method.decode("ascii"),
        target=line.target.raw.decode("ascii"),
        headers=_read(request),
        cookies=request.cookie or b"",
        challenge_reason="" if challenge is None else challenge.reason.id,
        need=NO_NEED if challenge is None else challenge.need,
    )


def _read(request: Request) -> dict[bytes, bytes]:
    """The values by lower-case name. Repeated headers are joined (RFC 9110 5.3)."""
    read: dict[bytes, bytes] = {}
    if UPGRADE in request.rare:
        # Not forwarded. wire.navigation recognises a WebSocket by this line.
        read[b"upgrade"] = request.rare[UPGRADE]
    if AUTHORIZATION in request.rare and request.host.portal and request.line.target.path.startswith(_SCIM):
        read[b"authorization"] = request.rare[AUTHORIZATION]
    for line in request.lines:
        spelled, _, value = line.partition(b": ")
        name = spelled.lower()
        if name in _READ:
            read[name] = read[name] + b", " + value if name in read else value
    return read
