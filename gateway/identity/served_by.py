"""The providers that sign in the people of an organisation, by the `serves` of the provider files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeVar

from gateway.identity.organisation_words import domains_above
from gateway.model.organisations import ListedOrganisation
from gateway.model.provider import Provider

_Key = TypeVar("_Key", str, IPv4Network | IPv6Network)


class ProvidersByOrganisation:
    """Finds the providers of an organisation. Built once from the known providers: the cost of a question does not grow
    with the number of providers.

    `accepted`, in each question: the names of the providers to offer, in order.
    """

    def __init__(self, providers: Iterable[Provider]) -> None:
        known = tuple(providers)
        self._by_siren = _named(known, lambda one: one.serves.siren)
        self._by_domain = _named(known, lambda one: one.serves.domains)
        self._by_departement = _named(known, lambda one: one.serves.departements)
        self._by_host = _named(known, lambda one: one.serves.hosts)
        self._by_network = _named(known, lambda one: one.serves.networks)
        # The prefix lengths of the networks: an address needs a look-up for each length, for any number of networks.
        self._lengths = sorted({(one.version, one.prefixlen) for one in self._by_network}, reverse=True)
        self._others = [one for one in known if one.serves.others]
        self._to_all = [one for one in known if one.serves.others or one.serves.is_open]

    def serving(self, organisation: ListedOrganisation, accepted: Mapping[str, int]) -> Sequence[Provider]:
        """The providers that name the organisation most closely: by SIREN, else by a domain, else by département, else
        the providers for all others. Several providers may name the organisation equally.
        """
        above = dict.fromkeys(domain for one in organisation.domains for domain in domains_above(one))
        of_domains = {one.name: one for domain in above for one in self._by_domain.get(domain, ())}
        return (
            _of_those(self._by_siren.get(organisation.siren, ()), accepted)
            or _of_those(of_domains.values(), accepted)
            or _of_those(self._by_departement.get(organisation.departement, ()), accepted)
            or _of_those(self._others, accepted)
        )

    def serving_domains(self, domains: Iterable[str], accepted: Mapping[str, int]) -> Sequence[Provider]:
        """The providers of an e-mail address by the closest domain: `a.b.example` precedes `b.example`."""
        for domain in domains:
            if found := _of_those(self._by_domain.get(domain, ()), accepted):
                return found
        return ()

    def of_host(self, host: str, accepted: Mapping[str, int]) -> Sequence[Provider]:
        """The providers whose people use the application at `host`."""
        return _of_those(self._by_host.get(host, ()), accepted)

    def of_network(self, address: IPv4Address | IPv6Address, accepted: Mapping[str, int]) -> Sequence[Provider]:
        """The providers whose people come from the client's address, by the closest network."""
        for version, length in self._lengths:
            if version == address.version:
                network = ip_network((int(address).to_bytes(address.max_prefixlen // 8), length), strict=False)
                if found := _of_those(self._by_network.get(network, ()), accepted):
                    return found
        return ()

    def offered_to_all(self, accepted: Mapping[str, int]) -> Sequence[Provider]:
        """The providers offered to a person whose organisation is not found: providers for all others, and providers
        that name no organisation.
        """
        return _of_those(self._to_all, accepted)


def in_order(providers: Iterable[Provider]) -> Mapping[str, int]:
    """The names of accepted providers, with their order."""
    return {one.name: place for place, one in enumerate(providers)}


def _named(
    providers: Sequence[Provider], names: Callable[[Provider], Iterable[_Key]]
) -> Mapping[_Key, Sequence[Provider]]:
    found: dict[_Key, list[Provider]] = {}
    for one in providers:
        for name in names(one):
            found.setdefault(name, []).append(one)
    return found


def _of_those(providers: Iterable[Provider], accepted: Mapping[str, int]) -> Sequence[Provider]:
    return sorted((one for one in providers if one.name in accepted), key=lambda one: accepted[one.name])
