"""A peer's text for a log line: bounded, printable, and without secrets of ours that the peer repeats."""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from gateway.model.errors import GatewayError

QUOTED_LIMIT = 200


def quoted(value: object, limit: int = QUOTED_LIMIT) -> str:
    """A stranger's value for an operator's eyes: bounded, and every character that does not print replaced."""
    text = value if isinstance(value, str) else type(value).__name__
    shown = "".join(character if character.isprintable() else "?" for character in text[:limit])
    return f'"{shown}"' if len(text) <= limit else f'"{shown}..." ({len(text)} characters)'


# Shorter texts are in too many words.
_SHORTEST: Final = 6
_HIDDEN: Final = "(not shown)"
_CUT: Final = '..." ('
# RFC 3986 3.3: characters that a path may contain unescaped.
_IN_A_PATH: Final = "/:@!$&'()*+,;="
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, in every spelling that a peer may send back. Also removes the beginning of a secret
    that `quoted` cut."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
        if _CUT in text:
            text = _without_beginnings(text, form)
    return text


def unechoed(error: GatewayError, secrets: Iterable[str]) -> GatewayError:
    """The error without the secrets, for an error about the response of a peer that knows the secrets."""
    return GatewayError(error.code, without(error.detail, secrets), shown=error.shown)


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    yield secret
    for charset in ("utf-8", "cp1252"):
        for form in (
            quote_plus(secret, encoding=charset, errors="replace"),
            *(quote(secret, safe, charset, "replace") for safe in ("", "/", _IN_A_PATH)),
        ):
            yield form
            yield _ESCAPE.sub(lambda escape: escape[0].lower(), form)


def _without_beginnings(text: str, form: str) -> str:
    pieces = text.split(_CUT)
    for number, piece in enumerate(pieces[:-1]):
        for length in range(min(len(form), len(piece)), _SHORTEST - 1, -1):
            if piece.endswith(form[:length]):
                pieces[number] = piece[:-length] + _HIDDEN
                break
    return _CUT.join(pieces)
