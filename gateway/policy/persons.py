"""Conditions on the person other than groups and claims: the person, their provider, organisation and mandate."""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATES, TermOfOffice
from gateway.policy.facts import Facts
from gateway.policy.truth import FALSE, UNKNOWN, Truth, any_of, truth_of
from gateway.policy.values import check_members, check_text

OF_TENANT = "of tenant"
_SIREN = 9


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
                raise GatewayError(
                    policy_codes.CONDITION, f"`{name}`: a user is PROVIDER/SUBJECT, as the log names people"
                )

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
class Organisations:
    """`name`: the list's name; empty: inline.
    `sirens`: whole legal units, with their establishments.
    """

    name: str
    sirets: frozenset[str] = field(repr=False)
    sirens: frozenset[str] = field(repr=False)

    def holds(self, siret: str) -> bool:
        return siret in self.sirets or siret[:9] in self.sirens


class Communes(Protocol):
    """Communes by their codes, from the lists of organisations."""

    def commune(self, insee: str) -> Organisations | None:
        """None: no list gives an organisation for the code."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """The person holds one of the offices in `names` now.

    `of` None: at any organisation. `of` OF_TENANT: at the organisation for which the person acts. A provider's mandate
    names no organisation: under OF_TENANT it is unknown.
    """

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    names: frozenset[str]
    of: str | None = None
    communes: Communes | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_members(self.names)
        for name in self.names:
            check_text(name)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None or MANDATES in identity.left_out:
            return UNKNOWN
        terms = identity.terms
        if self.of is not None:
            if terms is None or not facts.afford(400 * len(terms)):
                return UNKNOWN
            return any_of(self._of_tenant(term, facts.tenant) for term in terms if term.office in self.names)
        held = identity.attributes.get(MANDATES)
        if held is None:
            # A directory that tells of mandates, and of none of this person, is sure.
            return UNKNOWN if terms is None else FALSE
        if not facts.afford(5 * len(held)):
            return UNKNOWN
        return truth_of(not self.names.isdisjoint(held))

    def _of_tenant(self, term: TermOfOffice, tenant: str | None) -> Truth:
        if tenant is None or not _is_siret(tenant):
            return UNKNOWN
        if len(term.organisation) >= _SIREN:
            # Of a SIRET, too, the whole legal unit.
            return truth_of(tenant[:_SIREN] == term.organisation[:_SIREN])
        commune = None if self.communes is None else self.communes.commune(term.organisation)
        return UNKNOWN if commune is None else truth_of(commune.holds(tenant))


@dataclass(frozen=True, slots=True)
class Tenant:
    """The person acts for one of these organisations. `said`: the text of the policy file."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    said: str
    organisations: tuple[Organisations, ...] = field(repr=False)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        tenant = facts.tenant
        if identity is None or tenant is None or not _is_siret(tenant):
            return UNKNOWN
        if not facts.afford(30 * len(self.organisations)):
            return UNKNOWN
        return truth_of(any(one.holds(tenant) for one in self.organisations))


def _is_siret(text: str) -> bool:
    return len(text) == 14 and text.isascii() and text.isdigit()
