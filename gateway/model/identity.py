"""The attributes that a provider asserted about a person, for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.directory import DirectoryFinding
from gateway.model.mandate import TermOfOffice


@dataclass(frozen=True, slots=True)
class Identity:
    """A provider's assertion about a person, after mapping. Keyed by (issuer, subject).

    `attributes`: lists of values by name, at least one value each.
    `left_out`: attributes that the provider declares as not sent. A condition on these attributes is unknown, never
    false.
    `authenticated_at`: Unix seconds.
    `findings`: the findings of directories about the person, apart from the provider's attributes.
    `identity.directories.known_with` joins them.
    `terms`: the present mandates of the person, after the join; None: no directory has mandates.
    """

    provider: str
    issuer: str
    subject: str
    attributes: Mapping[str, tuple[str, ...]]
    left_out: frozenset[str] = frozenset()
    acr: str | None = None
    amr: tuple[str, ...] = ()
    authenticated_at: int = 0
    findings: tuple[DirectoryFinding, ...] = ()
    terms: tuple[TermOfOffice, ...] | None = None


@dataclass(frozen=True, slots=True)
class Established:
    """An identity within its provider's perimeter, and the organisation for which the person acts, if any.

    Sessions and seats are made only from this type. Only `identity.establish` makes a value, after the perimeter check.
    """

    identity: Identity
    tenant: str | None
