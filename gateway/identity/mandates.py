"""Mandates by the calendar: the reading of a row, the days of a mandate, and the clock of its organisation.

A day begins and ends at midnight at the organisation. A mandate of 29 March ends as 30 March begins, in Nouméa ten
hours earlier than in Paris.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.identity.perimeter import is_siren, is_siret
from gateway.identity.values import has_form, is_date, is_insee, normalized
from gateway.model.directory import DirectoryRow
from gateway.model.mandate import TermColumns, TermOfOffice

NEVER: Final = float("inf")
MOST_TERMS: Final = 100
"""Of one person."""
_LAST_DAY: Final = "9999-12-31"
_METROPOLE: Final = "Europe/Paris"
# Time zones of overseas communes by the beginning of the INSEE code (Code officiel géographique). The longest beginning
# counts.
_ZONES: Final = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
    # Îles Marquises (Fatu-Hiva, Hiva-Oa, Nuku-Hiva, Tahuata, Ua-Huka, Ua-Pou) and Gambier have their own hours.
    "98718": "Pacific/Marquesas",
    "98723": "Pacific/Marquesas",
    "98731": "Pacific/Marquesas",
    "98746": "Pacific/Marquesas",
    "98756": "Pacific/Marquesas",
    "98757": "Pacific/Marquesas",
    "98719": "Pacific/Gambier",
}
_NUMBERS: Final = {"siren": is_siren, "siret": is_siret, "insee": is_insee}


# --- the calendar


def zone_of_commune(insee: str) -> str:
    return _ZONES.get(insee) or _ZONES.get(insee[:3]) or _METROPOLE


def held(terms: Iterable[TermOfOffice], now: float) -> tuple[TermOfOffice, ...]:
    """The mandates held at `now` (Unix seconds)."""
    return tuple([term for term in terms if _is_held(term, now)])


def changes_at(terms: Iterable[TermOfOffice], now: float) -> float:
    """The time at which the next mandate begins or ends, in Unix seconds; NEVER without such a mandate."""
    borders = (border for term in terms for border in span_of(term) if border > now)
    return min(borders, default=NEVER)


def _is_held(term: TermOfOffice, now: float) -> bool:
    begins, ends = span_of(term)
    return begins <= now < ends


@lru_cache(4096)
def span_of(term: TermOfOffice) -> tuple[float, float]:
    """The first moment of the first day, and the first moment after the last day, in Unix seconds."""
    zone = ZoneInfo(term.zone)
    begins = _midnight(date.fromisoformat(term.start), zone)
    # Many tables write the last day of the calendar for a mandate without an end.
    if term.end in ("", _LAST_DAY):
        return begins, NEVER
    return begins, _midnight(date.fromisoformat(term.end) + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> float:
    """The moment of midnight. Where clocks skip midnight: the moment of the skip. Where clocks repeat midnight: the
    first.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def in_words(term: TermOfOffice, now: float) -> str:
    """`maire of 215903501, ended on 2026-03-29 (Europe/Paris)`. `now`: Unix seconds."""
    begins, ends = span_of(term)
    if now < begins:
        when = f"from {term.start} on"
    elif now >= ends:
        when = f"ended on {term.end}"
    else:
        when = f"until {term.end}" if term.end else "without an end"
    return f"{term.office} of {term.organisation}, {when} ({term.zone})"


# --- rows


class WrongTerm(Exception):
    """A fault in a mandate. The text names columns, never a value."""


def term_of(told: TermColumns, row: DirectoryRow) -> TermOfOffice | None:
    """The mandate of a row; None if the row has no mandate. Raises WrongTerm."""
    if not any(row.get(column) for column in told.columns):
        return None
    office, number, start, end = (_cell(row, name) for name in (told.office, told.organisation, told.start, told.end))
    if not office or not has_form(office):
        raise WrongTerm(f"column {told.office}: no office")
    if not _NUMBERS[told.number](number):
        raise WrongTerm(f"column {told.organisation}: a value that is no {told.number}")
    if not is_date(start):
        raise WrongTerm(f"column {told.start}: a value that is no date")
    if not is_date(end) and (end or not told.open_end):
        raise WrongTerm(f"column {told.end}: {'a value that is no date' if end else 'no end, and none is meant'}")
    if end and end < start:
        raise WrongTerm(f"column {told.end}: it ends before it begins")
    return TermOfOffice(office, number, start, end, _zone(told, row, number))


def _zone(told: TermColumns, row: DirectoryRow, number: str) -> str:
    zone = _cell(row, told.zone_column) if told.zone_column else told.zone
    if not told.zone_column and not zone:
        return zone_of_commune(number)
    if not is_zone(zone):
        raise WrongTerm(f"column {told.zone_column}: a value that is no time zone")
    return zone


def is_zone(name: str) -> bool:
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _cell(row: DirectoryRow, column: str) -> str:
    """Raises WrongTerm."""
    cells = row.get(column, ())
    if len(cells) > 1:
        raise WrongTerm(f"column {column}: {len(cells)} values in one row")
    return normalized(cells[0]) if cells else ""
