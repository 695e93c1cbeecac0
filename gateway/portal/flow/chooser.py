"""Which provider a person signs in with: from a list of few, or by their organisation where the policy has tables of
these. Only providers that serve what is asked for are offered: those of the application, or all for the portal itself.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from urllib.parse import quote, urlencode

from gateway.identity.organisation_words import LONGEST_QUERY, OrganisationQuery, query_of
from gateway.identity.served_by import ProvidersByOrganisation, in_order
from gateway.model.organisations import ListedOrganisation
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.transaction import OTHER_ACCOUNT
from gateway.portal.account_pages import require_own_page
from gateway.portal.flow.source import openid_providers, pending, saml_providers
from gateway.portal.flow.steps import Pending
from gateway.portal.http.choices import Choice, OrganisationChoices, OrganisationLine
from gateway.portal.http.provider_cookie import forget_provider, provider_remembered
from gateway.portal.http.request import ANOTHER, PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices

# On the portal itself. An application shows all of its own.
MOST_CHOICES = 50
_MOST_FOUND = 20
_SIRET_HINT = "siret_hint"


class Chooser:
    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._known: tuple[Mapping[str, Provider], ProvidersByOrganisation] | None = None

    async def page(self, request: PortalRequest, found: Pending | None, offered: Sequence[Provider]) -> Page:
        """Where a person chooses among several. `found` None: for the portal itself."""
        if request.snapshot.organisations:
            return await self._search(request, found, offered, "")
        links = _Links(request, found, self._services)
        return self._services.pages.chooser(request.reader, links.choices(offered))

    def way(self, request: PortalRequest, found: Pending, provider: Provider) -> Choice:
        """To a sign-in for `found` with this provider."""
        return _Links(request, found, self._services).choices([provider])[0]

    async def search(self, request: PortalRequest) -> Page:
        """`/_ecluse/organisation?q=&t=`. What is typed is a person's: it goes to no log, and nothing keeps it."""
        parameters, known = request.parameters(), request.snapshot.providers
        found = await pending(self._services.transactions, request, parameters["t"]) if "t" in parameters else None
        listed = known if found is None else found.app.listed
        offered = [known[name] for name in listed if name in known]
        typed = parameters.get("q", "")[:LONGEST_QUERY]
        if not request.snapshot.organisations:
            return await self.page(request, found, offered)
        return await self._search(request, found, offered, typed)

    async def forget(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/organisation/forget`: what was chosen in this browser is not shown first any more."""
        require_own_page(request)
        request.cookies_to_set.append(forget_provider())
        kept = {name: value for name, value in request.form().items() if name in ("t", OTHER_ACCOUNT)}
        # What was no UTF-8 stays none: it names no sign-in.
        query = urlencode(kept, errors="surrogateescape")
        back = f"{PREFIX}organisation" + (f"?{query}" if kept else "")
        return redirect(request.snapshot.gateway.portal_url + back)

    async def _search(
        self, request: PortalRequest, found: Pending | None, offered: Sequence[Provider], typed: str
    ) -> Page:
        last = provider_remembered(request.cookie_line)
        links, query = _Links(request, found, self._services), query_of(typed)
        organisations = await self._organisations(request, query)
        known, accepted = await self._by_organisation(request), in_order(offered)
        to_all = known.offered_to_all(accepted)
        lines = [links.line(one, known.serving(one, accepted), to_all) for one in (organisations or ())[:_MOST_FOUND]]
        away = organisations is None
        choices = OrganisationChoices(
            remembered=next(iter(links.choices(one for one in offered if one.name == last)), None),
            search=typed.strip(),
            kept=(OTHER_ACCOUNT, "1") if links.another else None if found is None else ("t", found.id),
            lines=tuple(lines),
            services=links.choices(known.serving_domains(query.domains, accepted)),
            more=organisations is not None and len(organisations) > _MOST_FOUND,
            away=away,
            others=links.choices(offered if away else to_all),
            credits=tuple(dict.fromkeys((one.credit, one.as_of) for one in request.snapshot.organisations)),
        )
        return self._services.pages.organisations(request.reader, choices)

    async def _by_organisation(self, request: PortalRequest) -> ProvidersByOrganisation:
        """Made once for each snapshot, beside the loop: three thousand providers take 10 ms."""
        providers, known = request.snapshot.providers, self._known
        if known is None or known[0] is not providers:
            known = providers, await asyncio.to_thread(ProvidersByOrganisation, providers.values())
            self._known = known
        return known[1]

    async def _organisations(
        self, request: PortalRequest, query: OrganisationQuery
    ) -> Sequence[ListedOrganisation] | None:
        """One more than is shown where there are more. None where nothing can be found now."""
        if query.is_empty:
            return ()
        return await self._services.organisations.find(query, _MOST_FOUND + 1, request.network)


class _Links:
    """To a sign-in for `found`; None: to the portal itself, where another account may be asked for."""

    def __init__(self, request: PortalRequest, found: Pending | None, services: PortalServices) -> None:
        self._services = services
        self._start = f"{PREFIX}login?" + ("" if found is None else f"t={quote(found.id, safe='')}&")
        self.another = found is None and bool(request.parameter(OTHER_ACCOUNT))
        self._most = MOST_CHOICES if found is None else None

    def choices(self, providers: Iterable[Provider]) -> tuple[Choice, ...]:
        """An application shows all that it lists: nobody whom it listens to is left without a way in."""
        return tuple(self._choice(provider, {}) for provider in islice(providers, self._most))

    def line(
        self, organisation: ListedOrganisation, serving: Sequence[Provider], to_all: Sequence[Provider]
    ) -> OrganisationLine:
        """Where none that serves it answers, those for everybody are its second way in."""
        ways = tuple(self._choice(one, _hints(one, organisation)) for one in serving)
        if ways and all(way.is_silent for way in ways):
            others = [self._choice(one, _hints(one, organisation)) for one in to_all if one not in serving]
            ways += tuple(way for way in others if not way.is_silent)
        return OrganisationLine(organisation.name, organisation.kind, organisation.place, ways)

    def _choice(self, provider: Provider, hints: dict[str, str]) -> Choice:
        link = self._start + urlencode({"provider": provider.name, **hints}) + (ANOTHER if self.another else "")
        return Choice(provider.label, provider.labels, link, self._is_silent(provider))

    def _is_silent(self, provider: Provider) -> bool:
        openid, saml = self._services.federation, self._services.saml_federation
        return any(openid.is_silent(one) for one in openid_providers([provider])) or any(
            saml.is_silent(one) for one in saml_providers([provider])
        )


def _hints(provider: Provider, organisation: ListedOrganisation) -> dict[str, str]:
    """The provider is told the organisation where its file passes that on."""
    takes = any(_SIRET_HINT in one.request.passed_on for one in openid_providers([provider]))
    return {_SIRET_HINT: organisation.siret} if takes and organisation.siret else {}
