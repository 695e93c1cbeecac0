"""Providers in the snapshot of a request. OpenID and SAML providers are told apart only here."""

from collections.abc import Iterable, Iterator

from gateway.config.snapshot import Snapshot
from gateway.model.codes import LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider, Provider, SamlProvider
from gateway.model.session import Session
from gateway.saml.parties import ServiceProvider


def is_saml(provider: Provider | None) -> bool:
    return isinstance(provider, SamlProvider)


def openid_providers(providers: Iterable[Provider | None]) -> Iterator[OidcProvider]:
    return (provider for provider in providers if isinstance(provider, OidcProvider))


def saml_providers(providers: Iterable[Provider | None]) -> Iterator[SamlProvider]:
    return (provider for provider in providers if isinstance(provider, SamlProvider))


def openid_provider(snapshot: Snapshot, name: str) -> OidcProvider:
    """Raises GatewayError(LOGIN_UNKNOWN_PROVIDER)."""
    for provider in openid_providers([snapshot.providers.get(name)]):
        return provider
    raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no OpenID provider of this name")


def openid_provider_of(snapshot: Snapshot, session: Session) -> OidcProvider | None:
    """Invariant 4: the provider that made this session; None where its file names another issuer by now."""
    for provider in openid_providers([snapshot.providers.get(session.identity.provider)]):
        return provider if provider.issuer == session.identity.issuer else None
    return None


def saml_provider(snapshot: Snapshot, name: str) -> SamlProvider:
    """Raises GatewayError(LOGIN_UNKNOWN_PROVIDER)."""
    for provider in saml_providers([snapshot.providers.get(name)]):
        return provider
    raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no SAML provider of this name")


def entity(snapshot: Snapshot, entity_id: str) -> SamlProvider:
    """`entity_id`: what an unverified message says of its sender; its signature then proves it.

    Raises GatewayError(LOGIN_UNKNOWN_PROVIDER).
    """
    for provider in saml_providers(snapshot.providers.values()):
        if provider.issuer == entity_id:
            return provider
    raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no SAML provider with the entityID that the message names")


def service_provider(snapshot: Snapshot) -> ServiceProvider:
    """Our own side towards SAML providers. Raises GatewayError(LOGIN_UNKNOWN_PROVIDER) where we have no keys for it."""
    own = snapshot.gateway.service_provider
    if own is None:
        raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "gateway.yaml has no keys for SAML")
    return own
