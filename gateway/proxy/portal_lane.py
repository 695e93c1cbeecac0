"""Requests for our own pages: handed to the portal in memory, answered through the same path as an upstream's.

Nothing under `/_ecluse/` ever reaches an application.
"""

from typing import TYPE_CHECKING, Final, Literal

from gateway.config.lanes import PortalCall
from gateway.model.codes import LIMIT_BODY, PATH_RESERVED, Code
from gateway.model.levels import NO_NEED, Need
from gateway.proxy import memory
from gateway.proxy.refusals import refuse
from gateway.proxy.upstream import UpstreamConnection
from gateway.wire.framing import CHUNKED

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

Purpose = Literal["endpoint", "challenge", "logout"]

_PREFIX: Final = b"/_ecluse"
_BODY_LIMIT: Final = 64 * 1024
_SAML: Final = _PREFIX + b"/saml/"
_SAML_BODY_LIMIT: Final = 512 * 1024

# All that the portal reads beside what is written here: its HTTP server could read anything else in a way of its own.
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


def own_path(client: "ClientConnection") -> None:
    """A path of ours, in its one spelling; on a portal host without an application, everything else is unknown."""
    request = client.request
    if request.spot.leaves:
        _without_body(client, "logout")
        return
    path = request.spot.target.path
    if path != _PREFIX and not path.startswith(_PREFIX + b"/"):
        refuse(client, PATH_RESERVED)
        return
    framing, limit = request.framing, _SAML_BODY_LIMIT if path.startswith(_SAML) else _BODY_LIMIT
    if framing > limit:
        refuse(client, LIMIT_BODY, detail=f"{framing} bytes")
        return
    body = b""
    if framing >= 0:
        body = b"\r\nContent-Length: %d" % framing
    elif framing == CHUNKED:
        body = b"\r\nTransfer-Encoding: chunked"
    parts = _head(client, body)
    if not client.body_done:
        parts.append(client.begin_body(limit))
    _hand_over(client, parts, "endpoint")


def challenge(client: "ClientConnection", reason: Code, need: Need) -> None:
    """A navigation that needs a sign-in."""
    _without_body(client, "challenge", reason.id, need)


def _without_body(client: "ClientConnection", purpose: Purpose, reason: str = "", need: Need = NO_NEED) -> None:
    """The body of a form stays here: it was meant for the application and is not for the portal to see."""
    body = b"" if client.body_done else b"\r\nContent-Length: 0"
    _hand_over(client, _head(client, body), purpose, reason, need)


def _head(client: "ClientConnection", body: bytes) -> list[bytes]:
    request = client.request
    parts = [request.spot.line, b"\r\nHost: ", request.place.authority, *_read(request.lines)]
    if request.cookie is not None:
        parts += (b"\r\nCookie: ", request.cookie)
    parts += (body, b"\r\n\r\n")
    return parts


def _read(lines: list[bytes]) -> list[bytes]:
    """What came twice is joined (RFC 9110 5.3): of some names the portal's server would refuse a second line, in
    words of its own."""
    read: dict[bytes, list[bytes]] = {}
    for line, value in zip(lines[::2], lines[1::2], strict=True):
        name = line[2:-2].lower()
        if name in read:
            read[name] += (b", ", value)
        elif name in _READ:
            read[name] = [line, value]
    return [piece for pieces in read.values() for piece in pieces]


def _hand_over(
    client: "ClientConnection", parts: list[bytes], purpose: Purpose, reason: str = "", need: Need = NO_NEED
) -> None:
    request, memo, plane = client.request, client.memo, client.plane
    call = PortalCall(
        purpose=purpose,
        snapshot=plane.places.snapshot,
        app=request.lane.app,
        host=request.place.host,
        scheme=memo.scheme,
        client=memo.chain[0],
        request_id=request.id.decode("ascii"),
        challenge_reason=reason,
        need=need,
    )
    near = UpstreamConnection(None, plane.timers, plane.heads)
    memory.join(plane.loop, near, plane.portal_protocol(), {"ecluse": call, "peername": (memo.chain[0], 0)})
    client.send(near, b"".join(parts))
