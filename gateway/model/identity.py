"""What a provider said of a person, whatever the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.directory import DirectoryFinding
from gateway.model.mandate import TermOfOffice


@dataclass(frozen=True, slots=True)
class Identity:
    """What one provider asserted, after mapping. Keyed by (issuer, subject).

    `attributes`: name to its values, each at least one string. `left_out`: attributes that the provider says
    it did not send (a condition on them is unknown, never false). `authenticated_at`: Unix seconds. `findings`: what
    directories said of the person, kept apart from the provider's word: `identity.directories.known_with` joins them.
    `terms`: the mandates that they hold now, of those that are joined; None where no directory tells of mandates.
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
    """An identity that its provider may assert, and the organisation in whose name the person acts, if any.

    Sessions and seats are made of this alone. In the gateway only `identity.establish` makes one, after the perimeter.
    """

    identity: Identity
    tenant: str | None
