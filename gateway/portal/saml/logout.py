"""SAML single logout, begun here or by the provider (Profiles 4.4). Sessions are found without a cookie.

Our own sessions end first, in every worker; the provider and the person are told afterwards.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from gateway.config.snapshot import Snapshot
from gateway.identity.mapping import subject_of
from gateway.model.codes import logout_codes, saml_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.transaction import SamlLogout
from gateway.portal.flow.source import saml_provider, service_provider
from gateway.portal.http.lines import SignedOut
from gateway.portal.http.request import SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import BARE, redirect
from gateway.portal.logout.idp_initiated import IdpInitiatedLogout, LogoutNotice
from gateway.portal.logout.signed_out import to_signed_out
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.incoming import Incoming, LogoutMessages, Verified, state_of_answer
from gateway.portal.saml.responses import sid_of
from gateway.portal.services import PortalServices
from gateway.saml.bindings import post_form, redirect_url
from gateway.saml.logout import LogoutRequest, LogoutResponse, validate_logout_request, validate_logout_response
from gateway.saml.own_messages import logout_response, message_id
from gateway.saml.parties import Binding, IdpMetadata
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import MEDIA_TYPE, fault, in_envelope

_XML = (b"Content-Type", MEDIA_TYPE.encode())


class SamlLogoutEndpoints:
    def __init__(self, services: PortalServices, crypto_thread: CryptoThread) -> None:
        self._services = services
        self._pages = services.pages
        self._crypto_thread = crypto_thread
        self._messages = LogoutMessages(services, crypto_thread)
        self._logout = IdpInitiatedLogout(services)

    # --- our endpoints

    async def by_redirect(self, request: PortalRequest) -> Page:
        """`GET /_ecluse/saml/logout`"""
        return await self._through_a_browser(request, "redirect", self._messages.by_redirect)

    async def by_post(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/logout`"""
        return await self._through_a_browser(request, "post", self._messages.by_post)

    async def by_soap(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/saml/soap`: called by the provider, not by a browser."""
        try:
            incoming = await self._messages.by_soap(request)
            verified = await self._messages.verified(request, incoming)
            logout_request = await self._carried_out(request, verified, service_provider(request.snapshot).logout_soap)
            envelope = await self._crypto_thread.do(lambda: self._enveloped(request.snapshot, logout_request))
        except GatewayError as error:
            self._services.report.logout_refused(request, error)
            # Bindings 3.2.3.3
            return Page(500, (*BARE, _XML), fault("Server" if error.code.status == 503 else "Client"))
        return Page(200, (*BARE, _XML), envelope)

    async def _through_a_browser(
        self, request: PortalRequest, binding: Binding, read: Callable[[PortalRequest], Coroutine[Any, Any, Incoming]]
    ) -> Page:
        try:
            try:
                incoming = await read(request)
            except GatewayError as error:
                return await self._unread(request, binding, error)
            if incoming.parameter == "SAMLResponse":
                return await self._answered(request, incoming)
            verified = await self._messages.verified(request, incoming)
            logout_request = await self._carried_out(request, verified, service_provider(request.snapshot).logout)
            return await self._answer(request, verified, logout_request, binding, incoming.relay_state)
        except GatewayError as error:
            self._services.report.logout_refused(request, error)
            return self._refusal(request, error)

    # --- begun by the provider

    async def _carried_out(self, request: PortalRequest, verified: Verified, location: str) -> LogoutRequest:
        """Ends the sessions in every worker before the provider is answered. `location`: our endpoint that got the
        message."""
        sp, now = service_provider(request.snapshot), int(self._services.now())
        logout_request = await self._crypto_thread.do(
            lambda: validate_logout_request(
                verified.message,
                provider=verified.provider,
                metadata=verified.metadata,
                sp=sp,
                location=location,
                now=now,
            )
        )
        await self._logout.carry_out(request, _notice(logout_request, sp.entity_id, verified.provider))
        return logout_request

    async def _answer(
        self,
        request: PortalRequest,
        verified: Verified,
        logout_request: LogoutRequest,
        binding: Binding,
        relay_state: str | None,
    ) -> Page:
        """Shows the result here, if the provider accepts no answer by this binding."""
        location = _answer_location(verified.metadata, binding)
        if location is None:
            return to_signed_out(request, "everywhere")
        return await self._crypto_thread.do(lambda: self._sent(request, location, logout_request, binding, relay_state))

    def _sent(
        self,
        request: PortalRequest,
        location: str,
        logout_request: LogoutRequest,
        binding: Binding,
        relay_state: str | None,
    ) -> Page:
        sp = service_provider(request.snapshot)
        message = self._response(request.snapshot, location, logout_request)
        if binding == "redirect":
            return redirect(redirect_url(sp.keys[0], location, "SAMLResponse", message, relay_state=relay_state))
        fields = post_form(sp.keys[0], "SAMLResponse", message, relay_state=relay_state)
        return self._pages.post(request.reader, location, fields, portal_url=request.snapshot.gateway.portal_url)

    def _enveloped(self, snapshot: Snapshot, logout_request: LogoutRequest) -> bytes:
        message = self._response(snapshot, logout_request.issuer, logout_request)
        return in_envelope(sign_enveloped(service_provider(snapshot).keys[0], message))

    def _response(self, snapshot: Snapshot, destination: str, logout_request: LogoutRequest) -> bytes:
        return logout_response(
            service_provider(snapshot),
            destination=destination,
            id=message_id(self._services.token_urlsafe(SECRET_BYTES)),
            now=self._services.now(),
            in_response_to=logout_request.id,
        )

    # --- the provider's answer to our own LogoutRequest

    async def _answered(self, request: PortalRequest, incoming: Incoming) -> Page:
        logout = await self._services.transactions.saml_logouts.take(incoming.relay_state or "")
        if logout is None:
            # Reload, Back, too old: our own sessions had ended before anything was sent.
            return to_signed_out(request, "nothing")
        try:
            response = await self._response_to(request, incoming, logout)
        except GatewayError as error:
            return self._in_part(request, logout, error)
        if response.partial:
            return to_signed_out(request, "in_part", logout.home)
        return to_signed_out(request, "everywhere", logout.home)

    async def _response_to(self, request: PortalRequest, incoming: Incoming, logout: SamlLogout) -> LogoutResponse:
        provider = saml_provider(request.snapshot, logout.provider)
        verified = await self._messages.verified(request, incoming, expected=provider)
        location, now = service_provider(request.snapshot).logout, int(self._services.now())
        return await self._crypto_thread.do(
            lambda: validate_logout_response(
                verified.message,
                provider=provider,
                metadata=verified.metadata,
                location=location,
                request_id=logout.request_id,
                now=now,
            )
        )

    async def _unread(self, request: PortalRequest, binding: Binding, error: GatewayError) -> Page:
        """An unreadable message. As an answer to our request, it still ends on the signed-out page: the person has
        signed out.
        """
        state = state_of_answer(request, binding)
        logout = None if state is None else await self._services.transactions.saml_logouts.take(state)
        if logout is None:
            raise error
        return self._in_part(request, logout, error)

    def _in_part(self, request: PortalRequest, logout: SamlLogout, error: GatewayError) -> Page:
        """The sessions here had ended before the provider was asked. The provider's part remains unproven."""
        self._services.report.logout_refused(request, error)
        how: SignedOut = "in_part" if error.code is saml_codes.STATUS else "perhaps"
        return to_signed_out(request, how, logout.home)

    def _refusal(self, request: PortalRequest, error: GatewayError) -> Page:
        """Tells the person that the sign-out was refused. The person can sign out here: no sign-in was under way."""
        reference = request.request_id
        if error.code.status == 503:
            way_back = request.login_link
            return self._pages.render(
                error.code, kind="html", reader=request.reader, reference=reference, login_url=way_back
            )
        return self._pages.logout(request.reader, refused=logout_codes.REQUEST, reference=reference)


def _notice(logout_request: LogoutRequest, audience: str, provider: SamlProvider) -> LogoutNotice:
    """Core 3.7.3.2: the sessions with the request's indexes, or every session of the person."""
    issuer = logout_request.issuer
    subject = subject_of(logout_request.name_id, issuer=issuer, audience=audience)
    sids = tuple(sid_of(subject, index) for index in logout_request.session_indexes)
    return LogoutNotice(issuer, sids, subject, logout_request.issued, provider.skew)


def _answer_location(metadata: IdpMetadata, binding: Binding) -> str | None:
    for endpoint in metadata.logout:
        if endpoint.binding == binding:
            # Metadata 2.2.2
            return endpoint.response_location or endpoint.location
    return None
