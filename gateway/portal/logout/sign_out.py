"""Signing out, on any of our hosts: every session of the browser ends, in every worker before the response is sent."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from gateway.config.snapshot import App
from gateway.model.codes import logout_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.session import Session
from gateway.portal.flow.proven import proven_may_wait
from gateway.portal.flow.source import IdentitySources
from gateway.portal.flow.steps import NextStep, NotifyProvider
from gateway.portal.http.lines import SignedOut
from gateway.portal.http.request import PortalRequest, clear_own, own_origin
from gateway.portal.let_in import may_be_let_in
from gateway.portal.logout.applications import Present
from gateway.portal.logout.signed_out import elsewhere, home_of, left_application, to_signed_out
from gateway.portal.services import PortalServices
from gateway.tokens.basic import basic_line
from gateway.tokens.making import make
from gateway.translation.render import NOTHING, Injection
from gateway.wire.application_cookies import ApplicationCookies
from gateway.wire.cookies import clear_seat, presented_seat


class BrowserSignOut:
    def __init__(self, services: PortalServices, sources: IdentitySources) -> None:
        self._services = services
        self._sources = sources

    async def form(self, request: PortalRequest) -> Page:
        """Answers a GET. A link or an image can bring a browser here, so it signs nobody out. Without a session, the
        page says so."""
        cookie, left = presented_seat(request.cookie_line), elsewhere(request)
        # A sign-in may wait for the person's choice in another tab.
        waits = proven_may_wait(request.snapshot) and request.binding() is not None
        if cookie is not None and await self._services.sessions.of_browser(request.host, cookie):
            return self._form(request)
        if waits and left:
            return self._form(request)
        how: SignedOut = "elsewhere" if left else "nobody"
        return self._services.pages.signed_out(request.reader, how, elsewhere=left, home=home_of(request), waits=waits)

    def _form(self, request: PortalRequest, refused: Code | None = None) -> Page:
        left = left_application(request)
        to = "" if left is None or not request.snapshot.applications(request.host).below else left.home
        return self._services.pages.logout(request.reader, home=home_of(request), refused=refused, to=to)

    async def sign_out(self, request: PortalRequest) -> NextStep:
        if not _same_origin(request):
            self._services.report.refused(
                request, GatewayError(logout_codes.CROSS_SITE, "sent by a page that is not ours")
            )
            return self._form(request, logout_codes.CROSS_SITE)
        return await self._leave(request, navigation=True)

    async def link(self, request: PortalRequest) -> NextStep:
        """Answers the application's own sign-out address: signs out at once from its own pages, else shows the form."""
        sent_by = _sent_by(request)
        return await self._leave(request, navigation=sent_by == "page") if sent_by else await self.form(request)

    async def _leave(self, request: PortalRequest, *, navigation: bool) -> NextStep:
        """`navigation`: whether the response is a page that the person sees, and can go on from."""
        services, app, cookie = self._services, request.app, presented_seat(request.cookie_line)
        session = None if cookie is None else await self._opened(request, cookie)
        # Of the applications that divide a host, at most one has a sign-out address.
        told = next((one for one in request.apps_here if one.logout.url is not None), None)
        present = None if told is None or session is None else await self._at_application(request, told, session)
        if proven_may_wait(request.snapshot):
            await self._mark(request, session)
        ended = await services.sessions.end_browser(request.host, cookie) if cookie is not None else ()
        if session is not None and present is not None:
            services.sign_outs.expect(session.id, present)
        # Invariant 12: in force in every worker before this response is sent.
        await services.revoker.revoked(ended)
        if session is not None:
            self._sources.of_session(session).forget(request, session)
            if present is not None:
                await services.sign_outs.told(session.id, present)
        request.cookies_to_set.append(clear_seat())
        request.cookies_to_set += clear_own(request.apps_here, request.host, request.cookie_line)
        await self._clear_rounds(request)
        services.report.signed_out(request, len(ended), None if session is None else session.identity)
        is_written = not services.sessions.unwritten.among(ended)
        how, home = _how(request, found=bool(ended)) if is_written else "unwritten", home_of(request)
        if navigation:
            page = to_signed_out(request, how, home)
        else:
            page = services.pages.signed_out(request.reader, how, elsewhere=elsewhere(request), home=home)
        is_told = navigation and _is_global(app)
        return page if session is None or not is_told else NotifyProvider(session, home, otherwise=page)

    async def _opened(self, request: PortalRequest, cookie: bytes) -> Session | None:
        """Also returns None if the store does not answer and the worker has the seat in memory: the session then ends
        too."""
        sessions = self._services.sessions
        try:
            return await sessions.opened(request.host, cookie)
        except GatewayError:
            if sessions.in_memory(request.host, cookie) is None:
                raise
            return None

    async def _at_application(self, request: PortalRequest, app: App, session: Session) -> Present | None:
        """Calls the application like the person's own browser, with the person's headers and cookies. An application
        that does not accept the person's identity is not called (invariant 5): another application of the host may have
        admitted the person. An application whose rules keep the person out of every page learns nothing new."""
        if app.logout.url is None:
            return None
        injection: Injection | None = NOTHING
        if app.accepts(session.identity):
            let_in = await may_be_let_in(app, session, self._services.now())
            injection = await self._told_of(request, app, session) if let_in else None
        cookies = ApplicationCookies(app.edits.cookies, app.cookie_names)
        _, kept = cookies.read(request.cookie_line)
        hidden = await self._hidden(request, app, cookies)
        return Present(app, request.host, injection, b"; ".join(part for part in (hidden, kept) if part))

    async def _told_of(self, request: PortalRequest, app: App, session: Session) -> Injection:
        try:
            identity = await self._services.accounts.identity_at(app, session.identity, self._services.now())
            injection = app.translation.render(identity)
            if app.basic is not None:
                injection = replace(injection, headers=injection.headers + basic_line(app.basic, identity))
            if app.tokens:
                injection = await self._with_tokens(request, app, identity, injection)
        except GatewayError as error:
            # The application did not receive the value during the session either.
            self._services.report.application_not_told(request, error)
            return NOTHING
        return injection

    async def _with_tokens(
        self, request: PortalRequest, app: App, identity: Identity, injection: Injection
    ) -> Injection:
        """Makes the headers of this call. Raises GatewayError."""
        keys, now = request.snapshot.gateway.token_keys, self._services.now()
        made = await asyncio.to_thread(
            make, app.tokens, identity, keys, now=now, not_after=now, chance=secrets.token_bytes
        )
        cookies = b"; ".join(filter(None, (injection.cookies, made.cookies)))
        return Injection(injection.headers + made.headers, cookies)

    async def _hidden(self, request: PortalRequest, app: App, cookies: ApplicationCookies) -> bytes:
        """The application cookies that the browser does not have, as of the last response that it saw. The note's
        cookies may be a tenth of a second older."""
        seat = presented_seat(request.cookie_line)
        if seat is None or not app.edits.cookies.hidden or app.logout.url is None:
            return b""
        jar = await self._services.jars.seen(request.host, seat, request.cookie_line)
        path, secure = app.logout.url.partition("?")[0].encode("ascii"), app.scheme == "https"
        return cookies.of_jar(jar.line(path, secure=secure, now=self._services.now()))

    async def _mark(self, request: PortalRequest, session: Session | None) -> None:
        """Makes open pages useless: no choice or provider's form in them signs the person in later."""
        ends, binding = self._services.transactions.sign_in_ends, request.binding()
        if binding is not None:
            await ends.mark(request.network, "browser", binding)
        if session is not None:
            await ends.mark(request.network, "subject", session.identity.issuer, session.identity.subject)

    async def _clear_rounds(self, request: PortalRequest) -> None:
        """Clears the count of rounds, because a person who signs out and in again is not in a loop. A failure here does
        not undo the sign-out."""
        binding = request.binding()
        if binding is not None:
            with suppress(GatewayError):
                await self._services.transactions.clear_rounds(binding, request.host)
                await self._services.transactions.clear_clean_start(binding, request.host)


