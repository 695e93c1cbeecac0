"""Times as people tell them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.portal.http.i18n import catalogue
from gateway.portal.http.moments import moment as moment_in

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 2, 20, 0, tzinfo=PARIS)


def moment(at: float, now: float, zone: ZoneInfo, language: str) -> str:
    return moment_in(at, now, zone, language, catalogue(language))


@pytest.mark.parametrize(
    ("at", "french", "english"),
    [
        (datetime(2026, 3, 2, 20, 27, tzinfo=PARIS), "aujourd’hui à 20 h 27", "today at 8:27 pm"),
        (datetime(2026, 3, 3, 0, 5, tzinfo=PARIS), "demain à 0 h 05", "tomorrow at 12:05 am"),
        (datetime(2026, 3, 1, 12, 0, tzinfo=PARIS), "hier à 12 h", "yesterday at 12:00 pm"),
        (datetime(2026, 4, 1, 8, 0, tzinfo=PARIS), "le 1er avril 2026 à 8 h", "on 1 April 2026 at 8:00 am"),
        (datetime(2025, 8, 15, 9, 30, tzinfo=PARIS), "le 15 août 2025 à 9 h 30", "on 15 August 2025 at 9:30 am"),
    ],
)
def test_a_time_is_told_as_the_language_tells_it(at: datetime, french: str, english: str) -> None:
    told = {language: moment(at.timestamp(), NOW.timestamp(), PARIS, language) for language in ("fr", "en")}
    assert {language: text.replace("\u00a0", " ") for language, text in told.items()} == {"fr": french, "en": english}


def test_the_day_is_that_of_the_operators_time_zone() -> None:
    """At 21:30 in Paris it is tomorrow on Réunion."""
    now, at = NOW.timestamp(), datetime(2026, 3, 2, 21, 30, tzinfo=PARIS).timestamp()
    assert moment(at, now, PARIS, "fr").startswith("aujourd’hui")
    assert moment(at, now, ZoneInfo("Indian/Reunion"), "fr") == "demain\u00a0à\u00a00\u00a0h\u00a030"
    assert moment(now, now, ZoneInfo("UTC"), "fr") == "aujourd’hui\u00a0à\u00a019\u00a0h"


@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (0, ["aujourd’hui à 20 h 27"], ["today at 8:27 pm"]),
        (30, ["le 1er avril", "2026", "à 20 h 27"], ["on 1 April", "2026", "at 8:27 pm"]),
    ],
)
def test_no_line_ends_within_what_is_read_as_one(days: int, french: list[str], english: list[str]) -> None:
    at = datetime(2026, 3, 2, 20, 27, tzinfo=PARIS) + timedelta(days=days)
    for language, pieces in (("fr", french), ("en", english)):
        told = moment(at.timestamp(), NOW.timestamp(), PARIS, language)
        assert [piece.replace("\u00a0", " ") for piece in told.split(" ")] == pieces
