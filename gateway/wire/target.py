"""One reading of a request target, or none (RFC 9112 3.2, RFC 3986 3.3).

The target goes upstream byte for byte. Policy matches `segments`: the path decoded once, in the form that the
application itself will map. Whatever some server could read as another path is refused.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from gateway.model.codes import WIRE_TARGET
from gateway.model.errors import GatewayError


@dataclass(frozen=True, slots=True)
class PathLeniency:
    """What an application's file opens, each by its name; nothing else is loosened by any of them.

    `parameters`: names of path parameters that are taken off before the path is mapped, as Tomcat does.
    """

    parameters: frozenset[str] = frozenset()
    case_insensitive: bool = False
    merge_slashes: bool = False
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


STRICT: Final = PathLeniency()


class Target(NamedTuple):
    """`raw`: as received. `path` and `query`: its parts, as received. `segments`: `/a/` is ("a", ""), `/` is ("",)."""

    raw: bytes
    path: bytes
    query: bytes | None
    segments: tuple[str, ...]


# RFC 3986 pchar without `;` and `%`, and the three more that browsers send as they are and no server gives a meaning.
_PLAIN: Final = rb"A-Za-z0-9._~!$&'()*+,=:@|\[\]-"
# All visible ASCII but `#`. Old applications ask for more bytes than RFC 3986 grants, but none above 0x7f: those are
# read by each server in a charset of its own.
_QUERY: Final = rb"[\x21\x22\x24-\x7e]*+"
_SEGMENT: Final = rb"(?!\.\.?(?:[/?]|\Z))[%b]++" % _PLAIN

_SAFE: Final = re.compile(rb"(/(?:%b(?:/%b)*+/?)?)(?:\?(%b))?" % (_SEGMENT, _SEGMENT, _QUERY))
_ANY: Final = re.compile(rb"(/(?:[;/%b]|%%[0-9A-Fa-f]{2})*+)(?:\?(%b))?" % (_PLAIN, _QUERY))
_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?#]+)([/?].*)?", re.IGNORECASE | re.DOTALL)

# The rest of a request line behind its `?`. Groups: query, minor version.
QUERY_END: Final = re.compile(rb"(%b) HTTP/1\.([01])" % _QUERY)

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
# Decoded bytes that are separators for some server, or a second layer of encoding (`%u002f` is IIS's).
_SPLITS: Final = re.compile(rb"[\x00-\x1f\x7f/\\;]|%[0-9A-Fa-f]{2}|%[uU][0-9A-Fa-f]{4}")
# Overlong UTF-8, seen by one who reads latin-1. (The longer forms hold C1 controls.)
_OVERLONG: Final = re.compile(rb"[\xc0\xc1][\x80-\xbf]")
# What lenient servers and Windows' best fit make a separator of: U+2215 `/`. NFKC finds the others.
_LOOK_ALIKE: Final = re.compile("[\x80-\x9f\u2044\u2215\u2216]")
_SPLITS_TEXT: Final = re.compile(_SPLITS.pattern.decode("latin-1"))


def canonical_target(raw: bytes, leniency: PathLeniency = STRICT) -> Target:
    """Origin-form only."""
    safe = _SAFE.fullmatch(raw)
    if safe is not None:
        path, query = safe.groups()
        text = path[1:].decode("ascii")
        return Target(raw, path, query, tuple((text.lower() if leniency.case_insensitive else text).split("/")))
    lawful = _ANY.fullmatch(raw)
    if lawful is None:
        raise _refused("a byte that may not stand here, or a form other than the origin form", raw)
    path, query = lawful.groups()
    return Target(raw, path, query, _segments(path, leniency))


def absolute_form(raw: bytes) -> tuple[str, bytes, bytes]:
    """Scheme, host with port, and origin form of `http://host/path`. The host has to be that of the Host header
    (compare by canonical_host): RFC 9112 3.2.2 lets it win over Host, and no two parts may read differently."""
    match = _ABSOLUTE.fullmatch(raw)
    if match is None:
        raise _refused("neither origin form nor absolute form", raw)
    scheme, host, rest = match.groups()
    if rest is None or rest.startswith(b"?"):
        rest = b"/" + (rest or b"")
    return scheme.decode("ascii").lower(), host, rest


def _segments(path: bytes, leniency: PathLeniency) -> tuple[str, ...]:
    if b";" in path:
        path = _without_parameters(path, leniency.parameters)
    pieces = path[1:].split(b"/")
    if b"" in pieces[:-1]:
        if not leniency.merge_slashes:
            raise _refused("an empty segment", path)
        pieces = [piece for piece in pieces[:-1] if piece] + pieces[-1:]
    return tuple(_mapped(_decoded(piece, leniency.encoding), leniency) for piece in pieces)


def _without_parameters(path: bytes, names: frozenset[str]) -> bytes:
    """Taken off from `;` to the end of its segment, before anything is decoded: the order that Tomcat follows."""
    listed = "|".join(map(re.escape, sorted(names))).encode("ascii")
    stripped = re.sub(rb";(?:%b)=[A-Za-z0-9._~!:+*-]*+(?=/|\Z)" % listed, b"", path) if names else path
    if b";" in stripped:
        raise _refused("a path parameter that is not listed, or two on one segment", path)
    return stripped


def _decoded(piece: bytes, encoding: str) -> str:
    """Percent-decoded, exactly once."""
    data = _ESCAPE.sub(lambda escape: bytes((int(escape[1], 16),)), piece) if b"%" in piece else piece
    if _SPLITS.search(data) is not None or data in {b".", b".."}:
        raise _refused("a dot segment, or an encoded separator, control or percent sign", piece)
    if data.isascii():
        return data.decode("ascii")
    if encoding == "latin-1":
        # What is UTF-8 all the same is looked at as such: many a server tries that first.
        _refuse_look_alikes(data.decode("utf-8", "replace"), piece)
        if _OVERLONG.search(data) is not None:
            raise _refused("overlong UTF-8", piece)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise _refused("not UTF-8", piece) from None
    _refuse_look_alikes(text, piece)
    return text


def _refuse_look_alikes(text: str, piece: bytes) -> None:
    compatible = unicodedata.normalize("NFKC", text)
    if compatible in {".", ".."} or _SPLITS_TEXT.search(compatible) or _LOOK_ALIKE.search(text):
        raise _refused("a control character, or a look-alike of a separator", piece)


def _mapped(text: str, leniency: PathLeniency) -> str:
    """The form that rules are compared with: NFC, and lower case where the application knows no other.

    A composed and a decomposed `é` meet the same rule, whichever the application's file system holds.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return _lowered(text) if leniency.case_insensitive else text


def _lowered(text: str) -> str:
    lowered = text.lower()
    if text.isascii():
        return lowered
    # `ı`, `ſ` and `ß` become other letters on the way to upper case and back: servers differ on what they equal.
    if len(lowered) != len(text) or lowered.upper().lower() != lowered:
        raise _refused("a letter without one lower case", text.encode())
    return lowered


def _refused(why: str, data: bytes) -> GatewayError:
    # Values of queries and parameters may be secrets; the log gets none.
    shown = data.partition(b"?")[0].partition(b"=")[0]
    return GatewayError(WIRE_TARGET, f"{why}: {shown[:120]!r}")
