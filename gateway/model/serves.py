"""Which organisations a provider's file says that it serves."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class ServesOrganisations:
    """Which organisations' people a provider signs in. `others`: those that no other provider is named for.

    `networks`: from which its people come; it is offered first there. `hosts`: of applications, whose people are all
    its own, so that nobody is asked. `is_open`: no organisation is named at all, so that it may be anybody's."""

    siren: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    others: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return not (self.siren or self.domains or self.departements or self.others)


SERVES_NOBODY_BY_NAME = ServesOrganisations()
