"""Times as XML Schema writes them (Core 1.3.3, Metadata 2): instants, in UTC alone, and durations."""

import re
from datetime import UTC, datetime

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError

# XML Schema 3.2.7.1 without its other time zones, years of more or fewer digits, 24:00:00 and leap seconds.
# 3.2.7.3: "'+00:00', '-00:00', and 'Z' all represent the same zero-length duration timezone, namely UTC"
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,20})?(?:Z|[+-]00:00)", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d{1,20})?S)?)?",
    re.ASCII,
)
# A year and a month count as their shortest, so that nothing is kept for longer than its source allows.
_SECONDS = (365 * 86400, 28 * 86400, 86400, 3600, 60, 1)


def instant(now: float) -> str:
    """The form of time that we write. `now`: Unix seconds; the fraction of a second is left out."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str, what: str) -> int:
    """An instant in Unix seconds, rounded down. `what`: its name for the operator. Raises
    GatewayError(saml_codes.TIME)."""
    found = _INSTANT.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = map(int, found.groups())
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise GatewayError(saml_codes.TIME, f"{what} is not a time in UTC") from error


def duration(text: str, what: str) -> int:
    """A duration in seconds. Raises GatewayError(saml_codes.TIME), also for a negative duration."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise GatewayError(saml_codes.TIME, f"{what} is not a duration")
    return sum(int(number or 0) * seconds for number, seconds in zip(found.groups(), _SECONDS, strict=True))
