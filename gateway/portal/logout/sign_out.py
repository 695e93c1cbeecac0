"""Signing out, on any of our hosts: every session of this browser, in force in every worker before the answer."""

from typing import Literal

from gateway.config.snapshot import App
from gateway.model.codes import LOGOUT_CROSS_SITE, LOGOUT_STATE
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker
from gateway.portal.flow.steps import NextStep, NotifyProvider
from gateway.portal.http import cookies
from gateway.portal.http.pages import Pages
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.logout.rp_initiated import Leaving
from gateway.portal.report import Report
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions


class Logout:
    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        revoker: Revoker,
        leaving: Leaving,
        pages: Pages,
        report: Report,
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._revoker = revoker
        self._leaving = leaving
        self._pages = pages
        self._report = report

    async def form(self, request: PortalRequest) -> Page:
        """A link or an image can bring a browser here: it signs nobody out."""
        return self._pages.logout(request.language)

    async def sign_out(self, request: PortalRequest) -> NextStep:
        if not _same_origin(request):
            self._report.refused(request, GatewayError(LOGOUT_CROSS_SITE, "sent by a page that is not ours"))
            return self._pages.logout(request.language, refused=LOGOUT_CROSS_SITE)
        return await self._leave(request, navigation=True)

    async def link(self, request: PortalRequest) -> NextStep:
        """An application's own address for signing out: at once from its own pages, else by the form."""
        sent_by = _sent_by(request)
        return await self._leave(request, navigation=sent_by == "page") if sent_by else await self.form(request)

    async def back(self, request: PortalRequest) -> Page:
        """`/_ecluse/logged-out?state=`: from the provider, which was asked to sign people out. It starts nothing."""
        sign_out = await self._transactions.take_sign_out(request.parameter("state"))
        # RP-Initiated Logout 3: the state is the one that was sent, once
        if sign_out is None:
            raise GatewayError(LOGOUT_STATE, "a return from a provider whose state is unknown, used, or too old")
        request.provider = sign_out.provider
        # 3: a provider that has no session, or found none, sends the browser back in just the same way
        return self._pages.signed_out(request.language, ended=True, elsewhere="", asked=True, home=sign_out.home)

    async def _leave(self, request: PortalRequest, *, navigation: bool) -> NextStep:
        """`navigation`: whether the answer is a page that the person sees, and can go on from."""
        app, cookie = request.app, request.seat_cookie()
        session = None if cookie is None else await self._sessions.opened(request.host, cookie)
        present = None if app is None or session is None else self._leaving.at_application(request, app, session)
        ended = await self._sessions.end_browser(request.host, cookie) if cookie is not None else ()
        if session is not None and present is not None:
            self._leaving.expect(session, present)
        # Invariant 12: in force in every worker before this answer is sent.
        await self._revoker.revoked(ended)
        if session is not None:
            self._leaving.end_tokens(request, session)
            if present is not None:
                await self._leaving.told(session, present)
        request.cookies_to_set.append(cookies.clear_seat())
        request.cookies_to_set += [cookies.clear(name, path) for name, path in (app.logout.cookies if app else ())]
        await self._clear_rounds(request)
        self._report.signed_out(request, len(ended), None if session is None else session.identity)
        if navigation and session is not None and _is_global(app):
            if session.name_id is not None:
                return NotifyProvider(session, _home(request))
            onward = await self._leaving.at_provider(request, session, _home(request))
            if onward is not None:
                return onward
        return self._pages.signed_out(
            request.language, ended=bool(ended), elsewhere=_elsewhere(request), home=_home(request)
        )

    async def _clear_rounds(self, request: PortalRequest) -> None:
        """Who signs out and in again goes round by choice."""
        binding = request.binding()
        if binding is not None:
            await self._transactions.clear_rounds(binding, request.host)
            await self._transactions.clear_clean_start(binding, request.host)


def _home(request: PortalRequest) -> str:
    app = request.app
    return "" if app is None else f"{app.origin(request.host)}/"


def _is_global(app: App | None) -> bool:
    """Who signs out of the portal itself means all of it."""
    return app is None or app.logout.scope == "global"


def _elsewhere(request: PortalRequest) -> str:
    """Where this host's seat had ended already, the browser's sessions are found from the portal alone."""
    return "" if request.on_portal_host else f"{request.snapshot.gateway.portal_url}{PREFIX}logout"


def _same_origin(request: PortalRequest) -> bool:
    """Whether the form was on a page of this very host. Neither header can be set by a page's script.

    Our pages carry `Referrer-Policy: no-referrer`, with which browsers send `Origin: null`: then Fetch Metadata
    decides, which every browser sends that does so.
    """
    origin, site = request.header(b"origin"), request.header(b"sec-fetch-site")
    ours = _origin(request)
    if site is None:
        return origin == ours
    return site in {"same-origin", "none"} and origin in {None, "null", ours}


def _sent_by(request: PortalRequest) -> Literal["page", "script", ""]:
    """What of the application's own sent it; empty where it may have been another site, an image or a typed address.

    A link of another site has no Origin either: for a GET only Fetch Metadata tells.
    """
    if request.header(b"sec-fetch-site") != "same-origin" or not _same_origin(request):
        return ""
    destination = request.header(b"sec-fetch-dest")
    return "page" if destination == "document" else "script" if destination == "empty" else ""


def _origin(request: PortalRequest) -> str:
    return request.app.origin(request.host) if request.app is not None else request.snapshot.gateway.portal_url
