"""Metadata 2.4.1: keys roll over. What no known key signed is judged once more, under metadata fetched anew."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from gateway.model.codes import SAML_BINDING_SIGNATURE, SAML_SIGNATURE, SAML_SIGNATURE_KEY
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.ports import SamlFederation
from gateway.saml.parties import IdpMetadata

Judged = TypeVar("Judged")

_UNKNOWN_KEY = (SAML_SIGNATURE, SAML_SIGNATURE_KEY, SAML_BINDING_SIGNATURE)


async def judged(
    judge: Callable[[IdpMetadata], Judged],
    *,
    provider: SamlProvider,
    federation: SamlFederation,
    crypto_thread: CryptoThread,
) -> tuple[Judged, IdpMetadata]:
    """What `judge` makes of the provider's message, on the crypto_thread, and the metadata that it was judged by.

    Raises what `judge` raises, and what the federation does.
    """
    metadata = await federation.idp_metadata(provider)
    try:
        return await crypto_thread.do(partial(judge, metadata)), metadata
    except GatewayError as error:
        if error.code not in _UNKNOWN_KEY:
            raise
        newer = await federation.newer_idp_metadata(provider)
        if newer.signing_keys == metadata.signing_keys:
            raise
    return await crypto_thread.do(partial(judge, newer)), newer
