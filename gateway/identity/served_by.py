"""Which providers sign in the people of an organisation, by what their files say that they serve."""

from collections.abc import Iterable, Sequence

from gateway.identity.organisation_words import domains_above
from gateway.model.organisations import ListedOrganisation
from gateway.model.provider import Provider


def serving(organisation: ListedOrganisation, providers: Iterable[Provider]) -> Sequence[Provider]:
    """Those of `providers` that name it most closely: by its SIREN, else by a domain of its addresses, else by its
    département, else those for all others. Several where they name it alike."""
    best, found = len(_WAYS), list[Provider]()
    for provider in providers:
        rank = next((at for at, names in enumerate(_WAYS) if names(provider, organisation)), len(_WAYS))
        if rank < best:
            best, found = rank, []
        if rank == best < len(_WAYS):
            found.append(provider)
    return found


def serving_domains(domains: Iterable[str], providers: Sequence[Provider]) -> Sequence[Provider]:
    """By the domain of an e-mail address, the closest one: of `a.b.example` before those of `b.example`."""
    for domain in domains:
        if found := [one for one in providers if domain in one.serves.domains]:
            return found
    return ()


def offered_to_all(providers: Iterable[Provider]) -> Sequence[Provider]:
    """Those that a person may choose whose organisation is not found: for all others, and those that name none."""
    return [one for one in providers if one.serves.others or one.serves.is_open]


def _by_siren(provider: Provider, organisation: ListedOrganisation) -> bool:
    return organisation.siren in provider.serves.siren


def _by_domain(provider: Provider, organisation: ListedOrganisation) -> bool:
    listed = provider.serves.domains
    return bool(listed) and any(above in listed for one in organisation.domains for above in domains_above(one))


def _by_departement(provider: Provider, organisation: ListedOrganisation) -> bool:
    return organisation.departement in provider.serves.departements


def _for_others(provider: Provider, organisation: ListedOrganisation) -> bool:
    return provider.serves.others


_WAYS = (_by_siren, _by_domain, _by_departement, _for_others)
