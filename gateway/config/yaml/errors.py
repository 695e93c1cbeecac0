"""The errors of libyaml and of the decoder, in plain words."""

import unicodedata
from collections.abc import Callable

import yaml

from gateway.config.problems import Place, Problem

_INDENTATION = ("this does not fit the indentation above it", "indent with spaces, as the lines around it")
_BRACKETS = ("the brackets are not closed here", "a text with [ ] { } or , needs quotes")
_QUOTES = ("the text in quotes does not end", "close the quotes; inside '...' write '' for '")
_QUOTES_INSIDE = (
    "the text in quotes ended before this",
    """inside '...' write '' for ', or use "..."; inside "..." write \\" for \"""",
)
_TAB = ("a tab cannot stand here", "indent with spaces")
_PLAIN = {
    "mapping values are not allowed in this context": (
        "a key is not expected here",
        "check the indentation; a text with ': ' in it needs quotes",
    ),
    "did not find expected alphabetic or numeric character": (
        "this begins as an alias or an anchor",
        "a text that begins with * or & needs quotes",
    ),
    "did not find expected ',' or '}'": _BRACKETS,
    "did not find expected ',' or ']'": _BRACKETS,
    "did not find expected key": _INDENTATION,
    "did not find expected '-' indicator": _INDENTATION,
    "block sequence entries are not allowed in this context": _INDENTATION,
    "found unexpected end of stream": _QUOTES,
    "could not find expected ':'": ("this is neither a key nor a value", "a key ends with ': '"),
    "found a tab character that violates indentation": _TAB,
    "exceeded maximum nesting depth": ("too many levels deep", ""),
    "did not find expected node content": (
        "a value cannot begin so",
        "a text that begins with : needs quotes; an address of `listen` is IP:port, such as 0.0.0.0:80",
    ),
    "found undefined tag handle": ("a tag (!) is not accepted", "a text that begins with ! needs quotes"),
    "found incompatible YAML document": ("a directive is not accepted: begin with the first key", ""),
    "found unknown escape character": ("this escape is not known", r"write \\ for a backslash, or use '...'"),
}
# libyaml notices these errors only at the next line, or at the end of the file.
_SEEN_TOO_LATE = ("could not find expected ':'", "found unexpected end of stream")


def syntax_error(at: Callable[[tuple[int, int]], Place], error: yaml.YAMLError) -> Problem:
    """`at`: the place of a line and column, both from 0."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem(at((0, 0)), "", "this is not YAML that can be read")
    problem, opened = error.problem or "", error.context_mark
    mark = opened if opened is not None and problem in _SEEN_TOO_LATE else error.problem_mark
    place = at((mark.line, mark.column))
    message, suggestion = _PLAIN.get(problem, (f"this is not YAML: {problem}", ""))
    if problem == "found character that cannot start any token":
        message, suggestion = _bad_start(place)
    elif (message, suggestion) == _INDENTATION and place.source[: place.column - 1].rstrip().endswith(("'", '"')):
        message, suggestion = _QUOTES_INSIDE
    others = (("opened at", at((opened.line, opened.column))),) if opened and (message, suggestion) == _BRACKETS else ()
    return Problem(place, "", message, suggestion, others)


def _bad_start(place: Place) -> tuple[str, str]:
    character = place.source[place.column - 1 : place.column]
    if character == "\t":
        return _TAB
    return f"a text cannot begin with {character}", "put it in quotes"


def not_utf8(file: str, content: bytes, offset: int) -> Problem:
    before = content[:offset]
    line = before.count(b"\n")
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace"))
    return Problem(Place(file, line + 1, column + 1), "", "the file is not UTF-8", "save it as UTF-8")


def no_break_space(place: Place) -> Problem:
    """YAML reads a no-break space as the first letter of a text, and editors show a blank."""
    return Problem(place, "", "a no-break space cannot indent", "indent with spaces")


def unseen_character(place: Place, character: str) -> Problem:
    name = unicodedata.name(character, "")
    message = f"a character that editors do not show is not accepted: U+{ord(character):04X} {name}".rstrip()
    return Problem(place, "", message, "remove it")
