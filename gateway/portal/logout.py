"""Signing out, on any of our hosts: every session of this browser, in force in every worker before the answer."""

from gateway.model.codes import LOGOUT_CROSS_SITE
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker, Sessions, Transactions
from gateway.portal import cookies
from gateway.portal.pages import Pages
from gateway.portal.report import Report
from gateway.portal.visit import PREFIX, Visit, clean_starts_of


class Logout:
    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        revoker: Revoker,
        pages: Pages,
        report: Report,
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._revoker = revoker
        self._pages = pages
        self._report = report

    async def form(self, visit: Visit) -> Page:
        """A link or an image can bring a browser here: it signs nobody out."""
        return self._pages.logout(visit.language)

    async def sign_out(self, visit: Visit) -> Page:
        if not _same_origin(visit):
            self._report.refused(visit, GatewayError(LOGOUT_CROSS_SITE, "sent by a page that is not ours"))
            return self._pages.logout(visit.language, refused=LOGOUT_CROSS_SITE)
        cookie = visit.seat_cookie()
        ended = await self._sessions.end_browser(visit.call.host, cookie) if cookie is not None else ()
        # Invariant 12: in force in every worker before this answer is sent.
        await self._revoker.revoked(ended)
        visit.cookies_to_set.append(cookies.clear_seat())
        await self._clear_rounds(visit)
        self._report.signed_out(visit, len(ended))
        return self._pages.signed_out(visit.language, ended=bool(ended), elsewhere=_elsewhere(visit))

    async def _clear_rounds(self, visit: Visit) -> None:
        """Who signs out and in again goes round by choice."""
        binding = visit.binding()
        if binding is not None:
            await self._transactions.clear_rounds(binding, visit.call.host)
            await self._transactions.clear_rounds(binding, clean_starts_of(visit.call.host))


def _elsewhere(visit: Visit) -> str:
    """Where this host's seat had ended already, the browser's sessions are found from the portal alone."""
    return "" if visit.on_portal_host else f"{visit.call.snapshot.gateway.portal_url}{PREFIX}logout"


def _same_origin(visit: Visit) -> bool:
    """Whether the form was on a page of this very host. Neither header can be set by a page's script.

    Our pages carry `Referrer-Policy: no-referrer`, with which browsers send `Origin: null`: then Fetch Metadata
    decides, which every browser sends that does so.
    """
    headers = visit.request.headers
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
    ours = _origin(visit)
    if site is None:
        return origin == ours
    return site in {"same-origin", "none"} and origin in {None, "null", ours}


def _origin(visit: Visit) -> str:
    call = visit.call
    return call.app.origin(call.host) if call.app is not None else call.snapshot.gateway.portal_url
