"""On the portal host: a person is sent to a provider."""

from collections.abc import Callable

from gateway.config.snapshot import Snapshot
from gateway.model.codes import LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_STEP_UP, StepUpRequest
from gateway.model.ports import Page
from gateway.model.provider import OidcProvider
from gateway.model.session import Session
from gateway.model.transaction import OidcLogin
from gateway.portal.flow.freshness import asked_of
from gateway.portal.flow.pending import Pending, pending
from gateway.portal.flow.steps import BeginSignIn, NextStep
from gateway.portal.http.request import PREFIX, SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.ports import Federation
from gateway.portal.report import Report
from gateway.stores.transactions import Transactions


class Login:
    def __init__(
        self,
        *,
        transactions: Transactions,
        federation: Federation,
        report: Report,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._transactions = transactions
        self._federation = federation
        self._report = report
        self._now = now
        self._token_urlsafe = token_urlsafe

    async def login(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/login?t=&provider=`: a choice was made. Without `t`: a sign-in to the portal itself."""
        request.require_navigation()
        parameters = request.parameters()
        found = await pending(self._transactions, request, parameters["t"]) if "t" in parameters else None
        linked = {} if found is None else dict(found.transaction.hints)
        return BeginSignIn(parameters.get("provider", ""), found, linked | parameters)

    async def ask(self, request: PortalRequest, ask: BeginSignIn) -> Page:
        provider = provider_of(request.snapshot, ask.provider)
        request.provider = provider.name
        asked = self._asked(request, provider, ask.pending) if ask.pending is not None else NO_STEP_UP
        login = OidcLogin(
            provider=provider.name,
            nonce=self._token_urlsafe(SECRET_BYTES),
            code_verifier=self._token_urlsafe(SECRET_BYTES),
            redirect_uri=redirect_uri(request.snapshot, provider),
            binding=request.binding_made(self._token_urlsafe),
            serves=ask.pending.served if ask.pending is not None else None,
            created_at=int(self._now()),
            # OIDC Core 3.1.2.1: 0 asks for an authentication made now
            max_age=min((age for age in (provider.request.max_age, asked.max_age) if age is not None), default=None),
            asking=asked,
            issuer=provider.issuer,
        )
        state = self._token_urlsafe(SECRET_BYTES)
        url = await self._federation.authorization_url(provider, login, state, ask.hints, self._now())
        await self._transactions.put_login(login, state, request.network)
        self._report.login_started(request)
        return redirect(url)

    def _asked(self, request: PortalRequest, provider: OidcProvider, found: Pending) -> StepUpRequest:
        """What the transaction that the sign-in is for asks of it, in the provider's words."""
        found.require(provider.name)
        return asked_of(request.snapshot, provider, found.transaction)


def provider_of(snapshot: Snapshot, name: str) -> OidcProvider:
    provider = snapshot.providers.get(name)
    if not isinstance(provider, OidcProvider):
        raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no OpenID provider of this name")
    return provider


def provider_of_session(snapshot: Snapshot, session: Session) -> OidcProvider | None:
    """Invariant 4: the one that made it, whatever the file of that name says since."""
    provider = snapshot.providers.get(session.identity.provider)
    if not isinstance(provider, OidcProvider) or provider.issuer != session.identity.issuer:
        return None
    return provider


def redirect_uri(snapshot: Snapshot, provider: OidcProvider) -> str:
    """One per provider, from the configuration, never from what a request says of itself."""
    return f"{snapshot.gateway.portal_url}{PREFIX}callback/{provider.name}"
