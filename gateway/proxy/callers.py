"""A request with an access token, where the application takes them: the token says who asks, and nothing else."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gateway.config.snapshot import App
from gateway.model.codes import API_SCOPE, API_TOKEN, LOGIN_PROVIDER_UNREACHABLE, SESSION_TOO_WEAK, Code
from gateway.model.errors import GatewayError
from gateway.model.levels import Need
from gateway.model.session import Seat
from gateway.proxy.refusals import refuse, refuse_token, refuse_weak_token
from gateway.wire.headers import AUTHORIZATION
from gateway.wire.hop_by_hop import without_named

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_HEADER: Final = frozenset({b"authorization"})
Decide = Callable[["ClientConnection", Seat | None], None]


def bearer(authorization: bytes) -> bytes | None:
    """RFC 6750 2.1: the scheme in any case (RFC 9110 11.1). What follows is given as it is, and may be no token: it is
    refused then, and never the application's affair, whose reading of it could be kinder than ours."""
    scheme = authorization.split(None, 1)[:1]
    return authorization[len(scheme[0]) :].strip(b" ") if scheme and scheme[0].lower() == b"bearer" else None


def admitted_by_token(client: "ClientConnection", app: App, decide: Decide) -> bool:
    """Whether this request is a caller's; then it is seen to. A cookie that comes with it says nothing."""
    request, api, callers = client.request, app.api, client.plane.callers
    token = bearer(request.rare[AUTHORIZATION])
    if api is None or callers is None or token is None or api.paths.find(request.spot.target.segments) is None:
        return False
    # Not even to the application, nor to the portal.
    request.cookie = request.seat_cookie = request.seat = None
    request.cookie_rest = b""
    if not api.forward:
        request.lines = without_named(request.lines, _HEADER)
    # Of a JWT its issuer says whose it is. A token of any other form is one provider's at most.
    owner = "" if token.count(b".") == 2 else api.asked_about(token, request.spot.target.segments, request.values_of)
    seat = callers.cached(app.name, token, owner)
    if seat is not None:
        decide(client, seat)
    else:
        client.task = client.plane.loop.create_task(_identify(client, app, token, owner, decide))
    return True


def is_program(seat: Seat) -> bool:
    """Known by its token: whoever signed in has a cookie."""
    return not seat.cookie


def challenge_program(client: "ClientConnection", reason: Code, need: Need) -> None:
    """Invariant 10, of a program: no page and no sign-in address, whatever it says that it accepts."""
    if reason is SESSION_TOO_WEAK:
        refuse_weak_token(client, need)
    else:
        error = GatewayError(
            API_TOKEN, "of a provider that this application does not listen to, or outside its perimeter"
        )
        refuse_token(client, error, b"invalid_token")


async def _identify(client: "ClientConnection", app: App, token: bytes, owner: str, decide: Decide) -> None:
    """A token that this worker has not seen: the client waits, and nothing more of it is read."""
    callers = client.plane.callers
    assert callers is not None
    try:
        try:
            seat = await callers.identify(app.name, client.request.place.host, token, owner)
        except GatewayError as error:
            client.task = None
            if error.code is LOGIN_PROVIDER_UNREACHABLE:
                refuse(client, error.code, detail=error.detail)
            else:
                refuse_token(client, error, b"insufficient_scope" if error.code is API_SCOPE else b"invalid_token")
        else:
            client.task = None
            client.plane.admission.seen(client.memo.peer, client.request.started)
            decide(client, seat)
            client.pump()
    except Exception as fault:  # noqa: BLE001 - the one edge
        client.faulted(fault)
