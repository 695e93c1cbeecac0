"""`/` of the portal's host: a person's applications, their sessions in this browser with buttons, and the way out.
Pages without another destination lead here."""

from hashlib import sha256
from urllib.parse import quote

from gateway.config.snapshot import Snapshot
from gateway.model.codes import session_codes
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.session import Seat
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION
from gateway.portal.account_pages import require_own_page
from gateway.portal.applications import ApplicationList
from gateway.portal.flow.acting import ActingFor
from gateway.portal.flow.chooser import MOST_CHOICES, Chooser, is_silent
from gateway.portal.flow.proven import proven_may_wait
from gateway.portal.flow.session_limit import require_within_limit
from gateway.portal.http.lines import HomeLine, Offered, OfferedApplication, OtherAccount
from gateway.portal.http.request import ANOTHER, PREFIX, PortalRequest, portal_home
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices
from gateway.portal.session_page import in_use, session_line
from gateway.wire.cookies import presented_seat

_ON_A_PAGE = 50
_MOST_PAGES = 1000


class HomePage:
    def __init__(self, services: PortalServices, chooser: Chooser) -> None:
        self._services = services
        self._chooser = chooser
        self._applications = ApplicationList()
        self._acting = ActingFor(services)

    async def home(self, request: PortalRequest) -> Page:
        cookie = presented_seat(request.cookie_line)
        seat = None if cookie is None else await self._services.sessions.load(request.host, cookie)
        if seat is None or cookie is None or not seat.live or request.parameter(OTHER_ACCOUNT):
            if request.snapshot.gateway.limits.sessions_per_person is not None:
                await require_within_limit(request, self._services)
            return await self._sign_in(request, "" if seat is None or not seat.live else seat.identity.provider)
        request.identity = seat.identity
        summaries = await self._services.sessions.of_browser(request.host, cookie)
        snapshot, language = request.snapshot, self._services.pages.language_of(request.reader)
        lines = [
            HomeLine(session_line(self._services, snapshot, one, language, seat), _key(one.id))
            for one in in_use(summaries, seat)
        ]
        offered, another = await self._offered(request, seat), _other_account(request)
        acting = await self._acting.line_of(request, seat)
        return self._services.pages.home(request.reader, offered, lines, another, acting)

    async def _sign_in(self, request: PortalRequest, own: str) -> Page:
        """Lets a person without a session choose a provider. `own`: the provider of the person's session, for another
        account there.

        Raises GatewayError(session_codes.NONE) if the choice is too long.
        """
        one = self._asked_at_once(request, own)
        if one is not None:
            login = f"{PREFIX}login?provider={quote(one.name, safe='')}{ANOTHER}"
            return redirect(request.snapshot.gateway.portal_url + login)
        if not _can_choose(request.snapshot):
            raise GatewayError(session_codes.NONE, "no session on the portal")
        return await self._chooser.page(request, None, list(request.snapshot.providers.values()))

    def _asked_at_once(self, request: PortalRequest, own: str) -> Provider | None:
        """Returns the provider for a sign-in with another account. None: not asked for, or the person chooses first."""
        snapshot, asked = request.snapshot, request.parameter(OTHER_ACCOUNT)
        if not asked:
            return None
        if len(snapshot.providers) == 1:
            return next(iter(snapshot.providers.values()))
        of_session = snapshot.providers.get(own)
        if of_session is None or not _can_choose(snapshot):
            return of_session
        return None if asked == OTHER_ORGANISATION or is_silent(self._services, of_session) else of_session

    async def _offered(self, request: PortalRequest, seat: Seat) -> Offered:
        parameters = request.parameters()
        search, written = parameters.get("q", "")[:200], parameters.get("page", "")
        page = min(int(written), _MOST_PAGES) if written.isdecimal() and 0 < len(written) < 5 else 1
        first, more = (max(page, 1) - 1) * _ON_A_PAGE, False
        found: list[OfferedApplication] = []
        language = self._services.pages.language_of(request.reader)
        at = 0
        now = self._services.now()
        async for listed, need in self._applications.open_to(request.snapshot, seat, language, search, now):
            if at == first + _ON_A_PAGE:
                more = True
                break
            if at >= first:
                found.append(OfferedApplication(listed.label, listed.url, need != NO_NEED))
            at += 1
        return Offered(tuple(found), search, max(page, 1), more)

    async def end(self, request: PortalRequest) -> Page:
        """The button beside a session."""
        require_own_page(request)
        cookie, wanted = presented_seat(request.cookie_line), request.form().get("session", "")
        summaries = () if cookie is None else await self._services.sessions.of_browser(request.host, cookie)
        binding = request.binding()
        if binding is not None and proven_may_wait(request.snapshot):
            await self._services.transactions.sign_in_ends.mark(request.network, "browser", binding)
        ended = await self._services.sessions.end([one.id for one in summaries if _key(one.id) == wanted])
        # Invariant 12: in force in every worker before this response is sent.
        await self._services.revoker.revoked(ended)
        self._services.report.signed_out(request, len(ended), None)
        # Invariant 12: an end that is not written is said.
        self._services.sessions.unwritten.require_written(ended)
        return redirect(f"{request.snapshot.gateway.portal_url}{portal_home(request)}")


def _other_account(request: PortalRequest) -> OtherAccount:
    way, snapshot = f"{portal_home(request)}?{OTHER_ACCOUNT}=", request.snapshot
    several = len(snapshot.providers) > 1 and _can_choose(snapshot)
    return OtherAccount(f"{way}1", f"{way}{OTHER_ORGANISATION}" if several else "")


def _can_choose(snapshot: Snapshot) -> bool:
    """Whether the page shows all applications, or the matches of a search."""
    known = snapshot.providers
    return bool(known) and (len(known) <= MOST_CHOICES or bool(snapshot.organisations))


def _key(session_id: str) -> str:
    """By which the page names a session: the id itself goes to no browser."""
    return sha256(b"home " + session_id.encode()).hexdigest()[:32]
