"""Which providers sign in the people of an organisation, by what their files say that they serve."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from gateway.identity.organisation_words import domains_above
from gateway.model.organisations import ListedOrganisation
from gateway.model.provider import Provider


def serving(organisation: ListedOrganisation, providers: Sequence[Provider]) -> Sequence[Provider]:
    """Those of `providers` that name it most closely: by its SIREN, else by a domain of its addresses, else by its
    département, else those for all others. Several where they name it alike."""
    above = {domain for one in organisation.domains for domain in domains_above(one)}
    # Each a loop of its own: a stranger's search asks for twenty organisations, of as many providers as there are.
    return (
        [one for one in providers if organisation.siren in one.serves.siren]
        or _of_domains(above, providers)
        or [one for one in providers if organisation.departement in one.serves.departements]
        or [one for one in providers if one.serves.others]
    )


def serving_domains(domains: Iterable[str], providers: Sequence[Provider]) -> Sequence[Provider]:
    """By the domain of an e-mail address, the closest one: of `a.b.example` before those of `b.example`."""
    wanted = list(domains)
    named = _of_domains(set(wanted), providers)
    for domain in wanted if named else ():
        if found := [one for one in named if domain in one.serves.domains]:
            return found
    return ()


def _of_domains(domains: AbstractSet[str], providers: Iterable[Provider]) -> list[Provider]:
    return [one for one in providers if not domains.isdisjoint(one.serves.domains)] if domains else []


def offered_to_all(providers: Iterable[Provider]) -> Sequence[Provider]:
    """Those that a person may choose whose organisation is not found: for all others, and those that name none."""
    return [one for one in providers if one.serves.others or one.serves.is_open]
