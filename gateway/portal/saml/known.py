"""Whom a message may come from, and who we are to them, by the configuration that a request was met with."""

from gateway.config.snapshot import Snapshot
from gateway.model.codes import LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.saml.parties import ServiceProvider


def saml_provider(snapshot: Snapshot, name: str) -> SamlProvider:
    provider = snapshot.providers.get(name)
    if not isinstance(provider, SamlProvider):
        raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no SAML provider of this name")
    return provider


def entity(snapshot: Snapshot, entity_id: str) -> SamlProvider:
    """`entity_id`: what a message says of itself; whether it is true, its signature tells."""
    for provider in snapshot.providers.values():
        if isinstance(provider, SamlProvider) and provider.issuer == entity_id:
            return provider
    raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "no SAML provider with the entityID that the message names")


def service_provider(snapshot: Snapshot) -> ServiceProvider:
    own = snapshot.gateway.service_provider
    if own is None:
        raise GatewayError(LOGIN_UNKNOWN_PROVIDER, "gateway.yaml has no keys for SAML")
    return own