def _how(request: PortalRequest, *, found: bool) -> SignedOut:
    if found:
        return "ended"
    return "elsewhere" if elsewhere(request) else "nothing"


def _is_global(app: App | None) -> bool:
    """A sign-out from the portal itself ends all sessions."""
    return app is None or app.logout.scope == "global"


def _same_origin(request: PortalRequest) -> bool:
    """Whether the form was on a page of the same host. A page's script cannot set these headers.

    Our pages have `Referrer-Policy: no-referrer`, so browsers send `Origin: null`. Fetch Metadata then decides, which
    these browsers send.
    """
    origin, site = request.header(b"origin"), request.header(b"sec-fetch-site")
    ours = own_origin(request)
    if site is None:
        return origin == ours
    return site in {"same-origin", "none"} and origin in {None, "null", ours}


def _sent_by(request: PortalRequest) -> Literal["page", "script", ""]:
    """Whether the application's page or script sent the request; empty: perhaps another site, an image or a typed
    address.

    A link of another site has no Origin either: for a GET only Fetch Metadata tells.
    """
    if request.header(b"sec-fetch-site") != "same-origin" or not _same_origin(request):
        return ""
    destination = request.header(b"sec-fetch-dest")
    return "page" if destination == "document" else "script" if destination == "empty" else ""
