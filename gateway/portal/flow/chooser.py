"""The choice of a provider: from a short list, or by organisation if the policy has tables of organisations. Only
suitable providers are offered: the application's, or all for the portal itself."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from urllib.parse import quote, urlencode

from gateway.federation.saml import SelfPresentation
from gateway.identity.organisation_words import LONGEST_QUERY, OrganisationQuery, query_of
from gateway.identity.served_by import ProvidersByOrganisation, in_order
from gateway.model.organisations import ListedOrganisation
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.transaction import OTHER_ACCOUNT
from gateway.portal.account_pages import require_own_page
from gateway.portal.flow.source import openid_providers, pending, saml_providers
from gateway.portal.flow.steps import Pending
from gateway.portal.http.choices import Choice, OrganisationChoices, OrganisationLine, ProviderChoices
from gateway.portal.http.provider_cookie import forget_provider, provider_remembered
from gateway.portal.http.request import ANOTHER, PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.saml.logos import logo_link
from gateway.portal.services import PortalServices
from gateway.wire.addresses import parse_address
from gateway.wire.cookies import LANGUAGES

# On the portal itself. The page of an application shows every provider of the application.
MOST_CHOICES = 50
_MOST_FOUND = 20
# The most providers in place of a provider that is away.
_FEW = 10
_SIRET_HINT = "siret_hint"
_NOTHING = SelfPresentation({})


class Chooser:
    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._known: tuple[Mapping[str, Provider], ProvidersByOrganisation] | None = None

    async def page(
        self,
        request: PortalRequest,
        found: Pending | None,
        offered: Sequence[Provider],
        not_taken: Provider | None = None,
    ) -> Page:
        """Returns the page of the choice. `found` None: for the portal itself. `not_taken`: the provider of the
        person's session, which the application does not accept."""
        if request.snapshot.organisations:
            return await self._search(request, found, offered, "", not_taken)
        last, near = self._remembered(request, offered), await self._near(request, offered)
        near = [one for one in near if one not in last]
        others = [one for one in offered if one not in (*last, *near)]
        shown = [*last, *near, *others]
        links = _Links(request, found, self._services, await self._presented(shown))
        choices = ProviderChoices(
            remembered=next(iter(links.choices(last)), None),
            kept=links.kept,
            near=links.choices(near),
            others=links.choices(others),
            discovery=links.discovery(offered),
            not_taken=links.of_session(not_taken),
        )
        return self._services.pages.chooser(request.reader, choices)

    async def home_realm(self, request: PortalRequest, found: Pending, offered: Sequence[Provider]) -> str:
        """Returns the only provider of the host's application. Empty: the person has to choose, among several, for
        another account, or because the provider did not answer of late."""
        if OTHER_ACCOUNT in dict(found.transaction.hints):
            return ""
        of_host = (await self._by_organisation(request)).of_host(found.transaction.host, in_order(offered))
        await self._services.standings.learn(one.name for one in of_host)
        return of_host[0].name if len(of_host) == 1 and not is_silent(self._services, of_host[0]) else ""

    def way(self, request: PortalRequest, found: Pending | None, provider: Provider) -> Choice:
        """The link to a sign-in for `found` with this provider."""
        return _Links(request, found, self._services, {}).choices([provider])[0]

    async def other_ways(
        self, request: PortalRequest, found: Pending | None, others: Sequence[Provider]
    ) -> tuple[Choice, ...]:
        """The providers offered instead of a provider that is away: `others` if they are few, else the providers open
        to everybody. `found`: as in `page`."""
        few = others
        if len(others) > _FEW or request.snapshot.organisations:
            few = (await self._by_organisation(request)).offered_to_all(in_order(others))
        links = _Links(request, found, self._services, await self._presented(few))
        return tuple(way for way in links.choices(few[:_FEW]) if not way.is_silent)

    async def search(self, request: PortalRequest) -> Page:
        """Answers `/_ecluse/organisation?q=&t=`. The typed text is personal: it is neither logged nor kept."""
        parameters, known = request.parameters(), request.snapshot.providers
        found = await pending(self._services.transactions, request, parameters["t"]) if "t" in parameters else None
        listed = known if found is None else found.app.listed
        offered = [known[name] for name in listed if name in known]
        typed = parameters.get("q", "")[:LONGEST_QUERY]
        if not request.snapshot.organisations:
            return await self.page(request, found, offered)
        return await self._search(request, found, offered, typed)

    async def forget(self, request: PortalRequest) -> Page:
        """Answers `POST /_ecluse/organisation/forget`: the browser's earlier choice is no longer shown first."""
        require_own_page(request)
        request.cookies_to_set.append(forget_provider())
        kept = {name: value for name, value in request.form().items() if name in ("t", OTHER_ACCOUNT)}
        # Invalid UTF-8 stays invalid, and names no sign-in.
        query = urlencode(kept, errors="surrogateescape")
        back = f"{PREFIX}organisation" + (f"?{query}" if kept else "")
        return redirect(request.snapshot.gateway.portal_url + back)

    async def _search(
        self,
        request: PortalRequest,
        found: Pending | None,
        offered: Sequence[Provider],
        typed: str,
        not_taken: Provider | None = None,
    ) -> Page:
        query = query_of(typed)
        organisations = await self._organisations(request, query)
        known, accepted = await self._by_organisation(request), in_order(offered)
        to_all, near = known.offered_to_all(accepted), await self._near(request, offered)
        remembered = self._remembered(request, offered)
        shown = [(one, known.serving(one, accepted)) for one in (organisations or ())[:_MOST_FOUND]]
        of_domains = known.serving_domains(query.domains, accepted)
        serving = (provider for _, providers in shown for provider in providers)
        presented = await self._presented([*remembered, *near, *of_domains, *serving, *to_all])
        links = _Links(request, found, self._services, presented)
        lines = [links.line(one, providers, to_all) for one, providers in shown]
        away = organisations is None
        choices = OrganisationChoices(
            remembered=next(iter(links.choices(remembered)), None),
            search=typed.strip(),
            kept=links.kept,
            lines=tuple(lines),
            services=links.choices(of_domains),
            more=organisations is not None and len(organisations) > _MOST_FOUND,
            away=away,
            others=links.choices(offered if away else to_all),
            near=links.choices(near),
            discovery=links.discovery(offered),
            not_taken=links.of_session(not_taken),
            credits=tuple(dict.fromkeys((one.credit, one.as_of) for one in request.snapshot.organisations)),
        )
        return self._services.pages.organisations(request.reader, choices)

    def _remembered(self, request: PortalRequest, offered: Sequence[Provider]) -> Sequence[Provider]:
        """Returns the provider last chosen in this browser, if it is offered."""
        last = provider_remembered(request.cookie_line)
        return [one for one in offered if one.name == last]

    async def _near(self, request: PortalRequest, offered: Sequence[Provider]) -> Sequence[Provider]:
        """Returns the providers that serve the client's network."""
        address = parse_address(request.client)
        if address is None:
            return ()
        return (await self._by_organisation(request)).of_network(address, in_order(offered))

    async def _presented(self, shown: Sequence[Provider]) -> Mapping[str, SelfPresentation]:
        """Returns the names and logos in the metadata of the shown providers. First asks which providers are away by
        the reports of other nodes."""
        await self._services.standings.learn(one.name for one in shown)
        known = {one.name: one for one in saml_providers(shown)}
        return await self._services.saml_federation.presented(list(known.values())[:MOST_CHOICES]) if known else {}

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
        """Finds organisations: one more than a page shows, if there are more. None if the search does not work now."""
        if query.is_empty:
            return ()
        return await self._services.organisations.find(query, _MOST_FOUND + 1, request.network)


