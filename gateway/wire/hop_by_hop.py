"""Header names that are about one connection only (RFC 9110 7.6.1)."""

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

# Options that are no header name, and names that we drop or write ourselves anyway. For these, nothing is to be done.
_NO_NAME: Final = HOP_BY_HOP | {b"", b"close", b"cookie", b"content-length", b"host", b"set-cookie"}
_NOTHING: Final[frozenset[bytes]] = frozenset()


def connection_tokens(values: Iterable[bytes]) -> frozenset[bytes]:
    """The lower-case header names that these Connection values remove from the message. Usually empty."""
    tokens: set[bytes] = set()
    for value in values:
        tokens.update(token.strip(b" \t") for token in value.lower().split(b","))
    return frozenset(tokens - _NO_NAME) or _NOTHING


def without_named(lines: list[bytes], tokens: frozenset[bytes]) -> list[bytes]:
    """The lines without those that `tokens` names. `lines`: b"\\r\\nName: " and value in turn, from the tables of
    headers.py. Call it at the end of the head, because Connection may come after what it names, and before we add
    lines of our own."""
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [piece for pair in pairs if pair[0][2:-2].lower() not in tokens for piece in pair]


def not_named(lines: list[bytes], tokens: frozenset[bytes]) -> list[bytes]:
    """As `without_named`, where each of `lines` is b"Name: value"."""
    return [line for line in lines if line.partition(b":")[0].lower() not in tokens]
