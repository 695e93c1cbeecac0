"""Looks at an identity provider by address, before a provider file exists: for `ecluse provider add`.

Uses the client and the checks of sign-ins. Follows no redirects, like the running gateway.
"""

import time
from dataclasses import dataclass

from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.model.codes import oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider, Perimeter
from gateway.model.quoting import quoted
from gateway.oidc.announcement import Announcement, announcement
from gateway.oidc.discovery import (
    WELL_KNOWN,
    ProviderMetadata,
    discovery_document,
    discovery_request,
    provider_metadata,
)
from gateway.oidc.documents import Call, ProviderResponse
from gateway.oidc.jws import JsonWebKeySet, jwks_request, process_jwks_response
from gateway.saml.metadata import require_valid
from gateway.saml.metadata_document import LARGEST_ENTITY
from gateway.saml.metadata_offer import MetadataOffer, read_offer

# The root of a SAML metadata document is within the first bytes, after a prolog and namespaces.
_BEGINNING = 8192
_TOO_LARGE = "; the metadata of one provider are smaller: name the provider's own, not those of a federation"
_ROOTS = (b"EntityDescriptor", b"EntitiesDescriptor")


@dataclass(frozen=True, slots=True)
class ProviderReach:
    """How the gateway may reach the provider: keys of the future provider file, and `development` of gateway.yaml.

    `ca`: PEM; None: the system's authorities.
    """

    ca: bytes | None = None
    private_addresses: bool = False
    development: bool = False


@dataclass(frozen=True, slots=True)
class OpenidLook:
    """An OpenID provider by its discovery document and key set."""

    metadata: ProviderMetadata
    announcement: Announcement
    keys: JsonWebKeySet


@dataclass(frozen=True, slots=True)
class SamlLook:
    """A SAML provider. `document`: the metadata as fetched from `address`."""

    address: str
    document: bytes
    offer: MetadataOffer


async def look_at(address: str, reach: ProviderReach, entity_id: str = "") -> OpenidLook | SamlLook:
    """Fetches `address`: SAML metadata, a discovery document, or an issuer.

    `entity_id`: the SAML provider to read; empty: the document has one provider.

    Raises GatewayError: login_codes.PROVIDER_UNREACHABLE, oidc_codes.ADDRESS, oidc_codes.ANSWER, or the code of the
    check that failed.
    """
    client = ProviderClient(reach.ca, None, reach.private_addresses or reach.development, Resolver())
    try:
        if address.endswith(WELL_KNOWN):
            return await _openid(client, address.removesuffix(WELL_KNOWN), reach)
        document = bytearray()
        call = Call("address", "GET", address, (("Accept", "application/samlmetadata+xml, application/xml, */*"),))
        try:
            response = await client.download(call, document.extend, LARGEST_ENTITY)
        except GatewayError as error:
            more = _TOO_LARGE if error.code is oidc_codes.ANSWER else ""
            raise GatewayError(error.code, error.detail + more) from error
        if response.status == 200 and any(root in document[:_BEGINNING] for root in _ROOTS):
            return _saml(address, bytes(document), reach, entity_id)
        try:
            return await _openid(client, address, reach)
        except GatewayError as error:
            if error.code is oidc_codes.DISCOVERY_ISSUER:
                raise
            detail = f"{quoted(address)}: no SAML metadata there ({_said(response)}), and no issuer: {error.detail}"
            raise GatewayError(error.code, detail) from error
    finally:
        await client.close()


async def _openid(client: ProviderClient, base: str, reach: ProviderReach) -> OpenidLook:
    provider = _unwritten(base, reach)
    response = await client.send(discovery_request(provider))
    _refuse_redirect(response, oidc_codes.DISCOVERY)
    # Discovery 4.1 removes a slash at the end: both issuers have their document here.
    bare = base.removesuffix("/")
    document = discovery_document(response, (base, bare, f"{bare}/"))
    metadata = provider_metadata(_unwritten(str(document["issuer"]), reach), document)
    response = await client.send(jwks_request(metadata))
    _refuse_redirect(response, oidc_codes.JWKS)
    return OpenidLook(metadata, announcement(document), process_jwks_response(response))


def _saml(address: str, document: bytes, reach: ProviderReach, entity_id: str) -> SamlLook:
    offer = read_offer(document, entity_id, development=reach.development)
    require_valid(offer.metadata, time.time())
    return SamlLook(address, document, offer)


def _refuse_redirect(response: ProviderResponse, code: Code) -> None:
    if response.call is not None and 300 <= response.status < 400 and response.location:
        where = f"{response.call.what}: {quoted(response.call.url)}"
        raise GatewayError(code, f"{where} redirects to {quoted(response.location)}; a redirect is not followed")


def _said(response: ProviderResponse) -> str:
    if 300 <= response.status < 400 and response.location:
        return f"a redirect to {quoted(response.location)}, which is not followed"
    return f"status {response.status}, {quoted(response.content_type)}"


def _unwritten(issuer: str, reach: ProviderReach) -> OidcProvider:
    """A provider without a file, for the checks of its documents."""
    return OidcProvider(
        name="",
        label="",
        issuer=issuer,
        client_id="",
        client_secret=None,
        client_authentication="none",
        scopes=(),
        algorithms=frozenset(),
        userinfo=False,
        attributes={},
        tenant_attribute=None,
        perimeter=Perimeter(),
        skew=0,
        session_idle=0,
        session_absolute=0,
        development=reach.development,
    )
