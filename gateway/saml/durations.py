"""XML Schema 2 3.2.6: durations, as cacheDuration has them."""

import re

from gateway.model.codes import SAML_TIME
from gateway.model.errors import GatewayError

_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d{1,20})?S)?)?",
    re.ASCII,
)
# A year and a month at their shortest: what may be kept for a month is not kept for longer.
_SECONDS = (365 * 86400, 28 * 86400, 86400, 3600, 60, 1)


def duration(text: str, what: str) -> int:
    """Seconds. GatewayError(SAML_TIME) for a negative one too, which says nothing here."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise GatewayError(SAML_TIME, f"{what} is not a duration")
    return sum(int(number or 0) * seconds for number, seconds in zip(found.groups(), _SECONDS, strict=True))
