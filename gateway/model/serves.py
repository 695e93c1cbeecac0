"""Which organisations a provider's file says that it serves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServesOrganisations:
    """Which organisations' people a provider signs in. `others`: those that no other provider is named for.

    `is_open`: nothing is said of them at all, so that it may be anybody's."""

    siren: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    others: bool = False

    @property
    def is_open(self) -> bool:
        return not (self.siren or self.domains or self.departements or self.others)


SERVES_NOBODY_BY_NAME = ServesOrganisations()
