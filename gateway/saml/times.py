"""Core 1.3.3: moments, in UTC alone."""

import re
from datetime import UTC, datetime

from gateway.model.codes import SAML_TIME
from gateway.model.errors import GatewayError

# XML Schema 3.2.7.1 without its other time zones, years of more or fewer digits, 24:00:00 and leap seconds.
# 3.2.7.3: "'+00:00', '-00:00', and 'Z' all represent the same zero-length duration timezone, namely UTC"
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,20})?(?:Z|[+-]00:00)", re.ASCII)


def moment(text: str, what: str) -> int:
    """Unix seconds, what is under a second left away."""
    found = _INSTANT.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise GatewayError(SAML_TIME, f"{what} is not a time in UTC") from error
