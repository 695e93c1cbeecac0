"""The names in a certificate (RFC 9525)."""

from collections.abc import Iterable
from typing import Final

from gateway.wire.addresses import parse_address

_DNS, _ADDRESS = "DNS", "IP Address"
# RFC 9525 6.3: a name such as `*.org` would cover hosts of many owners.
_FEWEST_DOTS: Final = 2


def holds_name(names: Iterable[tuple[str, str]], expected: str) -> bool:
    """`names`: pairs of kind and value, as the ssl module tells a certificate's subjectAltName. `expected`: a canonical
    host, or an address. The subject's common name is no name of a server (RFC 9525 2)."""
    address = parse_address(expected)
    if address is not None:
        return any(kind == _ADDRESS and parse_address(value) == address for kind, value in names)
    return any(kind == _DNS and _covers(value.lower(), expected) for kind, value in names)


def _covers(named: str, expected: str) -> bool:
    """A `*` stands for the first label alone, and for the whole of it."""
    if not named.startswith("*."):
        return named == expected
    first, dot, rest = expected.partition(".")
    return bool(first and dot) and named[2:] == rest and named.count(".") >= _FEWEST_DOTS
