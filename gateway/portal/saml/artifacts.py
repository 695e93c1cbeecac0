"""Bindings 3.6: the browser brings a reference, and the provider is asked what it stands for."""

from collections.abc import Callable
from functools import partial

from gateway.model.provider import SamlProvider
from gateway.portal.http.request import PortalRequest
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.known import service_provider
from gateway.portal.saml.login import message_id
from gateway.portal.saml.ports import SamlFederation
from gateway.saml.artifact import artifact_resolve, read_artifact, resolution_endpoint
from gateway.saml.artifact_response import response_in
from gateway.saml.document import Document
from gateway.saml.parties import IdpMetadata
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope


class Artifacts:
    def __init__(
        self,
        *,
        federation: SamlFederation,
        crypto_thread: CryptoThread,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._federation = federation
        self._crypto_thread = crypto_thread
        self._now = now
        self._token_urlsafe = token_urlsafe

    async def resolve(
        self, request: PortalRequest, provider: SamlProvider, metadata: IdpMetadata, value: str
    ) -> Callable[[], Document]:
        """`value`: SAMLart. The Response, still to be read and judged in a thread of the crypto_thread."""
        artifact = read_artifact(value)
        endpoint = resolution_endpoint(artifact, metadata)
        id, sp = message_id(self._token_urlsafe), service_provider(request.snapshot)
        resolve = artifact_resolve(sp, artifact, destination=endpoint.location, id=id, now=self._now())
        envelope = await self._crypto_thread.do(lambda: in_envelope(sign_enveloped(sp.keys[0], resolve)))
        answer = await self._federation.soap(provider, endpoint.location, envelope)
        return partial(response_in, answer, request_id=id, provider=provider)
