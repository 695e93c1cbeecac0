"""Builds the filter for a person's entries: RFC 4515, with every value escaped."""

from collections.abc import Iterable
from typing import Final

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@_-")


def escaped(value: str) -> str:
    """RFC 4515 3: escapes the UTF-8 bytes of every character except ASCII letters, ASCII digits and `.@_-`. A value
    never contributes syntax to the filter.
    """
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in value.encode())


def person_filter(beside: str, key: Iterable[tuple[str, str]]) -> str:
    """Builds a filter that requires every condition.

    `beside`: a filter in parentheses; empty: no further filter.
    `key`: (attribute, value).
    """
    return f"(&{beside}{''.join(f'({name}={escaped(value)})' for name, value in key)})"
