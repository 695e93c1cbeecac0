"""Whom else a sign-out concerns: the application itself, and the provider that signed the person in."""

from collections.abc import Callable

from gateway.config.snapshot import App
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.session import Session
from gateway.model.transaction import SignOut
from gateway.oidc.end_session import end_session_request
from gateway.portal.http.pages import Pages
from gateway.portal.http.request import PREFIX, SECRET_BYTES, PortalRequest
from gateway.portal.logout.applications import Present, SignOuts
from gateway.portal.openid.login import provider_of_session
from gateway.portal.ports import Federation
from gateway.portal.report import Report
from gateway.stores.transactions import Transactions
from gateway.translation.render import NOTHING
from gateway.wire.cookies import without_cookies


class Leaving:
    def __init__(
        self,
        *,
        transactions: Transactions,
        federation: Federation,
        sign_outs: SignOuts,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._transactions = transactions
        self._federation = federation
        self._sign_outs = sign_outs
        self._pages = pages
        self._report = report
        self._now = now
        self._token_urlsafe = token_urlsafe

    async def at_provider(self, request: PortalRequest, session: Session, home: str) -> Page | None:
        """RP-Initiated Logout 2. None where the provider cannot be asked: the person is signed out here."""
        provider = provider_of_session(request.snapshot, session)
        if provider is None:
            return None
        request.provider = provider.name
        state, portal_url = self._token_urlsafe(SECRET_BYTES), request.snapshot.gateway.portal_url
        back = f"{portal_url}{PREFIX}logged-out"
        try:
            metadata = await self._federation.metadata(provider)
            asked = end_session_request(provider, metadata, session.id_token, state, back)
            if asked is None:
                return None
            await self._transactions.put_sign_out(SignOut(provider.name, home), state, request.network)
        except GatewayError as error:
            self._report.refused(request, error)
            return None
        if asked.goes_by_address(provider):
            return self._pages.onward(request.language, asked.as_address)
        return self._pages.post(request.language, asked.url, asked.fields, portal_url=portal_url)

    def end_tokens(self, request: PortalRequest, session: Session) -> None:
        """The refresh token ends at the provider with the session that it was for. Nobody waits for it."""
        provider = provider_of_session(request.snapshot, session)
        if provider is not None and session.tokens is not None:
            self._federation.revoke(provider, session.tokens.refresh_token, self._now())

    def at_application(self, request: PortalRequest, app: App, session: Session) -> Present | None:
        """As the person's own browser would: with what the application is told of them, and their cookies of it."""
        if app.logout.url is None:
            return None
        try:
            injection = app.translation.render(session.identity)
        except GatewayError as error:
            # Nor was it told who they are while they were signed in.
            self._report.application_not_told(request, error)
            injection = NOTHING
        kept = without_cookies(request.cookie_line, app.translation.cookie_names)
        return Present(app, request.host, injection, kept)

    def expect(self, session: Session, present: Present) -> None:
        self._sign_outs.expect(session.id, present)

    async def told(self, session: Session, present: Present) -> None:
        await self._sign_outs.told(session.id, present)
