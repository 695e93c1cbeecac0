"""The form of URLs that we call, or to which we send a browser."""

import re

from gateway.model.codes import Code
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted

_LONGEST = 2048
# Characters of RFC 3986 only, without user part or fragment (RFC 6749 3.1, 3.2), and with nothing that a parser would
# strip or fold.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?][!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?"
)


def require_endpoint(value: object, *, development: bool, code: Code, what: str) -> str:
    """`value`, if it is an absolute https URL, or with `development` an http one. Else raises GatewayError(code)."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise GatewayError(code, f"{what}: not a URL of at most {_LONGEST} characters")
    match = _URL.fullmatch(value)
    if match is None:
        raise GatewayError(code, f"{what}: {quoted(value)} is not an absolute URL of plain form")
    if match["scheme"] != "https" and not development:
        raise GatewayError(code, f"{what}: {quoted(value)} is not https")
    return value
