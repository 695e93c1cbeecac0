"""Conditions on the person other than groups and claims: the person, their provider, organisation and mandate."""

from dataclasses import dataclass, field
from typing import ClassVar

from gateway.model.codes import POLICY_CONDITION
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.facts import Facts
from gateway.policy.truth import UNKNOWN, Truth, truth_of
from gateway.policy.values import check_members, check_text

MANDATES = "mandates"


@dataclass(frozen=True, slots=True)
class User:
    """`PROVIDER/SUBJECT`: the same subject at two providers is two people."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    names: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.names)
        for name in self.names:
            provider, _, subject = name.partition("/")
            if not provider or not subject:
                raise GatewayError(POLICY_CONDITION, f"`{name}`: a user is PROVIDER/SUBJECT, as the log names people")

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None:
            return UNKNOWN
        return truth_of(f"{identity.provider}/{identity.subject}" in self.names)


@dataclass(frozen=True, slots=True)
class SignedInBy:
    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    providers: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.providers)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return UNKNOWN if identity is None else truth_of(identity.provider in self.providers)


@dataclass(frozen=True, slots=True)
class Mandate:
    """One of the values of the attribute `mandates`."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    names: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.names)
        for name in self.names:
            check_text(name)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None or MANDATES in identity.left_out or MANDATES not in identity.attributes:
            return UNKNOWN
        return truth_of(not self.names.isdisjoint(identity.attributes[MANDATES]))


@dataclass(frozen=True, slots=True)
class Organisations:
    """`sirens`: whole legal units, each with all its establishments. `name`: of the list, empty for an inline one."""

    name: str
    sirets: frozenset[str] = field(repr=False)
    sirens: frozenset[str] = field(repr=False)

    def holds(self, siret: str) -> bool:
        return siret in self.sirets or siret[:9] in self.sirens


@dataclass(frozen=True, slots=True)
class Tenant:
    """The person acts for one of these organisations. `said`: the text of the policy file."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    said: str
    organisations: tuple[Organisations, ...] = field(repr=False)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        tenant = facts.tenant
        if identity is None or tenant is None or len(tenant) != 14 or not (tenant.isascii() and tenant.isdigit()):
            return UNKNOWN
        return truth_of(any(one.holds(tenant) for one in self.organisations))
