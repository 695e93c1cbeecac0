"""A mandate is held on the days of the organisation's own calendar, and no row that is mistaken is one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.directories import finding_of, known_until, known_with
from gateway.identity.mandates import (
    MOST_TERMS,
    NEVER,
    WrongTerm,
    changes_at,
    held,
    in_words,
    span_of,
    term_of,
    zone_of_commune,
)
from gateway.model.directory import DirectoryRow, GivenAttribute
from gateway.model.mandate import TermColumns, TermOfOffice
from tests.identity.test_directories import asked, directory, person

PARIS = "Europe/Paris"
MAYOR = TermOfOffice("maire", "215903501", "2020-05-25", "2026-03-29", PARIS)
COLUMNS = TermColumns("fonction", "siren", "siren", "debut", "fin", zone=PARIS)
GIVEN = GivenAttribute("mandates", "mandates", "mandates", terms=COLUMNS)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def row(
    office: str = "maire", siren: str = "215903501", start: str = "2020-05-25", end: str = "2026-03-29"
) -> DirectoryRow:
    cells = {"fonction": office, "siren": siren, "debut": start, "fin": end}
    return {name: (cell,) for name, cell in cells.items() if cell}


# --- the calendar


def test_it_is_held_from_the_first_moment_of_its_first_day_to_the_last_one_of_its_last() -> None:
    assert span_of(MAYOR) == (at("2020-05-25T00:00:00+02:00"), at("2026-03-30T00:00:00+02:00"))
    assert held([MAYOR], at("2026-03-29T23:59:59.999+02:00")) == (MAYOR,)
    assert held([MAYOR], at("2026-03-30T00:00:00+02:00")) == ()
    assert held([MAYOR], at("2020-05-24T23:59:59+02:00")) == ()
    assert held([MAYOR], at("2020-05-25T00:00:00+02:00")) == (MAYOR,)


@pytest.mark.parametrize(
    ("insee", "zone", "over"),
    [
        ("59350", PARIS, "2026-03-30T00:00:00+02:00"),
        ("2A004", PARIS, "2026-03-30T00:00:00+02:00"),
        ("97411", "Indian/Reunion", "2026-03-30T00:00:00+04:00"),
        ("97209", "America/Martinique", "2026-03-30T00:00:00-04:00"),
        ("97502", "America/Miquelon", "2026-03-30T00:00:00-02:00"),
        ("98818", "Pacific/Noumea", "2026-03-30T00:00:00+11:00"),
        ("98735", "Pacific/Tahiti", "2026-03-30T00:00:00-10:00"),
        ("98731", "Pacific/Marquesas", "2026-03-30T00:00:00-09:30"),
        ("98719", "Pacific/Gambier", "2026-03-30T00:00:00-09:00"),
        ("98611", "Pacific/Wallis", "2026-03-30T00:00:00+12:00"),
    ],
)
def test_midnight_is_that_of_the_commune(insee: str, zone: str, over: str) -> None:
    assert zone_of_commune(insee) == zone
    term = replace(MAYOR, organisation=insee, zone=zone)
    assert held([term], at(over) - 1) == (term,)
    assert held([term], at(over)) == ()


def test_a_leap_day_is_a_day() -> None:
    term = replace(MAYOR, start="2028-02-29", end="2028-02-29")
    assert held([term], at("2028-02-29T12:00:00+01:00")) == (term,)
    assert held([term], at("2028-03-01T00:00:00+01:00")) == ()


@pytest.mark.parametrize(
    ("zone", "last", "over"),
    [
        # Clocks go from 24:00 to 01:00, so that there is no midnight.
        ("America/Santiago", "2026-09-05", "2026-09-06T04:00:00+00:00"),
        # Clocks go from 24:00 back to 23:00, so that the evening comes twice.
        ("America/Santiago", "2026-04-04", "2026-04-05T04:00:00+00:00"),
        # There was no 30 December 2011 in Samoa.
        ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_a_midnight_that_clocks_leap_over_is_the_moment_in_which_they_do(zone: str, last: str, over: str) -> None:
    assert span_of(replace(MAYOR, start="2000-01-01", end=last, zone=zone))[1] == at(over)


@pytest.mark.parametrize("end", ["", "9999-12-31"])
def test_one_without_an_end_goes_on(end: str) -> None:
    term = replace(MAYOR, end=end)
    assert span_of(term)[1] == NEVER
    assert changes_at([term], at("2026-01-01T00:00:00+01:00")) == NEVER


_DAYS = st.dates(min_value=datetime(1950, 1, 1).date(), max_value=datetime(2090, 1, 1).date())


@given(
    start=_DAYS,
    days=st.integers(0, 4000),
    zone=st.sampled_from(sorted(name for name in available_timezones() if "/" in name)),
    now=st.integers(-600_000_000, 3_700_000_000),
)
def test_it_is_held_just_on_the_days_that_the_clock_there_shows(start, days, zone, now) -> None:  # type: ignore[no-untyped-def]
    term = replace(MAYOR, start=start.isoformat(), end=(start + timedelta(days=days)).isoformat(), zone=zone)
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    begins, ends = span_of(term)
    # Where an evening comes twice, a day is over when it is over for the first time.
    if (term.start <= today.isoformat() <= term.end) != bool(held([term], now)):
        assert min(abs(now - begins), abs(now - ends)) < 90_000
    assert (begins <= now < ends) == bool(held([term], now))
    border = changes_at([term], now)
    assert border == min((one for one in (begins, ends) if one > now), default=NEVER)


# --- rows


def test_a_row_is_a_mandate() -> None:
    assert term_of(COLUMNS, row()) == MAYOR
    assert term_of(COLUMNS, {"autre": ("x",)}) is None
    commune = TermColumns("fonction", "siren", "insee", "debut", "fin")
    assert term_of(commune, row(siren="97411")) == replace(MAYOR, organisation="97411", zone="Indian/Reunion")
    by_column = replace(COLUMNS, zone="", zone_column="fuseau")
    there = {**row(), "fuseau": ("Pacific/Noumea",)}
    assert term_of(by_column, there) == replace(MAYOR, zone="Pacific/Noumea")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row(office=""), "column fonction: no office"),
        (row(siren="215903502"), "column siren: a value that is no siren"),
        (row(siren="59350"), "column siren: a value that is no siren"),
        (row(start="25/05/2020"), "column debut: a value that is no date"),
        (row(start=""), "column debut: a value that is no date"),
        (row(end="2026-02-29"), "column fin: a value that is no date"),
        (row(end=""), "column fin: no end, and none is meant"),
        (row(end="2020-05-24"), "column fin: it ends before it begins"),
        ({**row(), "fin": ("2026-03-29", "2032-03-29")}, "column fin: 2 values in one row"),
        ({**row(), "fonction": ("maire\x00",)}, "column fonction: no office"),
    ],
)
def test_a_row_that_is_mistaken_is_told_by_its_column_alone(wrong: DirectoryRow, said: str) -> None:
    with pytest.raises(WrongTerm) as error:
        term_of(COLUMNS, wrong)
    assert str(error.value) == said


@pytest.mark.parametrize("zone", ["", "Paris", "../etc/passwd", "Europe/Paris\x00", "/etc/localtime"])
def test_a_time_zone_that_nobody_knows_is_no_place(zone: str) -> None:
    with pytest.raises(WrongTerm):
        term_of(replace(COLUMNS, zone="", zone_column="fuseau"), {**row(), "fuseau": (zone,)})


def test_an_end_may_be_open_where_the_file_says_so() -> None:
    assert term_of(replace(COLUMNS, open_end=True), row(end="")) == replace(MAYOR, end="")
    with pytest.raises(WrongTerm):
        term_of(replace(COLUMNS, open_end=True), row(end="soon"))


# --- what is known of a person


def test_of_several_mandates_those_are_known_that_are_held_now() -> None:
    source = directory(GIVEN, rows="many")
    rows = [
        row(),
        row("adjoint", start="2026-03-30", end="2032-03-21"),
        row("président", "225900018", end="2027-12-31"),
    ]
    finding, faults = finding_of(source, rows, 7)
    assert (faults, len(finding.terms), finding.values, finding.unknown) == ((), 3, {}, frozenset())
    who = asked(person(uid="a"), finding)
    before = known_with(who, (source,), at("2026-01-01T00:00:00+01:00"))
    assert before.attributes["mandates"] == ("maire", "président")
    assert before.attributes["mandate_organisations"] == ("215903501", "225900018")
    assert before.attributes["mandates_in_full"] == ("maire:215903501", "président:225900018")
    border = known_until(who, (source,), at("2026-01-01T00:00:00+01:00"))
    assert border == at("2026-03-30T00:00:00+02:00")
    after = known_with(who, (source,), border)
    assert after.attributes["mandates"] == ("adjoint", "président")
    over = known_with(who, (source,), at("2040-01-01T00:00:00+01:00"))
    assert (over.terms, "mandates" in over.attributes, "mandates" in over.left_out) == ((), False, False)


def test_one_row_that_is_mistaken_makes_all_mandates_unknown() -> None:
    source = directory(GIVEN, rows="many")
    finding, faults = finding_of(source, [row(), row(end="29/03/2026")], 7)
    assert (finding.terms, finding.unknown) == ((), {"mandates"})
    assert [fault.detail for fault in faults] == ["column fin: a value that is no date"]
    known = known_with(asked(person(uid="a"), finding), (source,), 0)
    assert known.terms is None
    assert known.left_out == {"mandates", "mandate_organisations", "mandates_in_full"}
    many, _ = finding_of(source, [row(f"office {number}") for number in range(MOST_TERMS + 1)], 7)
    assert many.unknown == {"mandates"}


def test_a_providers_mandates_have_no_organisation_and_no_end() -> None:
    finding, _ = finding_of(directory(GIVEN), [row()], 7)
    who = asked(person(uid="a", mandates="préfet"), finding)
    own = known_with(who, (directory(GIVEN),), at("2026-01-01T00:00:00+01:00"))
    assert (own.attributes["mandates"], own.terms) == (("préfet",), None)
    ours = known_with(who, (directory(replace(GIVEN, wins="directory")),), at("2026-01-01T00:00:00+01:00"))
    assert (ours.attributes["mandates"], ours.terms) == (("maire",), (MAYOR,))
    ended = known_with(who, (directory(replace(GIVEN, wins="directory")),), at("2027-01-01T00:00:00+01:00"))
    assert ("mandates" in ended.attributes, ended.terms) == (False, ())


def test_in_words() -> None:
    told = [in_words(MAYOR, at(f"{day}T12:00:00+02:00")) for day in ("2020-05-24", "2026-03-29", "2026-03-30")]
    assert told == [
        "maire of 215903501, from 2020-05-25 on (Europe/Paris)",
        "maire of 215903501, until 2026-03-29 (Europe/Paris)",
        "maire of 215903501, ended on 2026-03-29 (Europe/Paris)",
    ]
    assert in_words(replace(MAYOR, end=""), at("2026-03-29T12:00:00+02:00")).endswith("without an end (Europe/Paris)")
