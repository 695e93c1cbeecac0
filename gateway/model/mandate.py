"""Mandates: the offices of a person in organisations, from a first to a last day."""

from dataclasses import dataclass
from typing import Literal

MANDATES = "mandates"
"""The attribute with the person's present offices."""
MANDATE_ORGANISATIONS = "mandate_organisations"
"""The attribute with the codes of the organisations of the mandates."""
MANDATES_IN_FULL = "mandates_in_full"
"""The attribute with office and organisation: `maire:215903501`."""


@dataclass(frozen=True, slots=True)
class TermOfOffice:
    """A mandate.

    `organisation`: a SIREN, a SIRET, or the INSEE code of a commune.
    `start`: the first day, as 2026-03-29.
    `end`: the last day; empty: no end.
    `zone`: the time zone of the days.
    """

    office: str
    organisation: str
    start: str
    end: str
    zone: str


@dataclass(frozen=True, slots=True)
class TermColumns:
    """The columns of a mandate.

    `number`: the kind of number in `organisation`.
    `zone_column`: the column of the time zone; may be empty.
    `zone`: the time zone of every row; may be empty. With neither, the commune determines the time zone.
    `open_end`: accepts a row without an end."""

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
