"""Path patterns: lists of whole segments. The walk in routes.py orders them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError

LONGEST = 2048
MOST_SEGMENTS = 64
_REGEX_MEMORY = 1 << 20
_SHARED = 1024

# Characters that a decoded canonical target never has, or that are no part of a path: a pattern with one never matches.
_NEVER_IN_A_SEGMENT = {
    "?": "the query takes no part",
    "#": "a fragment never reaches a server",
    "%": "write the character itself, not its escape",
    ";": "parameters take no part",
    "\\": "it is refused in every request",
}
# Of these, what a segment has where the application's file names a leniency. config.check tells whether it does.
_WHERE_NAMED = re.compile(r";|%2F|%5C")


@dataclass(frozen=True, slots=True)
class Literal:
    text: str


@dataclass(frozen=True, slots=True)
class ExpressionSegment:
    """`~source`: an RE2 expression over one whole segment."""

    source: str


@dataclass(frozen=True, slots=True)
class AnyOne:
    """`*`: exactly one segment. The segment after a trailing slash is empty and matches."""


@dataclass(frozen=True, slots=True)
class Rest:
    """`**`: zero or more segments. Only allowed as the last segment of a pattern."""


Segment = Literal | ExpressionSegment | AnyOne | Rest


@dataclass(frozen=True, slots=True)
class Pattern:
    """`text`: as the operator wrote it. `/` is one empty literal; `/a/` ends with an empty literal."""

    text: str
    segments: tuple[Segment, ...]


@lru_cache(_SHARED)
def parse_pattern(text: str, *, named: bool = False) -> Pattern:
    """Parses a pattern. Applications that write the same pattern share the object.

    `named`: allows `;`, `%2F` and `%5C`, which some applications have in names.
    Raises GatewayError(policy_codes.PATTERN) with the reason.
    """
    if not text.startswith("/"):
        raise GatewayError(policy_codes.PATTERN, "a path begins with `/`")
    if len(text) > LONGEST or text.count("/") > MOST_SEGMENTS:
        raise GatewayError(policy_codes.PATTERN, f"over {LONGEST} characters or {MOST_SEGMENTS} segments")
    pieces = text[1:].split("/")
    last = len(pieces) - 1
    for place, piece in enumerate(pieces):
        if piece == "**" and place != last:
            raise GatewayError(policy_codes.PATTERN, "`**` stands last only")
        if not piece and place != last:
            raise GatewayError(policy_codes.PATTERN, "an empty segment (`//`) is refused in every request")
    return Pattern(text, tuple(_segment(piece, named=named) for piece in pieces))


def folded(pattern: Pattern, case_insensitive: bool) -> Pattern:
    """The pattern in lower case, if the application ignores case, to be compared with segments in lower case."""
    if not case_insensitive:
        return pattern
    lowered = (Literal(part.text.lower()) if isinstance(part, Literal) else part for part in pattern.segments)
    return Pattern(pattern.text, tuple(lowered))


def may_be_below(pattern: Pattern, prefix: str) -> bool:
    """Whether a path at or below `prefix` could meet the pattern. What expressions match is not looked into."""
    names = prefix[1:].split("/")
    for place, name in enumerate(names):
        segment = pattern.segments[place] if place < len(pattern.segments) else None
        if isinstance(segment, Rest):
            return True
        if segment is None or (isinstance(segment, Literal) and segment.text != name):
            return False
    return True


def compile_expression(source: str, case_insensitive: bool) -> Any:
    """An RE2 object over UTF-8 bytes. Raises GatewayError(policy_codes.PATTERN) with the construct that RE2 refuses."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY
    # RE2 copies the place of every group at every letter. Nobody asks for places.
    options.never_capture = True
    options.case_sensitive = not case_insensitive
    try:
        compiled = re2.compile(source.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise GatewayError(
            policy_codes.PATTERN,
            f"`~{source}`: {reason} (a `~` expression is RE2, and holds no `/`: it covers one segment)",
        ) from None
    if compiled.groups:
        # `never_capture` does not apply to groups with a name.
        raise GatewayError(policy_codes.PATTERN, f"`~{source}`: a group has a name: write `(` for `(?P<name>`")
    return compiled


def _segment(piece: str, *, named: bool) -> Segment:
    _check_characters(piece)
    match piece:
        case "**":
            return Rest()
        case "*":
            return AnyOne()
        case _ if piece.startswith("~"):
            for case_insensitive in (False, True):  # the table may need either, and either may be too large
                compile_expression(piece[1:], case_insensitive)
            return ExpressionSegment(piece[1:])
        case _:
            return _literal(piece, named=named)


def _check_characters(piece: str) -> None:
    if piece.isascii() and piece.isprintable():
        return
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in piece):
        raise GatewayError(policy_codes.PATTERN, "a control character or half of a surrogate pair")
    if not unicodedata.is_normalized("NFC", piece):
        raise GatewayError(policy_codes.PATTERN, f"`{piece}` has accents apart from their letters: write it in NFC")


def _literal(piece: str, *, named: bool) -> Literal:
    if piece in {".", ".."}:
        raise GatewayError(policy_codes.PATTERN, f"`{piece}` is refused in every request")
    if "*" in piece:
        raise GatewayError(
            policy_codes.PATTERN, f"`{piece}`: `*` stands for a whole segment; write `~` and an expression"
        )
    checked = _WHERE_NAMED.sub("", piece) if named else piece
    for character, why in _NEVER_IN_A_SEGMENT.items():
        if character in checked:
            raise GatewayError(policy_codes.PATTERN, f"`{piece}` with `{character}`: {why}")
    return Literal(piece)
