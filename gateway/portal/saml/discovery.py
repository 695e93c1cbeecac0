"""A federation's discovery service: the search for people who find no provider among ours.

The answer is only a choice, as a click on our own page: the provider then authenticates the person.
"""

from urllib.parse import quote, urlencode

from gateway.model.codes import route_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION
from gateway.portal.flow.source import entity, pending
from gateway.portal.flow.steps import BeginSignIn, NextStep, Pending
from gateway.portal.http.request import PREFIX, PortalRequest, portal_home
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices
from gateway.saml.discovery import ENTITY_ID, discovery_request
from gateway.saml.parties import ServiceProvider


class DiscoveryService:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def ask(self, request: PortalRequest) -> Page:
        """`/_ecluse/saml/discover?t=`: the link of a page where people choose. What goes to the service comes back: the
        sign-in under way, and what a person asked for at home."""
        request.require_navigation()
        sp = _configured(request)
        await self._pending(request)
        parameters = request.parameters()
        back = {"t": parameters["t"]} if "t" in parameters else {}
        # Only the presence counts: the value in a link may be no valid text.
        back |= {OTHER_ACCOUNT: "1"} if OTHER_ACCOUNT in parameters else {}
        return redirect(discovery_request(sp, back))

    async def answered(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/saml/discovery?t=&entityID=`: the browser comes back."""
        request.require_navigation()
        _configured(request)
        found, parameters = await self._pending(request), request.parameters()
        chosen = parameters.get(ENTITY_ID, "")
        if not chosen:
            # 2.4.3: nobody was chosen
            return redirect(request.snapshot.gateway.portal_url + _chooser(request, found))
        hints = {OTHER_ACCOUNT: "1"} if OTHER_ACCOUNT in parameters else {}
        linked = {} if found is None else dict(found.transaction.hints)
        return BeginSignIn(entity(request.snapshot, chosen).name, found, linked | hints)

    async def _pending(self, request: PortalRequest) -> Pending | None:
        """None: a sign-in to the portal itself."""
        parameters = request.parameters()
        return await pending(self._services.transactions, request, parameters["t"]) if "t" in parameters else None


def _configured(request: PortalRequest) -> ServiceProvider:
    sp = request.snapshot.gateway.service_provider
    if sp is None or not sp.discovery:
        raise GatewayError(route_codes.RESERVED, "gateway.yaml names no discovery service")
    return sp


def _chooser(request: PortalRequest, found: Pending | None) -> str:
    if found is not None:
        return f"{PREFIX}start?t={quote(found.id, safe='')}"
    another = OTHER_ACCOUNT in request.parameters()
    # To the choice of a service: otherwise a signed-in person would be sent to the session's provider.
    return portal_home(request) + (f"?{urlencode({OTHER_ACCOUNT: OTHER_ORGANISATION})}" if another else "")
