"""Shows a page before a person is sent to a provider that is away: it names other ways in, and lets the person try
anyway. Every sign-in passes here."""

from typing import Final
from urllib.parse import quote, urlencode

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.transaction import OTHER_ACCOUNT
from gateway.portal.flow.chooser import Chooser
from gateway.portal.flow.steps import BeginSignIn
from gateway.portal.http.choices import AwayProvider
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.services import PortalServices

# The parameter of our login address by which a person goes to a provider that is away.
ALL_THE_SAME: Final = "all_the_same"


class AwayProviders:
    def __init__(self, services: PortalServices, chooser: Chooser) -> None:
        self._services = services
        self._chooser = chooser

    async def instead(self, request: PortalRequest, step: BeginSignIn) -> Page | None:
        """Returns the page, or None to send the person to the provider."""
        found, standings = step.pending, self._services.standings
        provider = request.snapshot.providers.get(step.provider)
        if provider is None or step.all_the_same or (found is not None and provider.name not in found.app.listed):
            return None
        await standings.learn([provider.name])
        if not standings.is_away(provider.name):
            return None
        request.provider = provider.name
        standings.wanted(provider.name)
        error = GatewayError(
            login_codes.PROVIDER_UNREACHABLE, "the person was not sent there: the provider does not answer our checks"
        )
        self._services.report.refused(request, error)
        known = request.snapshot.providers
        offered = list(known.values()) if found is None else [known[one] for one in found.app.listed if one in known]
        others = [one for one in offered if one is not provider]
        ways = await self._chooser.other_ways(request, found, others)
        called = self._chooser.way(request, found, provider)
        chooser = _chooser(step) if others else ""
        away = AwayProvider(called.label, called.labels, _all_the_same(step), ways, chooser)
        return self._services.pages.away(request.reader, away, reference=request.request_id)


def _all_the_same(step: BeginSignIn) -> str:
    """The link that tries the provider in any case."""
    found, asked = step.pending, dict(step.hints)
    if found is not None:
        # The transaction has the hints of the link into the application.
        linked = dict(found.transaction.hints)
        asked = {name: value for name, value in asked.items() if linked.get(name) != value} | {"t": found.id}
    asked |= {"provider": step.provider, ALL_THE_SAME: "1"}
    return f"{PREFIX}login?{urlencode(asked, errors='surrogateescape')}"


def _chooser(step: BeginSignIn) -> str:
    if step.pending is not None:
        return f"{PREFIX}organisation?t={quote(step.pending.id, safe='')}"
    return f"{PREFIX}organisation" + (f"?{OTHER_ACCOUNT}=1" if OTHER_ACCOUNT in step.hints else "")
