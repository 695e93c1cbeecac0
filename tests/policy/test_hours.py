from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.model.errors import GatewayError
from gateway.policy.conditions import evaluate
from gateway.policy.facts import Facts
from gateway.policy.hours import Time, parse_dates, parse_days, parse_hours
from gateway.policy.truth import Truth
from tests.policy.test_request_conditions import asked

PARIS, REUNION = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion")
TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def when(days: str = "", hours: tuple[str, ...] = (), dates: tuple[str, ...] = (), zone: ZoneInfo = PARIS) -> Time:
    return Time(
        parse_days(days) if days else frozenset(), tuple(map(parse_hours, hours)), tuple(map(parse_dates, dates)), zone
    )


OFFICE = when("mon-fri", ("08:00-12:00", "14:00-19:00"))


@pytest.mark.parametrize(
    ("time", "at", "expected"),
    [
        (OFFICE, "2026-11-24T07:00", TRUE),  # a Tuesday; Paris is one hour ahead in winter
        (OFFICE, "2026-11-24T06:59", FALSE),
        (OFFICE, "2026-11-24T10:59", TRUE),
        (OFFICE, "2026-11-24T11:00", FALSE),
        (OFFICE, "2026-11-24T17:59", TRUE),
        (OFFICE, "2026-11-24T18:00", FALSE),
        (OFFICE, "2026-11-28T09:00", FALSE),
        (OFFICE, "2026-07-21T06:00", TRUE),  # two hours in summer
        (when("sat-mon"), "2026-11-22T12:00", TRUE),
        (when("sat-mon"), "2026-11-24T12:00", FALSE),
        (when("mon", zone=REUNION), "2026-11-22T20:00", TRUE),
        (when("mon", zone=PARIS), "2026-11-22T20:00", FALSE),
        (when(hours=("22:00-24:00", "00:00-06:00")), "2026-11-24T22:59", TRUE),
        (when(hours=("22:00-24:00", "00:00-06:00")), "2026-11-24T05:00", FALSE),
        (when(dates=("2026-12-24",)), "2026-12-23T23:00", TRUE),
        (when(dates=("2026-12-24",)), "2026-12-24T23:00", FALSE),
        (when(dates=("2026-09-01..2026-12-31",)), "2026-12-31T22:59", TRUE),
        (when(dates=("2026-09-01..2026-12-31",)), "2026-08-31T21:59", FALSE),
    ],
)
def test_the_clock_of_the_place(time: Time, at: str, expected: Truth) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    assert evaluate(time, None, asked(now=now)) is expected


def test_without_a_clock_it_is_unknown() -> None:
    assert evaluate(OFFICE, None, Facts("GET")) is UNKNOWN


@pytest.mark.parametrize("text", ["", "monday", "Mon", "mon-", "-fri", "mon-fri-sat", "lun"])
def test_no_day(text: str) -> None:
    with pytest.raises(GatewayError):
        parse_days(text)


@pytest.mark.parametrize(
    "text",
    ["", "8:00-19:00", "08:00", "08:00-08:00", "19:00-08:00", "08:00-25:00", "08:00-24:01", "08:60-09:00"],
)  # fmt: skip
def test_no_hours(text: str) -> None:
    with pytest.raises(GatewayError):
        parse_hours(text)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-02-30", "20260101", "2026-W01-1", "2026-01-02..2026-01-01", "2026-01-01..", "..2026-01-01"],
)  # fmt: skip
def test_no_dates(text: str) -> None:
    with pytest.raises(GatewayError):
        parse_dates(text)


def test_a_time_that_says_nothing_is_none() -> None:
    with pytest.raises(GatewayError):
        Time(frozenset(), (), (), PARIS)
