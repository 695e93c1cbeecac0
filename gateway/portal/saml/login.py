"""A person is sent to a SAML provider: an AuthnRequest by redirect, or in a form that the browser sends by itself."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from gateway.config.snapshot import Snapshot
from gateway.model.codes import SAML_ENDPOINT
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_STEP_UP, StepUpRequest
from gateway.model.ports import Page
from gateway.model.provider import SamlProvider
from gateway.model.transaction import SamlLogin
from gateway.portal.flow.freshness import asked_of
from gateway.portal.flow.pending import Pending
from gateway.portal.flow.steps import BeginSignIn
from gateway.portal.http.pages import Pages
from gateway.portal.http.request import PREFIX, SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.report import Report
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.known import saml_provider, service_provider
from gateway.portal.saml.ports import SamlFederation
from gateway.saml.authn_request import authn_request
from gateway.saml.parties import Endpoint, IdpMetadata
from gateway.saml.post import post_form
from gateway.saml.redirect import redirect_url
from gateway.stores.saml_transactions import SamlTransactions

_VISIBLY = "visibly"


class AskBySaml:
    def __init__(
        self,
        *,
        saml_transactions: SamlTransactions,
        federation: SamlFederation,
        crypto_thread: CryptoThread,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._saml_transactions = saml_transactions
        self._federation = federation
        self._crypto_thread = crypto_thread
        self._pages = pages
        self._report = report
        self._now = now
        self._token_urlsafe = token_urlsafe

    async def ask(self, request: PortalRequest, ask: BeginSignIn) -> Page:
        provider = saml_provider(request.snapshot, ask.provider)
        request.provider = provider.name
        asked = self._asked(request, provider, ask.pending) if ask.pending is not None else NO_STEP_UP
        if asked.acr_values:
            # Core 3.3.2.2.1: any of those that will do, in place of what the file asks for each time
            provider = replace(provider, authn_context=asked.acr_values, authn_context_comparison="exact")
        endpoint = sign_on_endpoint(provider, await self._federation.idp_metadata(provider))
        # Core 3.4.1: there is no asking for an age, but for an authentication made now
        fresh = provider.force_authn or asked.max_age is not None
        login = SamlLogin(
            provider=provider.name,
            request_id=message_id(self._token_urlsafe),
            authn_context=provider.authn_context,
            comparison=provider.authn_context_comparison,
            fresh=fresh,
            binding=request.binding_made(self._token_urlsafe),
            serves=ask.pending.served if ask.pending is not None else None,
            issued_at=int(self._now()),
            passive=provider.passive_first and not fresh and _VISIBLY not in ask.hints,
        )
        # Bindings 3.4.3: a reference of 43 characters, which tells nothing of where the person wants to go
        reference = self._token_urlsafe(SECRET_BYTES)
        page = await self._crypto_thread.do(lambda: self._sent(request, provider, endpoint, login, reference))
        await self._saml_transactions.put_login(login, reference, request.network)
        self._report.login_started(request)
        return page

    def _sent(
        self, request: PortalRequest, provider: SamlProvider, endpoint: Endpoint, login: SamlLogin, reference: str
    ) -> Page:
        sp = service_provider(request.snapshot)
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
        return self._pages.post(
            request.language, endpoint.location, fields, portal_url=request.snapshot.gateway.portal_url
        )

    def _asked(self, request: PortalRequest, provider: SamlProvider, found: Pending) -> StepUpRequest:
        """What the transaction that the sign-in is for asks of it, in the provider's words."""
        found.require(provider.name)
        return asked_of(request.snapshot, provider, found.transaction)


def asked_visibly(login: SamlLogin) -> str:
    """Where `login` was passive and that was not enough (Core 3.4.1). It asks otherwise, so nothing goes round."""
    parameters = {"provider": login.provider, _VISIBLY: ""} | ({"t": login.serves.id} if login.serves else {})
    return f"{PREFIX}login?{urlencode(parameters)}"


def sign_on_endpoint(provider: SamlProvider, metadata: IdpMetadata) -> Endpoint:
    for endpoint in metadata.sign_on:
        if endpoint.binding == provider.request_binding:
            return endpoint
    detail = f"no SingleSignOnService that takes {provider.request_binding}: see request_binding of the provider file"
    raise GatewayError(SAML_ENDPOINT, detail)


def message_id(token_urlsafe: Callable[[int], str]) -> str:
    # Core 1.3.4: an NCName, which does not begin with a digit or a dash; 256 bits
    return f"_{token_urlsafe(SECRET_BYTES)}"


def has_saml(snapshot: Snapshot, name: str) -> bool:
    return isinstance(snapshot.providers.get(name), SamlProvider)
