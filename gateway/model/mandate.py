"""Mandates: the offices of a person in organisations, from a first to a last day."""

from dataclasses import dataclass
from typing import Literal

MANDATES = "mandates"
"""The attribute that has the offices held now, and nothing else of a mandate."""
MANDATE_ORGANISATIONS = "mandate_organisations"
"""The attribute that has the codes of the organisations in which one is held."""
MANDATES_IN_FULL = "mandates_in_full"
"""The attribute that has both, as `maire:215903501`."""


@dataclass(frozen=True, slots=True)
class TermOfOffice:
    """One mandate.

    `organisation`: a SIREN, a SIRET, or the INSEE code of a commune.
    `start`, `end`: days such as 2026-03-29, both included; an empty `end`: no end.
    `zone`: the time zone of these days.
    """

    office: str
    organisation: str
    start: str
    end: str
    zone: str


@dataclass(frozen=True, slots=True)
class TermColumns:
    """Where a row has what is to be known of a mandate. `number`: what `organisation` holds. `zone_column`: empty where
    the file has `zone` for all; where both are empty, the place of the commune says the zone. `open_end`: an empty
    end is no mistake."""

    office: str
    organisation: str
    number: Literal["siren", "siret", "insee"]
    start: str
    end: str
    zone_column: str = ""
    zone: str = ""
    open_end: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        named = (self.office, self.organisation, self.start, self.end, self.zone_column)
        return tuple(name for name in named if name)
