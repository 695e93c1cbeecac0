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
# Where a line that ends there would part what is read as one: a number and its unit, a preposition and its hour.
_NBSP = "\u00a0"


def moment(at: float, now: float, zone: ZoneInfo, language: str) -> str:
    """`at`, `now`: Unix seconds. For a sentence: "aujourd’hui à 20 h 27", "le 1er mars 2026 à 8 h", "on 1 March 2026 at
    8:00 am"."""
    when, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (when.date() - today) // timedelta(days=1)
    french = language == "fr"
    hour = f"à{_NBSP}{_french(when)}" if french else f"at{_NBSP}{_english(when)}"
    if -1 <= days <= 1:
        return f"{_DAYS[language][days + 1]}{_NBSP}{hour}"
    # A line may end in what is longer: on a telephone there are columns that hold no more than half of it.
    return f"{'le' if french else 'on'}{_NBSP}{day(when.date(), language)} {hour}"


def day(when: date, language: str) -> str:
    """ "1er mars 2026", "1 March 2026"."""
    first = "1er" if when.day == 1 and language == "fr" else when.day
    return f"{first}{_NBSP}{_MONTHS[language][when.month - 1]} {when.year}"


def _french(when: datetime) -> str:
    minutes = f"{_NBSP}{when.minute:02}" if when.minute else ""
    return f"{when.hour}{_NBSP}h{minutes}"


def _english(when: datetime) -> str:
    return f"{when.hour % 12 or 12}:{when.minute:02}{_NBSP}{'am' if when.hour < 12 else 'pm'}"
