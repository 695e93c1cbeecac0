"""SAML 2.0 as an identity source: a person is sent to a provider by an AuthnRequest, by redirect or in a form."""

from dataclasses import replace

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.session import Session
from gateway.model.transaction import OTHER_ACCOUNT, SamlLogin
from gateway.portal.flow.source import requested_of, saml_provider, service_provider
from gateway.portal.flow.steps import BeginSignIn, Handlers, NotifyProvider
from gateway.portal.http.request import SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.discovery import DiscoveryService
from gateway.portal.saml.logos import Logos
from gateway.portal.saml.logout import SamlLogoutEndpoints
from gateway.portal.saml.own_metadata import OwnMetadata
from gateway.portal.saml.responses import VISIBLY, SamlResponses
from gateway.portal.saml.rp_initiated_logout import SamlRpInitiatedLogout
from gateway.portal.saml.second_opinion import SecondOpinions
from gateway.portal.services import PortalServices
from gateway.saml.bindings import post_form, redirect_url
from gateway.saml.own_messages import authn_request, message_id
from gateway.saml.parties import Endpoint, IdpMetadata, ServiceProvider


class SamlSource:
    """flow.source.IdentitySource"""

    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._crypto_thread = crypto_thread = CryptoThread()
        self._rp_initiated_logout = SamlRpInitiatedLogout(services, crypto_thread)
        self._opinions = SecondOpinions(services.report)
        responses = SamlResponses(services, crypto_thread, self._opinions)
        logout = SamlLogoutEndpoints(services, crypto_thread)
        discovery = DiscoveryService(services)
        self._handlers: dict[str, Handlers] = {
            "saml/acs": {"POST": responses.posted},
            "saml/artifact": {"GET": responses.artifact, "POST": responses.artifact_posted},
            "saml/discover": {"GET": discovery.ask},
            "saml/discovery": {"GET": discovery.answered},
            "saml/finish": {"GET": responses.finish},
            "saml/logout": {"GET": logout.by_redirect, "POST": logout.by_post},
            "saml/logo": {"GET": Logos(services).logo},
            "saml/metadata": {"GET": OwnMetadata(services, crypto_thread).metadata},
            "saml/soap": {"POST": logout.by_soap},
        }

    def handlers(self, path: str) -> Handlers | None:
        return self._handlers.get(path)

    def close(self) -> None:
        self._crypto_thread.close()
        self._opinions.close()

    async def log_out(self, request: PortalRequest, step: NotifyProvider) -> Page:
        return await self._rp_initiated_logout.tell(request, step)

    def forget(self, request: PortalRequest, session: Session) -> None:
        """A SAML provider issues no token to revoke."""

    async def begin(self, request: PortalRequest, step: BeginSignIn) -> Page:
        provider = saml_provider(request.snapshot, step.provider)
        request.provider = provider.name
        sp = service_provider(request.snapshot)
        serves, asked = requested_of(request.snapshot, provider, step.pending)
        if asked.acr_values:
            # Core 3.3.2.2.1: requests any of the sufficient classes instead of the file's usual request
            provider = replace(provider, authn_context=asked.acr_values, authn_context_comparison="exact")
        endpoint = sign_on_endpoint(provider, await self._services.saml_federation.idp_metadata(provider))
        # Core 3.4.1: there is no asking for an age, but for an authentication made now
        fresh = provider.force_authn or asked.max_age is not None or OTHER_ACCOUNT in step.hints
        login = SamlLogin(
            provider=provider.name,
            request_id=message_id(self._services.token_urlsafe(SECRET_BYTES)),
            authn_context=provider.authn_context,
            comparison=provider.authn_context_comparison,
            fresh=fresh,
            binding=request.binding_made(self._services.token_urlsafe),
            serves=serves,
            issued_at=int(self._services.now()),
            passive=provider.passive_first and not fresh and VISIBLY not in step.hints,
        )
        # Bindings 3.4.3: a reference of 43 characters, which does not reveal the requested page
        reference = self._services.transactions.saml_logins.id_for(login)
        page = await self._crypto_thread.do(lambda: self._sent(request, sp, provider, endpoint, login, reference))
        await self._services.transactions.saml_logins.put(login, request.network, reference)
        self._services.standings.sent(provider.name, endpoint.location)
        self._services.report.login_started(request)
        return page

    def _sent(
        self,
        request: PortalRequest,
        sp: ServiceProvider,
        provider: SamlProvider,
        endpoint: Endpoint,
        login: SamlLogin,
        reference: str,
    ) -> Page:
        message = authn_request(
            sp,
            provider,
            destination=endpoint.location,
            id=login.request_id,
            now=login.issued_at,
            force_authn=login.fresh,
            is_passive=login.passive,
            authn_context=login.authn_context,
        )
        if endpoint.binding == "redirect":
            url = redirect_url(sp.keys[0], endpoint.location, "SAMLRequest", message, relay_state=reference)
            return redirect(url)
        fields = post_form(sp.keys[0], "SAMLRequest", message, relay_state=reference)
        return self._services.pages.post(
            request.reader, endpoint.location, fields, portal_url=request.snapshot.gateway.portal_url
        )


def sign_on_endpoint(provider: SamlProvider, metadata: IdpMetadata) -> Endpoint:
    for endpoint in metadata.sign_on:
        if endpoint.binding == provider.request_binding:
            return endpoint
    detail = f"no SingleSignOnService that takes {provider.request_binding}: see request_binding of the provider file"
    raise GatewayError(saml_codes.ENDPOINT, detail)
