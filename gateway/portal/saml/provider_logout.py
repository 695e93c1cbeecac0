"""A person has signed out here: their SAML provider is told, and they see what came of it."""

from collections.abc import Callable

from gateway.model.assertion import NameId
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, SamlTransactions
from gateway.model.provider import SamlProvider
from gateway.model.session import Session
from gateway.model.transaction import SamlLogout
from gateway.portal.outcomes import TellProvider
from gateway.portal.pages import Pages
from gateway.portal.report import Report
from gateway.portal.saml.known import saml_provider, service_provider
from gateway.portal.saml.login import message_id
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.saml.sids import index_of
from gateway.portal.saml.workbench import Workbench
from gateway.portal.visit import SECRET_BYTES, Visit
from gateway.saml.logout_message import logout_request
from gateway.saml.parties import Endpoint, IdpMetadata
from gateway.saml.post import post_form
from gateway.saml.redirect import redirect_url


class ProviderLogout:
    def __init__(
        self,
        *,
        saml_transactions: SamlTransactions,
        federation: SamlFederation,
        workbench: Workbench,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._saml_transactions = saml_transactions
        self._federation = federation
        self._workbench = workbench
        self._pages = pages
        self._report = report
        self._now = now
        self._token_urlsafe = token_urlsafe

    async def tell(self, visit: Visit, outcome: TellProvider) -> Page:
        """Every session of this browser has ended. What goes wrong here leaves the page that says no more than that."""
        session = outcome.session
        visit.provider = session.identity.provider
        try:
            provider = saml_provider(visit.call.snapshot, visit.provider)
            endpoint = logout_endpoint(provider, await self._federation.idp_metadata(provider))
            if endpoint is not None and provider.issuer == session.identity.issuer:
                return await self._sent(visit, provider, endpoint, outcome)
        except GatewayError as error:
            self._report.logout_refused(visit, error)
        return self._pages.signed_out(visit.language, ended=True, elsewhere="")

    async def _sent(self, visit: Visit, provider: SamlProvider, endpoint: Endpoint, outcome: TellProvider) -> Page:
        id, reference = message_id(self._token_urlsafe), self._token_urlsafe(SECRET_BYTES)
        page = await self._workbench.do(lambda: self._page(visit, endpoint, outcome.session, id, reference))
        await self._saml_transactions.put_logout(SamlLogout(provider.name, id, outcome.home), reference, visit.network)
        return page

    def _page(self, visit: Visit, endpoint: Endpoint, session: Session, id: str, reference: str) -> Page:
        sp = service_provider(visit.call.snapshot)
        assert session.name_id is not None
        request = logout_request(
            sp,
            destination=endpoint.location,
            id=id,
            now=self._now(),
            name_id=NameId(*session.name_id),
            session_indexes=() if session.sid is None else (index_of(session.sid),),
        )
        if endpoint.binding == "redirect":
            url = redirect_url(sp.keys[0], endpoint.location, "SAMLRequest", request, relay_state=reference)
            return self._pages.onward(visit.language, url)
        fields = post_form(sp.keys[0], "SAMLRequest", request, relay_state=reference)
        return self._pages.post(visit.language, endpoint.location, fields)


def logout_endpoint(provider: SamlProvider, metadata: IdpMetadata) -> Endpoint | None:
    """Through the browser, as people are sent there to sign in if it takes that; None where it takes neither."""
    found = [endpoint for endpoint in metadata.logout if endpoint.binding in ("redirect", "post")]
    return min(found, key=lambda endpoint: endpoint.binding != provider.request_binding, default=None)
