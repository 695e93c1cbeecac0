"""Transforms of an attribute's values before encoding, applied in order."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, assert_never

import re2

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.translation.specs import DateForm, Digest, Extract, Lookup, Prefix, Simple, Split, Transform

_LONGEST_EXPRESSION: Final = 1000
_EXPRESSION_MEMORY: Final = 1 << 20
# The parts of strftime that do not depend on the locale.
_FORM: Final = re.compile(r"(?:[^%\x00-\x1f\x7f]|%[YmdHMSy%])+")
_CODE: Final = re.compile(r"%(.)")
# RFC 4517 3.3.13: a directory's GeneralizedTime, in UTC.
_GENERALIZED: Final = re.compile(r"(\d{14})(?:\.\d+)?Z")
# The dotted capital I and the Kelvin sign are the letters outside of ASCII that become ASCII in lower case.
_NO_DOTTED: Final = re.compile("[^\u0130\u212a]+")
_UNIX: Final = re.compile(r"\d{9,11}")
# RE2's `\C` matches a byte, perhaps a part of a letter. In `\\C` the backslash is a letter, so `C` is too.
_ONE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def transformed(values: Sequence[str], transforms: Sequence[Transform]) -> list[str]:
    """Drops empty values and repetitions. Raises GatewayError, without a value in it."""
    found = list(values)
    for transform in transforms:
        found = [value for value in dict.fromkeys(_applied(transform, found)) if value]
    return found


def check_transform(transform: Transform) -> None:
    """Raises GatewayError(translation_codes.SPEC)."""
    match transform:
        case Extract(expression):
            if _compiled(expression).groups > 1:
                raise GatewayError(
                    translation_codes.SPEC, f"`{expression}`: one group says what is extracted; others are (?:...)"
                )
        case DateForm(form):
            if not _FORM.fullmatch(form):
                raise GatewayError(translation_codes.SPEC, f"`{form}`: a date is written with %Y %m %d %H %M %S %y")
        case Lookup(table=table):
            if not table:
                raise GatewayError(translation_codes.SPEC, "a table without a row")
        case _:
            pass


def _applied(transform: Transform, values: Sequence[str]) -> Iterator[str]:
    match transform:
        case Simple(how):
            yield from _simple(how, values)
        case Extract(expression):
            compiled = _compiled(expression)
            yield from filter(None, (_extracted(compiled, value) for value in values))
        case Split(separator):
            yield from (part.strip() for value in values for part in value.split(separator))
        case Lookup():
            yield from (_row(transform, value) for value in values)
        case Prefix(text):
            yield from (text + value for value in values)
        case DateForm(form):
            yield from (_date(form, value) for value in values)
        case Digest(algorithm):
            yield from (hashlib.new(algorithm, value.encode()).hexdigest() for value in values)
        case _:
            assert_never(transform)


def _simple(how: str, values: Sequence[str]) -> Iterator[str]:
    match how:
        case "lower":
            yield from (_NO_DOTTED.sub(lambda found: found[0].lower(), value) for value in values)
        case "upper":
            yield from (value.upper() if value.isascii() else "".join(map(_upper, value)) for value in values)
        case "strip":
            yield from (value.strip() for value in values)
        case _:
            yield from values[:1]


def _upper(letter: str) -> str:
    """A letter outside of ASCII never becomes an ASCII letter: `admın`, `joſe` and `groß` differ from `admin`, `jose`
    and `gross`."""
    found = letter.upper()
    return letter if not letter.isascii() and any(map(str.isascii, found)) else found


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    """Over UTF-8 bytes, in linear time. Raises GatewayError(translation_codes.SPEC)."""
    if not 1 <= len(expression) <= _LONGEST_EXPRESSION:
        raise GatewayError(translation_codes.SPEC, f"an expression has 1 to {_LONGEST_EXPRESSION} characters")
    if _ONE_BYTE.search(expression):
        raise GatewayError(translation_codes.SPEC, f"`{expression}`: \\C takes letters apart: write . for any letter")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _EXPRESSION_MEMORY
    try:
        return re2.compile(expression.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else "half of a surrogate pair"
        raise GatewayError(translation_codes.SPEC, f"`{expression}`: {reason} (expressions are RE2)") from None


def _extracted(compiled: Any, value: str) -> str:
    found = compiled.search(value.encode())
    if found is None:
        return ""
    return (found[1 if compiled.groups else 0] or b"").decode()


def _row(lookup: Lookup, value: str) -> str:
    found = lookup.table.get(value)
    if found is not None:
        return found
    if lookup.otherwise == "refuse":
        raise GatewayError(translation_codes.NO_ROW, "a value that has no row in its table")
    return value if lookup.otherwise == "keep" else ""


def _date(form: str, value: str) -> str:
    moment = _moment(value.strip())
    parts = {
        "Y": f"{moment.year:04}", "m": f"{moment.month:02}", "d": f"{moment.day:02}", "H": f"{moment.hour:02}",
        "M": f"{moment.minute:02}", "S": f"{moment.second:02}", "y": f"{moment.year % 100:02}", "%": "%",
    }  # fmt: skip
    return _CODE.sub(lambda code: parts[code[1]], form)


def _moment(text: str) -> datetime:
    """ISO 8601, as written; or UTC, of GeneralizedTime and of Unix seconds."""
    try:
        if _UNIX.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        if generalized := _GENERALIZED.fullmatch(text):
            return datetime.strptime(generalized[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise GatewayError(translation_codes.DATE, "a value that is no date") from None
