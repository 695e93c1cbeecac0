"""Times of access: days, hours and dates, by the clock of one time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import ClassVar

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth, truth_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a day, such as `08:00` and `19:00`: from the first (included) to the second (excluded)."""

    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates such as `2026-09-01` and `2026-12-31`: from the first to the second, both included."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Time:
    """An empty field allows every value."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    days: frozenset[str]
    hours: tuple[Hours, ...]
    dates: tuple[Dates, ...]
    zone: tzinfo

    def __post_init__(self) -> None:
        if not (self.days or self.hours or self.dates):
            raise GatewayError(policy_codes.CONDITION, "a time needs days, hours or dates")

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None or not facts.afford(steps_of_time(len(self.hours) + len(self.dates))):
            return Truth.UNKNOWN
        there = datetime.fromtimestamp(facts.asked.now, self.zone)
        day, clock, today = DAYS[there.weekday()], there.strftime("%H:%M"), there.date().isoformat()
        return truth_of(
            (not self.days or day in self.days)
            and (not self.hours or any(hours.begin <= clock < hours.end for hours in self.hours))
            and (not self.dates or any(dates.first <= today <= dates.last for dates in self.dates))
        )


def steps_of_time(spans: int) -> int:
    """Steps (policy.budget) of a time. `spans`: the number of hours and dates."""
    return 800 + 20 * spans


def parse_days(text: str) -> frozenset[str]:
    """`mon`, or `mon-fri`, which may go past the end of the week. Raises GatewayError."""
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise GatewayError(policy_codes.CONDITION, f"`{text}` is no day: write {', '.join(DAYS)}, or mon-fri")
    begin = DAYS.index(first)
    length = (DAYS.index(last or first) - begin) % 7 + 1
    return frozenset(DAYS[(begin + offset) % 7] for offset in range(length))


def parse_hours(text: str) -> Hours:
    """`08:00-19:00`, up to `24:00`. Raises GatewayError."""
    begin, _, end = text.partition("-")
    if _HOURS.fullmatch(text) is None:
        raise GatewayError(policy_codes.CONDITION, f"`{text}`: hours are written 08:00-19:00, in four digits each")
    if begin >= end:
        raise GatewayError(
            policy_codes.CONDITION, f"`{text}` ends before it begins: write {begin}-24:00 and 00:00-{end}"
        )
    return Hours(begin, end)


def parse_dates(text: str) -> Dates:
    """`2026-12-24`, or `2026-12-24..2027-01-02`. Raises GatewayError."""
    first, dots, last = text.partition("..")
    for one in (first, last) if dots else (first,):
        try:
            if date.fromisoformat(one).isoformat() != one:
                raise ValueError(one)
        except ValueError:
            raise GatewayError(
                policy_codes.CONDITION, f"`{text}`: a date is written 2026-12-24, or 2026-12-24..2027-01-02"
            ) from None
    if dots and last < first:
        raise GatewayError(policy_codes.CONDITION, f"`{text}` ends before it begins")
    return Dates(first, last if dots else first)
