"""Times as people tell them: in the operator's time zone and the page's language."""

from datetime import date, datetime, timedelta
from gettext import NullTranslations
from typing import Final
from zoneinfo import ZoneInfo

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS: Final = ("yesterday", "today", "tomorrow")
# Keeps words on the same line that are read together: a number and its unit, a preposition and its hour.
_NBSP: Final = "\u00a0"
_NEAR: Final = "{day}\u00a0at\u00a0{hour}"
# A longer text may break: on a telephone, a column may hold only half of it.
_FAR: Final = "on\u00a0{day} at\u00a0{hour}"
WORDS: Final = (*_MONTHS, *_DAYS, _NEAR, _FAR)
"""The texts in the catalogues. This module writes the numbers: 20 h 27, 8:27 pm, 1er."""


def moment(at: float, now: float, zone: ZoneInfo, language: str, texts: NullTranslations) -> str:
    """`at`, `now`: Unix seconds. For a sentence: "aujourd’hui à 20 h 27", "le 1er mars 2026 à 8 h", "on 1 March 2026 at
    8:00 am"."""
    when, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (when.date() - today) // timedelta(days=1)
    hour = _french(when) if language == "fr" else _english(when)
    if -1 <= days <= 1:
        return texts.gettext(_NEAR).format(day=texts.gettext(_DAYS[days + 1]), hour=hour)
    return texts.gettext(_FAR).format(day=day(when.date(), language, texts), hour=hour)


def day(when: date, language: str, texts: NullTranslations) -> str:
    """ "1er mars 2026", "1 March 2026"."""
    first = "1er" if when.day == 1 and language == "fr" else when.day
    return f"{first}{_NBSP}{texts.gettext(_MONTHS[when.month - 1])} {when.year}"


def _french(when: datetime) -> str:
    minutes = f"{_NBSP}{when.minute:02}" if when.minute else ""
    return f"{when.hour}{_NBSP}h{minutes}"


def _english(when: datetime) -> str:
    return f"{when.hour % 12 or 12}:{when.minute:02}{_NBSP}{'am' if when.hour < 12 else 'pm'}"
