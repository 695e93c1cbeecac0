"""`limits.sessions_per_person`: a sign-in ends the person's oldest sessions, and their browsers get a page with the
reason."""

from gateway.model.codes import session_codes
from gateway.model.errors import GatewayError
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.http.request import PortalRequest
from gateway.portal.services import PortalServices
from gateway.stores.sessions.new_session import NewSession
from gateway.wire.cookies import clear_seat, presented_seat


async def keep_within_limit(request: PortalRequest, made: NewSession, most: int, services: PortalServices) -> None:
    """The store has the session, and no browser has it yet. Raises GatewayError(store_codes.UNREACHABLE)."""
    ended = await services.session_limit.end_oldest(made, most, buried=keeps_posts(request.snapshot))
    if ended:
        # Invariant 12: in force in every worker before this response is sent.
        await services.revoker.revoked(ended)
        services.report.sessions_limited(request, len(ended), made.session.identity)
        # On other nodes the sessions continue until their end is written.
        services.sessions.unwritten.require_written(ended)


async def require_within_limit(request: PortalRequest, services: PortalServices) -> None:
    """Raises GatewayError(session_codes.LIMIT), once on each host, for a seat whose session ended by a sign-in
    elsewhere."""
    cookie = presented_seat(request.cookie_line)
    if cookie is not None and await services.session_limit.has_ended(cookie):
        if clear_seat() not in request.cookies_to_set:
            request.cookies_to_set.append(clear_seat())
        raise GatewayError(session_codes.LIMIT, "its person has since signed in with another browser")
