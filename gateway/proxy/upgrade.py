"""Whether a request asks for a tunnel, and whether its application accepts tunnels."""

from typing import Final

from gateway.access.virtual_host import host_of
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import upstream_codes, wire_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.request import Request
from gateway.proxy.tables import RequestTables
from gateway.wire.headers import CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE
from gateway.wire.websocket import check_accepted, key_of, upgrade_of

UPGRADE_LINES: Final = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
"""The end of the head of an upgrade request to an application, and of the 101 to the client."""
# RFC 9110 15.2, 8.6, RFC 9112 6.1: forbidden in an interim response.
_FRAMED: Final = frozenset({CONTENT_LENGTH, TRANSFER_ENCODING})


def check_asked(request: Request, snapshot: Snapshot, behind: bytes) -> None:
    """Checks that a request which policy lets in may open a tunnel. `behind`: bytes after the request. Raises
    GatewayError."""
    app = request.application.app
    protocol = upgrade_of(request.rare[UPGRADE], request.came(b"connection"))
    if app.tunnel is None or protocol.decode("latin-1") not in app.tunnel.protocols:
        raise GatewayError(wire_codes.UPGRADE, f"Upgrade: {request.rare[UPGRADE][:40]!r}")
    key_of(request.line.method, request.line.minor, request.sent())
    check_waits(behind)
    _check_origin(request, app, snapshot)


def check_waits(behind: bytes) -> None:
    """RFC 6455 4.1: a client sends no frame before the response has come. Raises GatewayError."""
    if behind:
        raise GatewayError(wire_codes.WEBSOCKET, f"{len(behind)} bytes before the answer")


def check_taken(request: Request, response: ResponseHead) -> None:
    """Whether a 101 was asked for, and is the response to that. Raises GatewayError."""
    if UPGRADE not in request.rare:
        raise GatewayError(upstream_codes.RESPONSE, "status 101 unasked")
    key = key_of(request.line.method, request.line.minor, request.sent())
    if response.rare.keys() & _FRAMED:
        raise GatewayError(upstream_codes.RESPONSE, "a 101 with a body")
    check_accepted(key, response.sent(), response.connection, response.rare.get(UPGRADE))


def may_still(request: Request, tables: RequestTables) -> bool:
    """Whether the application's current file would allow the tunnel."""
    current = tables.snapshot.apps.get(request.lane.name)
    if current is None or current.tunnel is None:
        return False
    try:
        _check_origin(request, current, tables.snapshot)
    except GatewayError:
        return False
    return upgrade_of(request.rare[UPGRADE], b"upgrade").decode("latin-1") in current.tunnel.protocols


def _check_origin(request: Request, app: App, snapshot: Snapshot) -> None:
    """Checks the Origin (RFC 6455 10.2): a page of any site can open a WebSocket with cookies, and CORS does not
    apply."""
    origins = [value.strip(b" \t") for name, value in request.sent() if name.lower() == b"origin"]
    if not origins:
        if request.seat is not None and request.seat.cookie:
            raise GatewayError(wire_codes.ORIGIN, "a request with a session cookie and without Origin")
        return
    text = b", ".join(origins).decode("latin-1")
    listed = () if app.tunnel is None else app.tunnel.origins
    if not (text in listed or _is_own(text, app, snapshot)):
        raise GatewayError(wire_codes.ORIGIN, f"Origin: {text[:120]!r}")


def _is_own(origin: str, app: App, snapshot: Snapshot) -> bool:
    """Whether the origin (RFC 6454 7) is a host of the application."""
    try:
        host = host_of(origin.partition("://")[2].encode("latin-1"), snapshot)
    except GatewayError:
        return False
    return snapshot.find_named(host, app.name) is not None and origin == app.origin(host)
