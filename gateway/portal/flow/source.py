"""The interface of a sign-in protocol to the portal, and which protocol a provider speaks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_STEP_UP, StepUpRequest
from gateway.model.ports import Page
from gateway.model.provider import OidcProvider, Provider, SamlProvider
from gateway.model.session import Session
from gateway.model.transaction import OTHER_ACCOUNT, Served, Transaction
from gateway.portal.flow.steps import BeginSignIn, Handlers, NotifyProvider, Pending
from gateway.portal.http.request import PortalRequest, WayBack
from gateway.saml.parties import ServiceProvider
from gateway.stores.tickets.tickets import Transactions


class IdentitySource(Protocol):
    """One protocol of identity providers. Every coroutine raises GatewayError with the code that the person sees."""

    async def begin(self, request: PortalRequest, step: BeginSignIn) -> Page:
        """The page or redirect that leads the browser to the provider. Stores the data for the way back."""

    def handlers(self, path: str) -> Handlers | None:
        """Returns the handlers of a path below /_ecluse/ on the portal's host; None: not a path of this protocol.

        A handler that completes a sign-in returns an Authentication, or SignInSeenAgain. A handler of a provider's
        logout ends the sessions (`logout.IdpInitiatedLogout`) and answers by the protocol.
        """

    async def log_out(self, request: PortalRequest, step: NotifyProvider) -> Page | None:
        """RP-initiated logout, after the session's end here. None: the browser cannot carry a logout to the
        provider."""

    def forget(self, request: PortalRequest, session: Session) -> None:
        """Revokes the provider's tokens of an ended session. No person waits for it."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class IdentitySources:
    openid: IdentitySource
    saml: IdentitySource

    def of(self, snapshot: Snapshot, name: str) -> IdentitySource:
        """Returns the protocol by the provider's name. OpenID refuses an unknown name."""
        return self.saml if is_saml(snapshot.providers.get(name)) else self.openid

    def of_session(self, session: Session) -> IdentitySource:
        """The source by the session's data for its provider, because the provider's file may have changed since."""
        return self.openid if session.name_id is None else self.saml

    def handlers(self, path: str) -> Handlers | None:
        """SAML's paths are below `saml/`; all other paths belong to OpenID."""
        return self.saml.handlers(path) if path.startswith("saml/") else self.openid.handlers(path)

    def close(self) -> None:
        self.openid.close()
        self.saml.close()


# --- the transaction that a sign-in serves, and its demands on the provider


async def pending(transactions: Transactions, request: PortalRequest, id: str) -> Pending:
    """Reads the sign-in `id`, which stays in the store. From now on a refusal's page leads back to its application,
    and the log names the application."""
    transaction = await transactions.sign_ins.peek(id) if id else None
    if transaction is None:
        raise GatewayError(login_codes.TRANSACTION_GONE, "no such transaction")
    return _at_its_app(request, id, transaction)


def served_by(request: PortalRequest, serves: Served | None, provider: str) -> Pending | None:
    """The transaction of a provider's answer, as `pending`; None: a sign-in to the portal itself. Only spending the
    transaction shows whether it still exists."""
    if serves is None:
        return None
    found = _at_its_app(request, *serves)
    _require_listed(found.app, provider)
    return found


def _at_its_app(request: PortalRequest, id: str, transaction: Transaction) -> Pending:
    app = lead_back(request, transaction)
    if app is None:
        raise GatewayError(login_codes.TRANSACTION_GONE, f"{transaction.app} no longer answers on {transaction.host}")
    return Pending(id, transaction, app)


def lead_back(request: PortalRequest, transaction: Transaction) -> App | None:
    """The transaction's application, as the way back from an error page; None if the application has left the host."""
    app = request.snapshot.find_named(transaction.host, transaction.app)
    if app is None:
        return None
    request.app_name = app.name
    other = dict(transaction.hints).get(OTHER_ACCOUNT, "")
    request.way_back = WayBack(app, transaction.host, transaction.return_target, other_account=other)
    return app


def requested_of(snapshot: Snapshot, provider: Provider, found: Pending | None) -> tuple[Served | None, StepUpRequest]:
    """Returns the purpose of a sign-in with this provider, and the request to the provider in its own words. `found`
    None: a sign-in to the portal itself.

    Raises GatewayError(login_codes.UNKNOWN_PROVIDER) if the transaction's application does not list the provider.
    """
    if found is None:
        return None, NO_STEP_UP
    _require_listed(found.app, provider.name)
    need = snapshot.ladder.askable(provider.name, found.transaction.need)
    asked = snapshot.ladder.asking(provider.name, need)
    # Some providers (ProConnect) do not sign people in again on request, and may refuse such a request. The gateway
    # then asks without the demand. The answer is enough if the person has just signed in there; otherwise a page
    # explains.
    anew = found.transaction.not_before and "fresh_login" in provider.levels.can
    return Served(found.id, found.transaction), replace(asked, max_age=0) if anew else asked


def _require_listed(app: App, provider: str) -> None:
    """Invariant 5: an app accepts identities only of the providers that its file lists."""
    if provider not in app.listed:
        raise GatewayError(login_codes.UNKNOWN_PROVIDER, f"{app.name} does not list {provider}")


# --- providers in the snapshot of a request: OpenID and SAML ones are told apart only here


def is_saml(provider: Provider | None) -> bool:
    return isinstance(provider, SamlProvider)


def openid_providers(providers: Iterable[Provider | None]) -> Iterator[OidcProvider]:
    return (provider for provider in providers if isinstance(provider, OidcProvider))


def saml_providers(providers: Iterable[Provider | None]) -> Iterator[SamlProvider]:
    return (provider for provider in providers if isinstance(provider, SamlProvider))


def openid_provider(snapshot: Snapshot, name: str) -> OidcProvider:
    """Raises GatewayError(login_codes.UNKNOWN_PROVIDER)."""
    for provider in openid_providers([snapshot.providers.get(name)]):
        return provider
    raise GatewayError(login_codes.UNKNOWN_PROVIDER, "no OpenID provider of this name")


def openid_provider_of(snapshot: Snapshot, session: Session) -> OidcProvider | None:
    """Returns the session's provider (invariant 4). None if the provider's file now names another issuer."""
    for provider in openid_providers([snapshot.providers.get(session.identity.provider)]):
        return provider if provider.issuer == session.identity.issuer else None
    return None


def saml_provider(snapshot: Snapshot, name: str) -> SamlProvider:
    """Raises GatewayError(login_codes.UNKNOWN_PROVIDER)."""
    for provider in saml_providers([snapshot.providers.get(name)]):
        return provider
    raise GatewayError(login_codes.UNKNOWN_PROVIDER, "no SAML provider of this name")


def entity(snapshot: Snapshot, entity_id: str) -> SamlProvider:
    """`entity_id`: the sender's name in an unverified message, proven later by the signature.

    Raises GatewayError(login_codes.UNKNOWN_PROVIDER).
    """
    for provider in saml_providers(snapshot.providers.values()):
        if provider.issuer == entity_id:
            return provider
    raise GatewayError(login_codes.UNKNOWN_PROVIDER, "no SAML provider with the entityID that the message names")


def service_provider(snapshot: Snapshot) -> ServiceProvider:
    """Our own side towards SAML providers. Raises GatewayError(login_codes.UNKNOWN_PROVIDER) where we have no keys for
    it."""
    own = snapshot.gateway.service_provider
    if own is None:
        raise GatewayError(login_codes.UNKNOWN_PROVIDER, "gateway.yaml has no keys for SAML")
    return own
