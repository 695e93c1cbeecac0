"""The worker's thread for XML and RSA, so that the loop never waits (invariant 14).

There are as many workers as cores: a second thread would only contend with the loop for the interpreter lock. At 200
sign-ins a second, other requests would then wait several times as long.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from gateway.federation.saml import SamlFederation
from gateway.model.codes import login_codes, saml_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.saml.parties import IdpMetadata

Made = TypeVar("Made")
Proven = TypeVar("Proven")

_UNKNOWN_KEY = (saml_codes.SIGNATURE, saml_codes.SIGNATURE_KEY, saml_codes.BINDING_SIGNATURE)

# A second's work at some 2 ms per message. Further messages are refused with a request to try again.
_MOST_WAITING = 500


class CryptoThread:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saml")
        self._waiting = 0

    async def do(self, work: Callable[[], Made]) -> Made:
        """Raises what `work` raises, and GatewayError(login_codes.BUSY) where too much waits already."""
        if self._waiting >= _MOST_WAITING:
            raise GatewayError(login_codes.BUSY, f"{self._waiting} SAML messages wait for the thread")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


async def verified_by_metadata(
    verify: Callable[[IdpMetadata], Proven],
    *,
    provider: SamlProvider,
    federation: SamlFederation,
    crypto_thread: CryptoThread,
) -> tuple[Proven, IdpMetadata]:
    """The result of `verify` for a provider's message, computed in the thread, with the metadata used.

    Metadata 2.4.1: keys roll over. A message signed by an unknown key is verified once more with fresh metadata. Raises
    as
    `verify`, and the federation's errors.
    """
    metadata = await federation.idp_metadata(provider)
    try:
        return await crypto_thread.do(partial(verify, metadata)), metadata
    except GatewayError as error:
        if error.code not in _UNKNOWN_KEY:
            raise
        newer = await federation.newer_idp_metadata(provider)
        if newer.signing_keys == metadata.signing_keys:
            raise
    return await crypto_thread.do(partial(verify, newer)), newer
