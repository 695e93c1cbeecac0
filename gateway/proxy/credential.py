"""The credential of a request: our cookie, or the token of a program."""

from typing import Final

from gateway.access.program import token_of
from gateway.model.ports import Callers
from gateway.proxy.memo import Memo
from gateway.proxy.request import Request
from gateway.wire.headers import AUTHORIZATION
from gateway.wire.hop_by_hop import not_named

_AUTHORIZATION: Final = frozenset({b"authorization"})


def read_credential(request: Request, memo: Memo, callers: Callers | None) -> None:
    """Reads the lines of a request for an application. The result holds for as long as its lines are the same.

    Raises GatewayError(wire_codes.COOKIE)."""
    if AUTHORIZATION in request.rare and _has_token(request, callers):
        return
    cookie = request.cookie
    request.credential, request.cookie_rest = (None, b"") if cookie is None else memo.cookie_parts(cookie, request.host)
    request.admitted = True


def _has_token(request: Request, callers: Callers | None) -> bool:
    """Whether a program's token says who asks. A cookie beside the token is ignored."""
    api = request.application.app.api
    if api is None:
        return False
    token = token_of(api, request.line.target.segments, request.rare[AUTHORIZATION], request.values_of)
    if token is None or callers is None:
        return False
    # Neither the application nor the portal gets the cookie.
    request.cookie, request.cookie_rest = None, b""
    request.credential = token
    if not api.forward:
        request.lines = not_named(request.lines, _AUTHORIZATION)
    return True
