"""The attributes that a provider asserted about a person, for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.directory import DirectoryFinding
from gateway.model.mandate import TermOfOffice


@dataclass(frozen=True, slots=True)
class Identity:
    """The assertion of one provider, after mapping. Keyed by (issuer, subject).

    `attributes`: name to values, each at least one string.
    `left_out`: attributes that the provider declares as not sent: a condition on such an attribute is unknown, never
    false.
    `authenticated_at`: Unix seconds.
    `findings`: of directories about the person, kept apart from the provider's attributes;
    `identity.directories.known_with` joins both.
    `terms`: the mandates that the person holds now, after the join; None: no directory has mandates.
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
    """An identity within its provider's bounds, and the organisation for which the person acts, if any.

    Sessions and seats are made only from this type. In the gateway only `identity.establish` makes one, after the
    perimeter.
    """

    identity: Identity
    tenant: str | None
