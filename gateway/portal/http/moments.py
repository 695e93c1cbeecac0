"""Times as people tell them: in the operator's time zone and the page's language."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_DAYS = {"fr": ("hier", "aujourd’hui", "demain"), "en": ("yesterday", "today", "tomorrow")}
# A number and its unit stay on one line.
_NBSP = "\u00a0"


def moment(at: float, now: float, zone: ZoneInfo, language: str) -> str:
    """`at`, `now`: Unix seconds. For a sentence: "aujourd’hui à 20 h 27", "le 1er mars 2026 à 8 h", "on 1 March 2026 at
    8:00 am"."""
    when, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (when.date() - today) // timedelta(days=1)
    day = _DAYS[language][days + 1] if -1 <= days <= 1 else _date(when.date(), language)
    return f"{day} à {_french(when)}" if language == "fr" else f"{day} at {_english(when)}"


def _date(day: date, language: str) -> str:
    month = _MONTHS[language][day.month - 1]
    if language == "fr":
        return f"le {'1er' if day.day == 1 else day.day}{_NBSP}{month} {day.year}"
    return f"on {day.day}{_NBSP}{month} {day.year}"


def _french(when: datetime) -> str:
    minutes = f"{_NBSP}{when.minute:02}" if when.minute else ""
    return f"{when.hour}{_NBSP}h{minutes}"


def _english(when: datetime) -> str:
    return f"{when.hour % 12 or 12}:{when.minute:02}{_NBSP}{'am' if when.hour < 12 else 'pm'}"
