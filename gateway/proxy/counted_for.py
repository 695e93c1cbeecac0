"""For rates: the client or person for whom a request counts."""

from typing import Final

from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, Refuse, ToPortal
from gateway.access.program import ProgramToken
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.proxy.forward_auth import is_question, shows_secret
from gateway.proxy.memo import Memo
from gateway.proxy.provider_calls import called, is_call
from gateway.proxy.rates import NOBODY, Asks, asks, by_notice, looked_up
from gateway.proxy.request import Request
from gateway.proxy.services import Services

_SIGN_OUTS: Final = frozenset({b"/_ecluse/logout", b"/_ecluse/sessions/end", b"/_ecluse/acting/change"})
# The target of a provider's message by way of the browser. From another site, it comes without cookies.
_SAML_LOGOUT: Final = b"/_ecluse/saml/logout"
_FRONT_CHANNEL: Final = b"/_ecluse/oidc/frontchannel/"


def count(
    request: Request, memo: Memo, plane: Services, seat: Seat | None, outcome: Outcome, before: Asks
) -> tuple[Asks, Refuse | NeedsStore | None]:
    """Counts the request: once for a stranger, and once for the person found by the look-up. `before`: the counter
    used before the look-up. Returns the counter, and an outcome that replaces `outcome` if a rate is exceeded."""
    if type(outcome) is ToPortal:
        return _for_the_portal(request, memo, plane, outcome, before)
    if _is_looked_up(request, seat, outcome):
        who = looked_up(request.client)
        return who, plane.rates.too_many(request, who, before)
    who = _told(request, plane, seat, before)
    return who, plane.rates.too_many(request, who, before, is_forward=type(outcome) is Forward)


def _is_looked_up(request: Request, seat: Seat | None, outcome: Outcome) -> bool:
    """Whether this worker must look up the request's cookie or token."""
    if type(outcome) is NeedsWork:
        return seat is None and type(request.credential) is ProgramToken
    return type(outcome) is NeedsStore


def _told(request: Request, plane: Services, seat: Seat | None, before: Asks) -> Asks:
    """Returns the caller. If a look-up finds a person, the address gets its token back."""
    if seat is not None and before == looked_up(request.client):
        plane.rates.give_back(request, before)
    return asks(seat, request.client)


def _for_the_portal(
    request: Request, memo: Memo, plane: Services, outcome: ToPortal, before: Asks
) -> tuple[Asks, Refuse | NeedsStore | None]:
    """Never refuses a sign-out of a signed-in person, and does not count a provider's calls that end sessions
    (invariant 12), except refused calls. A front's question counts as the request in question."""
    snapshot, path = plane.tables.snapshot, request.line.target.path
    if is_question(request, snapshot) and shows_secret(request, memo, snapshot):
        return before, None
    if request.host.portal and is_call(snapshot, request.line.method, path):
        wait = plane.rates.refused_calls(request.client, called(path), request.started)
        return before, plane.rates.refused(request, ("client", wait)) if wait else None
    cookie = _cookie(request, memo)
    seat = None if cookie is None else plane.sessions.cached(request.host.name, cookie)
    who = _told(request, plane, seat, before)
    if seat is not None and (outcome.purpose == "logout" or path in _SIGN_OUTS):
        return who, None
    if seat is None and request.host.portal and (path == _SAML_LOGOUT or path.startswith(_FRONT_CHANNEL)):
        who = by_notice(request.client)
    over = plane.rates.over(request, who, before)
    if over is None:
        return who, None
    if seat is None and cookie is not None and before == NOBODY:
        # The store has to say whether it is a person, who does not count for the address.
        who = looked_up(request.client)
        return who, plane.rates.too_many(request, who, before) or NeedsStore(request.host.name, cookie)
    return who, plane.rates.refused(request, over)


def _cookie(request: Request, memo: Memo) -> bytes | None:
    """Our cookie; None if absent, or if the line cannot be read, which the portal reports."""
    if request.cookie is None:
        return None
    try:
        return memo.cookie_parts(request.cookie, request.host)[0]
    except GatewayError:
        return None
