"""One reading of a Host header, or a refusal."""

import re
from typing import Final

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError

# RFC 1123 2.1, RFC 5890 2.3.1: letters, digits and hyphens only (international names come as A-labels), and perhaps one
# dot of the root. RFC 9110 4.2.3: a port without leading zeros. We refuse an empty port, which is a second spelling.
_LABEL: Final = rb"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rb"(%b(?:\.%b)*+)\.?(?::(0|[1-9][0-9]{0,4}))?"
_HOST: Final = re.compile(_NAME % (_LABEL, _LABEL))
# Names of Compose and Windows: resolvers find them, and browsers send them (WHATWG URL 3.5).
_LOOSE_LABEL: Final = rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_LOOSE: Final = re.compile(_NAME % (_LOOSE_LABEL, _LOOSE_LABEL))
# WHATWG URL 3.5, "ends in a number": the host is an IPv4 address in one of many spellings.
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_DOTTED_QUAD: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}")
_LONGEST: Final = 253
_LONGEST_RAW: Final = _LONGEST + len(".:65535")
_LAST_PORT: Final = 65535


def canonical_host(raw: bytes, *, underscore: bool = False) -> str:
    """The host in lower case, without port and final dot. An address has to be IPv4, in four plain decimal numbers.
    `underscore`: the name may have a `_`, because an application listens at it, or a file lists it as it stands.

    Raises GatewayError for any host that two readers could read differently.
    """
    match = (_LOOSE if underscore else _HOST).fullmatch(raw.lower()) if len(raw) <= _LONGEST_RAW else None
    if match is None:
        raise GatewayError(wire_codes.HOST, f"not a host name: {raw[:80]!r}")
    host = match[1].decode("ascii")
    if len(host) > _LONGEST or int(match[2] or 0) > _LAST_PORT:
        raise GatewayError(wire_codes.HOST, f"too long a name or too high a port: {raw[-80:]!r}")
    if _NUMBER.fullmatch(host) is not None and _DOTTED_QUAD.fullmatch(host) is None:
        raise GatewayError(wire_codes.HOST, f"an address in a short or odd form: {host[:80]!r}")
    return host
