"""A browser has one person, who acts for one organisation, at a time (invariant 12). A sign-in ends the browser's
sessions of other people and for other organisations, with their seats on every host."""

from gateway.model.identity import Identity
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.http.request import PortalRequest, clear_own
from gateway.portal.services import PortalServices
from gateway.stores.sessions.new_session import NewSession


async def end_others(request: PortalRequest, made: NewSession, services: PortalServices) -> None:
    """Runs after the store has the session and before the browser has it: of two simultaneous sign-ins, the later
    look finds the other."""
    session = made.session
    if await end_others_of(request, made.entry.browser, session.identity, session.tenant, services):
        # For a host that serves portal and application.
        request.cookies_to_set += clear_own(request.apps_here, request.host, request.cookie_line, left=True)


async def end_others_of(
    request: PortalRequest, browser: str, identity: Identity, tenant: str | None, services: PortalServices
) -> bool:
    """Returns whether such sessions existed. `browser`: as in StoredSession. Raises
    GatewayError(store_codes.UNREACHABLE)."""
    others = await services.sessions.of_others(browser, identity, tenant)
    if others:
        # A form that an ended session still sends from another tab can be kept for its person.
        ended = await services.sessions.end([one.id for one in others], buried=keeps_posts(request.snapshot))
        # Invariant 12: in force in every worker before this response is sent.
        await services.revoker.revoked(ended)
        services.report.others_ended(request, others, identity)
        # On other nodes the sessions continue until their end is written. The next person must not begin before.
        services.sessions.unwritten.require_written(ended)
    return bool(others)
