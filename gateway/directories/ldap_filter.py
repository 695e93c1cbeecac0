"""The filter by which a person's entries are found: RFC 4515, with every value escaped."""

from collections.abc import Iterable
from typing import Final

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@_-")


def escaped(value: str) -> str:
    """RFC 4515 3: whatever is no letter or digit of ASCII, or one of `.@_-`, is written as the bytes of its UTF-8, so
    that nothing of a value is one of the filter's own signs."""
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in value.encode())


def person_filter(beside: str, key: Iterable[tuple[str, str]]) -> str:
    """`beside`: a filter in parentheses, or nothing. `key`: (attribute, value). All of it has to be so."""
    return f"(&{beside}{''.join(f'({name}={escaped(value)})' for name, value in key)})"
