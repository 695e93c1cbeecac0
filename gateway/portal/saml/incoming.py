"""Receives logout messages by any binding and verifies the provider's signature."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from gateway.model.codes import login_codes, saml_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.portal.flow.source import entity
from gateway.portal.http.request import PortalRequest
from gateway.portal.saml.crypto_thread import CryptoThread, verified_by_metadata
from gateway.portal.services import PortalServices
from gateway.saml.bindings import RedirectMessage, posted_message, read_redirect, verify_redirect
from gateway.saml.document import Document, parse, read_unverified
from gateway.saml.logout import signed_logout_message
from gateway.saml.parties import Binding, IdpMetadata
from gateway.saml.signature import SignedElement, redirected
from gateway.saml.soap import in_body


@dataclass(frozen=True, slots=True)
class Incoming:
    """`issuer`: the claimed sender. `verify`: raises GatewayError if no key of the metadata signed the message."""

    parameter: Literal["SAMLRequest", "SAMLResponse"]
    issuer: str
    relay_state: str | None
    verify: Callable[[SamlProvider, IdpMetadata], SignedElement]


@dataclass(frozen=True, slots=True)
class Verified:
    message: SignedElement
    provider: SamlProvider
    metadata: IdpMetadata


class LogoutMessages:
    def __init__(self, services: PortalServices, crypto_thread: CryptoThread) -> None:
        self._services = services
        self._crypto_thread = crypto_thread

    async def by_redirect(self, request: PortalRequest) -> Incoming:
        query = request.target.partition("?")[2].encode("ascii", "surrogateescape")
        return await self._crypto_thread.do(partial(_by_redirect, query))

    async def by_post(self, request: PortalRequest) -> Incoming:
        return await self._crypto_thread.do(partial(_by_post, request.form()))

    async def by_soap(self, request: PortalRequest) -> Incoming:
        return await self._crypto_thread.do(partial(_by_soap, request.body))

    async def verified(
        self, request: PortalRequest, incoming: Incoming, expected: SamlProvider | None = None
    ) -> Verified:
        """`expected`: the provider that we asked, if the message is a response."""
        provider = entity(request.snapshot, incoming.issuer)
        request.provider = provider.name
        if expected is not None and provider.issuer != expected.issuer:
            raise GatewayError(login_codes.OTHER_PROVIDER, f"asked {expected.name}, answered by another")
        message, metadata = await verified_by_metadata(
            partial(incoming.verify, provider),
            provider=provider,
            federation=self._services.saml_federation,
            crypto_thread=self._crypto_thread,
        )
        return Verified(message, provider, metadata)


def state_of_answer(request: PortalRequest, binding: Binding) -> str | None:
    """The RelayState beside a SAMLResponse, read without further fields. None for a different form."""
    try:
        fields = request.form() if binding == "post" else request.parameters()
    except GatewayError:
        return None
    return fields.get("RelayState", "") if fields.get("SAMLResponse") and "SAMLRequest" not in fields else None


def _by_redirect(query: bytes) -> Incoming:
    received = read_redirect(query)
    issuer = read_unverified(parse(received.message)).issuer
    return Incoming(received.parameter, issuer, received.relay_state, partial(_verify_redirect, received))


def _verify_redirect(received: RedirectMessage, provider: SamlProvider, metadata: IdpMetadata) -> SignedElement:
    return redirected(verify_redirect(received, metadata.signing_keys), digit_ids=provider.digit_ids)


def _by_post(form: dict[str, str]) -> Incoming:
    found: list[Literal["SAMLRequest", "SAMLResponse"]] = [
        name for name in ("SAMLRequest", "SAMLResponse") if form.get(name)
    ]
    if len(found) != 1:
        raise GatewayError(saml_codes.BINDING_PARAMETER, "neither SAMLRequest nor SAMLResponse, or both")
    document = parse(posted_message(form[found[0]]))
    return Incoming(found[0], read_unverified(document).issuer, form.get("RelayState"), partial(_verify, document))


def _by_soap(body: bytes) -> Incoming:
    document = in_body(body)
    return Incoming("SAMLRequest", read_unverified(document).issuer, None, partial(_verify, document))


def _verify(document: Document, provider: SamlProvider, metadata: IdpMetadata) -> SignedElement:
    return signed_logout_message(document, provider, metadata)
