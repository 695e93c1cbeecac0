"""Sign-out started here: informs the person's SAML provider, and shows the result."""

from functools import partial

from gateway.model.assertion import NameId
from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.session import Session
from gateway.model.transaction import SamlLogout
from gateway.portal.flow.source import saml_provider, service_provider
from gateway.portal.flow.steps import NotifyProvider
from gateway.portal.http.lines import SignedOut
from gateway.portal.http.request import SECRET_BYTES, PortalRequest
from gateway.portal.logout.signed_out import to_signed_out
from gateway.portal.saml.crypto_thread import CryptoThread, verified_by_metadata
from gateway.portal.saml.responses import index_of
from gateway.portal.services import PortalServices
from gateway.saml.bindings import post_form, redirect_url
from gateway.saml.logout import validate_soap_logout_response
from gateway.saml.own_messages import logout_request, message_id
from gateway.saml.parties import Endpoint, IdpMetadata
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_body, in_envelope


class SamlRpInitiatedLogout:
    def __init__(self, services: PortalServices, crypto_thread: CryptoThread) -> None:
        self._services = services
        self._pages = services.pages
        self._crypto_thread = crypto_thread

    async def tell(self, request: PortalRequest, step: NotifyProvider) -> Page:
        """Called after the browser's sessions have ended. A failure leads to the plain signed-out page."""
        session = step.session
        request.provider = session.identity.provider
        try:
            provider = saml_provider(request.snapshot, request.provider)
            metadata = await self._services.saml_federation.idp_metadata(provider)
            endpoint = logout_endpoint(provider, metadata)
            if endpoint is not None and provider.issuer == session.identity.issuer:
                if endpoint.binding == "soap":
                    return await self._by_soap(request, provider, endpoint, step)
                return await self._sent(request, provider, endpoint, step)
        except GatewayError as error:
            self._services.report.logout_refused(request, error)
        return to_signed_out(request, "ended", step.home)

    async def _by_soap(
        self, request: PortalRequest, provider: SamlProvider, endpoint: Endpoint, step: NotifyProvider
    ) -> Page:
        """Profiles 4.4.4.1: asks while the person waits. Shows the person any result but success."""
        id, sp = message_id(self._services.token_urlsafe(SECRET_BYTES)), service_provider(request.snapshot)
        message = partial(self._request, request, endpoint, step.session, id)
        try:
            envelope = await self._crypto_thread.do(lambda: in_envelope(sign_enveloped(sp.keys[0], message())))
            soap_response = await self._services.saml_federation.soap(provider, endpoint.location, envelope)
            response, _ = await verified_by_metadata(
                lambda metadata: validate_soap_logout_response(
                    in_body(soap_response),
                    provider=provider,
                    metadata=metadata,
                    url=endpoint.location,
                    request_id=id,
                    now=int(self._services.now()),
                ),
                provider=provider,
                federation=self._services.saml_federation,
                crypto_thread=self._crypto_thread,
            )
        except GatewayError as error:
            self._services.report.logout_refused(request, error)
            how: SignedOut = "in_part" if error.code is saml_codes.STATUS else "perhaps"
            return to_signed_out(request, how, step.home)
        if response.partial:
            return to_signed_out(request, "in_part", step.home)
        return to_signed_out(request, "everywhere", step.home)

    async def _sent(
        self, request: PortalRequest, provider: SamlProvider, endpoint: Endpoint, step: NotifyProvider
    ) -> Page:
        token_urlsafe = self._services.token_urlsafe
        id, reference = message_id(token_urlsafe(SECRET_BYTES)), token_urlsafe(SECRET_BYTES)
        page = await self._crypto_thread.do(lambda: self._page(request, endpoint, step.session, id, reference))
        await self._services.transactions.saml_logouts.put(
            SamlLogout(provider.name, id, step.home), request.network, reference
        )
        return page

    def _page(self, request: PortalRequest, endpoint: Endpoint, session: Session, id: str, reference: str) -> Page:
        sp, message = service_provider(request.snapshot), self._request(request, endpoint, session, id)
        if endpoint.binding == "redirect":
            url = redirect_url(sp.keys[0], endpoint.location, "SAMLRequest", message, relay_state=reference)
            return self._pages.onward(request.reader, url)
        fields = post_form(sp.keys[0], "SAMLRequest", message, relay_state=reference)
        return self._pages.post(
            request.reader, endpoint.location, fields, portal_url=request.snapshot.gateway.portal_url
        )

    def _request(self, request: PortalRequest, endpoint: Endpoint, session: Session, id: str) -> bytes:
        assert session.name_id is not None
        return logout_request(
            service_provider(request.snapshot),
            destination=endpoint.location,
            id=id,
            now=self._services.now(),
            name_id=NameId(*session.name_id),
            session_indexes=() if session.sid is None else (index_of(session.sid),),
        )


def logout_endpoint(provider: SamlProvider, metadata: IdpMetadata) -> Endpoint | None:
    """The binding for the LogoutRequest. Through the browser if the provider supports this, because only the browser
    shows the provider its further applications (Profiles 4.4.3.1). Else over SOAP. None without a supported binding."""
    wanted = (provider.request_binding, "redirect", "post", "soap")
    return min(metadata.logout, key=lambda endpoint: wanted.index(endpoint.binding), default=None)
