"""Header names about a single connection (RFC 9110 7.6.1)."""

from collections.abc import Iterable
from typing import Final

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Options that need no action: options that are no header name, and headers that the gateway drops or writes itself.
_NO_NAME: Final = HOP_BY_HOP | {b"", b"close", b"cookie", b"content-length", b"host", b"set-cookie"}
_NOTHING: Final[frozenset[bytes]] = frozenset()


def connection_tokens(values: Iterable[bytes]) -> frozenset[bytes]:
    """The lower-case header names that the Connection values remove from the message. Usually empty."""
    tokens: set[bytes] = set()
    for value in values:
        tokens.update(token.strip(b" \t") for token in value.lower().split(b","))
    return frozenset(tokens - _NO_NAME) or _NOTHING


def without_named(lines: list[bytes], tokens: frozenset[bytes]) -> list[bytes]:
    """Removes the lines that `tokens` names. To be called at the end of the head, because Connection may follow the
    lines that it names, and before the gateway adds its own lines.

    `lines`: b"\\r\\nName: " and value in turn, from the tables of headers.py."""
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [piece for pair in pairs if pair[0][2:-2].lower() not in tokens for piece in pair]


def not_named(lines: list[bytes], tokens: frozenset[bytes]) -> list[bytes]:
    """As `without_named`, for lines of the form b"Name: value"."""
    return [line for line in lines if line.partition(b":")[0].lower() not in tokens]