class _Links:
    """The links of the page for a sign-in.

    `found`: the transaction; None: a sign-in to the portal itself, where the person may ask for another account.
    `presented`: how the metadata of some providers present them.
    """

    def __init__(
        self,
        request: PortalRequest,
        found: Pending | None,
        services: PortalServices,
        presented: Mapping[str, SelfPresentation],
    ) -> None:
        self._services = services
        self._presented = presented
        self._transaction = "" if found is None else f"t={quote(found.id, safe='')}&"
        self._own = request.snapshot.gateway.service_provider
        self.another = found is None and bool(request.parameter(OTHER_ACCOUNT))
        # The parameter that goes with a form of the page.
        self.kept = (OTHER_ACCOUNT, "1") if self.another else None if found is None else ("t", found.id)
        self._most = MOST_CHOICES if found is None else None

    def choices(self, providers: Iterable[Provider]) -> tuple[Choice, ...]:
        """Returns the choices of the page. An application's page shows all its providers, so that its people always
        have a way in."""
        return tuple(self._choice(provider, {}) for provider in islice(providers, self._most))

    def of_session(self, provider: Provider | None) -> Choice | None:
        return None if provider is None else self._choice(provider, {})

    def discovery(self, offered: Iterable[Provider]) -> str:
        """The link to the federation's own search; empty without a configured search, or if none of its providers is
        offered."""
        if self._own is None or not self._own.discovery or not any(True for _ in saml_providers(offered)):
            return ""
        query = self._transaction + (ANOTHER.removeprefix("&") if self.another else "")
        return f"{PREFIX}saml/discover?{query.removesuffix('&')}".removesuffix("?")

    def line(
        self, organisation: ListedOrganisation, serving: Sequence[Provider], to_all: Sequence[Provider]
    ) -> OrganisationLine:
        """The organisation with its providers. If every provider is away, the providers open to everybody follow."""
        ways = tuple(self._choice(one, _hints(one, organisation)) for one in serving)
        if ways and all(way.is_silent for way in ways):
            others = [self._choice(one, _hints(one, organisation)) for one in to_all if one not in serving]
            ways += tuple(way for way in others if not way.is_silent)
        return OrganisationLine(organisation.name, organisation.kind, organisation.place, ways)

    def _choice(self, provider: Provider, hints: dict[str, str]) -> Choice:
        link = (
            f"{PREFIX}login?{self._transaction}"
            + urlencode({"provider": provider.name, **hints})
            + (ANOTHER if self.another else "")
        )
        silent, its_own = is_silent(self._services, provider), self._presented.get(provider.name, _NOTHING)
        names, logo = its_own.names, logo_link(its_own.logo)
        # A name in the operator's file has precedence.
        if not names or provider.labels or provider.label != provider.name:
            return Choice(provider.label, provider.labels, link, silent, logo)
        usual = next((names[one] for one in LANGUAGES if one in names), next(iter(names.values())))
        return Choice(usual, names, link, silent, logo)


def is_silent(services: PortalServices, provider: Provider) -> bool:
    """Whether the provider did not answer lately, by our checks or by this worker's calls."""
    if services.standings.is_away(provider.name):
        services.standings.wanted(provider.name)
        return True
    openid, saml = services.federation, services.saml_federation
    return any(openid.is_silent(one) for one in openid_providers([provider])) or any(
        saml.is_silent(one) for one in saml_providers([provider])
    )


def _hints(provider: Provider, organisation: ListedOrganisation) -> dict[str, str]:
    """Passes the organisation on to the provider, if the provider's file allows it."""
    takes = any(_SIRET_HINT in one.request.passed_on for one in openid_providers([provider]))
    return {_SIRET_HINT: organisation.siret} if takes and organisation.siret else {}
