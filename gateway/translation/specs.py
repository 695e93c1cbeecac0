"""A header or cookie of an application's file, compiled: plain values for the workers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.translation.charset import Encoding, Unencodable


@dataclass(frozen=True, slots=True)
class FromAttribute:
    """The values of an attribute, or of a name that the gateway knows.

    `join`: the separator; None: only a single value can be sent.
    `escape`: how a value with a separator is written; None: the value is refused.
    `whole`: joins the values first and encodes then.
    `only`: the only values that are sent.
    """

    name: str
    join: str | None = None
    escape: Literal["backslash", "quotes"] | None = None
    whole: bool = False
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """`parts`: text and name in turn. If a name has no value, the whole has none."""

    parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts[1::2]


@dataclass(frozen=True, slots=True)
class Constant:
    """A fixed text. `secret`: tools and pages hide the text."""

    text: str
    secret: bool = False


Source = FromAttribute | Template | Constant


@dataclass(frozen=True, slots=True)
class Simple:
    """`first`: takes the first of several values."""

    how: Literal["lower", "upper", "strip", "first"]


@dataclass(frozen=True, slots=True)
class Extract:
    """The text of the group of an RE2 expression, or of the whole match without a group. A value without a match is
    dropped.
    """

    expression: str


@dataclass(frozen=True, slots=True)
class Split:
    separator: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """`otherwise`: the treatment of a value without a row."""

    table: Mapping[str, str]
    otherwise: Literal["refuse", "keep", "omit"]


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str


@dataclass(frozen=True, slots=True)
class DateForm:
    """`form`: with `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`, `%y`, `%%`."""

    form: str


@dataclass(frozen=True, slots=True)
class Digest:
    """In hexadecimal, of the text in UTF-8."""

    algorithm: Literal["sha256", "sha512"]


Transform = Simple | Extract | Split | Lookup | Prefix | DateForm | Digest


@dataclass(frozen=True, slots=True)
class HeaderSpec:
    """`length`: the most bytes of a value; None: no limit.
    `absent`: sent for a person without a value.
    `nobody`: sent if nobody is signed in.
    """

    name: str
    source: Source
    encoding: Encoding = "utf8"
    unencodable: Unencodable = "refuse"
    transforms: tuple[Transform, ...] = ()
    length: int | None = None
    absent: str | None = None
    nobody: str | None = None


@dataclass(frozen=True, slots=True)
class CookieSpec:
    """As HeaderSpec. Without a signed-in person, no cookie is sent."""

    name: str
    source: Source
    encoding: Encoding = "utf8"
    unencodable: Unencodable = "refuse"
    transforms: tuple[Transform, ...] = ()
    length: int | None = None
    absent: str | None = None


Spec = HeaderSpec | CookieSpec


_TEMPLATE_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}?|\}|[^{}]+")


def parse_template(text: str) -> Template:
    """`{name}` stands for the value of a name, `{{` and `}}` for a brace. Raises
    GatewayError(translation_codes.SPEC)."""
    parts: list[str] = []
    fixed: list[str] = []
    for found in _TEMPLATE_PIECE.finditer(text):
        piece, name = found[0], found[1]
        if piece in ("{{", "}}"):
            fixed.append(piece[0])
        elif piece == "}":
            raise GatewayError(translation_codes.SPEC, "a brace that closes nothing: write }} for a brace")
        elif piece[0] != "{":
            fixed.append(piece)
        elif piece[-1] != "}" or not name.isidentifier():
            raise GatewayError(translation_codes.SPEC, "a template has names in braces, such as {given_name}")
        else:
            parts += ["".join(fixed), name]
            fixed.clear()
    parts.append("".join(fixed))
    if len(parts) == 1:
        raise GatewayError(translation_codes.SPEC, "a template without a name is a fixed text: write value")
    return Template(tuple(parts))
