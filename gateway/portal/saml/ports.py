"""What SAML on the portal needs of the federation; the composition root joins them by hand."""

from typing import Protocol

from gateway.model.provider import SamlProvider
from gateway.saml.parties import IdpMetadata


class SamlFederation(Protocol):
    """Raises GatewayError with the code that the person and the operator see."""

    async def idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        """What is known of it now."""

    async def newer_idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        """For a signature by none of the known keys: fetched anew, at most once in a while."""

    async def soap(self, provider: SamlProvider, url: str, envelope: bytes) -> bytes:
        """What `url`, an endpoint of its metadata, answered to our envelope."""
