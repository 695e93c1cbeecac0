"""The token of a program, in the place of our cookie."""

from typing import Final

from gateway.access.program import token_of
from gateway.model.ports import Callers
from gateway.proxy.request import Request
from gateway.wire.headers import AUTHORIZATION
from gateway.wire.hop_by_hop import not_named

_AUTHORIZATION: Final = frozenset({b"authorization"})


def take_token(request: Request, callers: Callers | None) -> bool:
    """Whether a program's token decides who the caller is. Sets the token as the request's credential and ignores
    cookies."""
    api = request.application.app.api
    if api is None:
        return False
    token = token_of(api, request.line, request.rare[AUTHORIZATION], request.values_of)
    if token is None or callers is None:
        return False
    # Neither the application nor the portal gets the cookie.
    request.cookie, request.cookie_rest = None, b""
    request.credential = token
    if not api.forward:
        request.lines = not_named(request.lines, _AUTHORIZATION)
    return True
