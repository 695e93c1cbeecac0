"""One reading of a request target, or a refusal (RFC 9112 3.2, RFC 3986 3.3).

The target goes upstream byte for byte. Policy matches `segments`: the path, decoded once, in the form that the
application maps. A target that a server could read as a different path is refused.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.wire.look_alikes import BEST_FIT, IGNORED, SEPARATORS


@dataclass(frozen=True, slots=True)
class PathLeniency:
    """The leniencies that an application's file names. A leniency loosens nothing else.

    Removed before the path is mapped:
    `parameters`: path parameters with these names, as Tomcat does.
    `cookieless`: one segment `(S(...))`, as ASP.NET does.
    `windows`: dots and blanks at the end of a name, as Windows does.
    `mangled`: `(...)` at the end of the first segment that the application receives, as SAP does; after `root` segments
    that only browsers see.

    Read as part of a name:
    `escaped`: the characters of `?`, `#` and `;` that the application reads as part of a name when escaped; `;`
    unescaped too.
    `kept`: the escapes (`%2F`, `%5C`) that the application does not decode, so a segment contains them.
    `decoded_once`: names may look like escapes (`%2541` for `%41`), unless decoding again would give a separator.
    """

    parameters: frozenset[str] = frozenset()
    case_insensitive: bool = False
    merge_slashes: bool = False
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    escaped: frozenset[str] = frozenset()
    cookieless: bool = False
    windows: bool = False
    mangled: bool = False
    kept: frozenset[str] = frozenset()
    decoded_once: bool = False
    root: int = 0


STRICT: Final = PathLeniency()


class Target(NamedTuple):
    """`raw`: as received.
    `path`, `query`: the parts of `raw`, as received.
    `segments`: `/a/` is ("a", ""), `/` is ("",).
    `other`: the segments for a server that tries UTF-8 first, if different. Both readings must meet the same rules.
    """

    raw: bytes
    path: bytes
    query: bytes | None
    segments: tuple[str, ...]
    other: tuple[str, ...] | None = None


# RFC 3986 pchar without `;` and `%`, and three more characters that browsers do not escape and that have no meaning for
# servers. The fast reading excludes `(`, with which ASP.NET's sessions begin. For applications that ignore case, it
# also excludes characters with a meaning on Windows.
_LETTERS: Final = rb"A-Za-z0-9._!$&'),=@|\[\]+-"
_PLAIN: Final = rb"~*:(" + _LETTERS
# Visible ASCII without `#`. Old applications use more characters than RFC 3986 allows. Bytes above 0x7f are refused:
# servers read them in different charsets.
_QUERY: Final = rb"[\x21\x22\x24-\x7e]*+"


def _safe(segment: bytes) -> bytes:
    return rb"(/(?:%b(?:/%b)*+/?)?)(?:\?(%b))?" % (segment, segment, _QUERY)


_SAFE: Final = re.compile(_safe(rb"(?!\.\.?(?:[/?]|\Z))[~*:%b]++" % _LETTERS))
_SAFE_CASELESS: Final = re.compile(_safe(rb"[%b]++(?<!\.)" % _LETTERS))
_ANY: Final = re.compile(rb"(/(?:[;/%b]|%%[0-9A-Fa-f]{2})*+)(?:\?(%b))?" % (_PLAIN, _QUERY))
_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?#]+)([/?].*)?", re.IGNORECASE | re.DOTALL)

# The end of a request line, behind its `?`. Groups: query, minor version.
QUERY_END: Final = re.compile(rb"(%b) HTTP/1\.([01])" % _QUERY)

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
# Decoded bytes that a server may read as a separator, perhaps after a second decoding (`proxy_pass http://app$uri`),
# and a second layer of encoding (IIS knows `%u002f`).
_SPLITS: Final = re.compile(rb"[\x00-\x1f\x7f/\\;?#]|%[0-9A-Fa-f]{2}|%[uU][0-9A-Fa-f]{4}")
# Overlong UTF-8 and halves of surrogate pairs. Read as latin-1, they would be text.
_OVERLONG: Final = re.compile(
    rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
    rb"|\xf0[\x80-\x8f][\x80-\xbf]{2}|\xf8[\x80-\x87][\x80-\xbf]{3}|\xfc[\x80-\x83][\x80-\xbf]{4}"
)
_ESCAPE_TEXT: Final = re.compile(_ESCAPE.pattern.decode("ascii"))
# Characters at which a server may cut a name: parameters, sessions of ASP.NET and SAP, a query, a fragment.
_CUTS: Final = re.compile(r"[;(?#]")
_SPLITS_TEXT: Final = re.compile(_SPLITS.pattern.decode("latin-1"))

# ASP.NET takes `/(S(x))` out of a path. Some versions take it out of `/(S(x))min` too, and the first version took 24
# letters and digits. (CVE-2023-36899; CookielessHelperClass.RemoveCookielessValuesFromPath.)
_LIKE_COOKIELESS: Final = re.compile(r"\([A-Za-z]\(|\([A-Za-z0-9]{24}\)")
_COOKIELESS: Final = re.compile(rb"/\((?:[A-Z]\([A-Za-z0-9_-]*+\))++\)(?=/)")
_SESSION: Final = re.compile(rb"(?:\(|%28)(?:[A-Za-z](?:\(|%28)|[A-Za-z0-9]{24}).*")
# SAP's ICF takes `(...)` off the first segment, `/sap(bD1kZSZjPTEwMA==)/bc/` being `/sap/bc/`: base64 of `l=de&c=100`,
# which is language, client, and sometimes a session. Beside SAP's own root only what begins like that counts, because
# `/Foo_(bar)` and OData's `/Entity(1)` are pages of many applications.
_LIKE_MANGLED: Final = re.compile(r"(?i:sap)\(|[^()]+\([Q-WY-Za-e][DTjz][0-3]")
_MANGLED: Final = re.compile(r"([^()]+)\([A-Za-z0-9+=_!-]*\)")
_SHOWN_MANGLED: Final = re.compile(rb"(/(?:[Ss][Aa][Pp]|[^/()]+(?=\([Q-WY-Za-e][DTjz][0-3])))\([A-Za-z0-9+=_!-]*\)")
_SHOWN_PARAMETER: Final = re.compile(rb"(;[^=;/]*=)[^;/]*")
_SHOWN_COOKIELESS: Final = re.compile(rb"/\(([A-Za-z])\([^/]*")
_PARENTHESIS: Final = re.compile(rb"/(?:\(|%28)")
# Zope's Virtual Host Monster, at the root of Plone: maps the path after the second word, from the object that the first
# word names.
_ZOPE: Final = frozenset({"VirtualHostBase", "VirtualHostRoot"})
# Short names (`PROGRA~1`), streams (`a::$DATA`, `a:$I30:$INDEX_ALLOCATION`), drives and wildcards.
_WINDOWS: Final = re.compile(r"""~[0-9]|::|\A[^:]*+:.*\$|:\Z|["*<>]|[. ]\Z""", re.DOTALL)
# The longest address to which we send a browser back, in characters, and the first segment of our own endpoints.
_LONGEST_RETURN: Final = 8192
# A segment takes some microseconds in a path with more than plain letters.
_MOST_SEGMENTS: Final = 500
_OUR_PATHS: Final = "_ecluse"


def canonical_target(raw: bytes, leniency: PathLeniency = STRICT) -> Target:
    """Read a target in origin form. Raises GatewayError(wire_codes.TARGET) where two servers could read it
    differently."""
    caseless = leniency.case_insensitive
    safe = (_SAFE_CASELESS if caseless else _SAFE).fullmatch(raw)
    if safe is not None and b"VirtualHost" not in raw:
        path, query = safe.groups()
        text = path[1:].decode("ascii")
        return Target(raw, path, query, tuple((text.lower() if caseless else text).split("/")))
    lawful = _ANY.fullmatch(raw)
    if lawful is None:
        raise _refused("a byte that is not allowed, or a form other than the origin form", raw)
    path, query = lawful.groups()
    if path.count(b"/") > _MOST_SEGMENTS:
        raise _refused(f"more than {_MOST_SEGMENTS} segments, with one that needs a close check", raw)
    return Target(raw, path, query, *_readings(path, leniency))


def safe_target(raw: str, leniency: PathLeniency = STRICT) -> str | None:
    """A safe return address for a browser: `raw`, if it is a path of the same host with a single reading, and not an
    endpoint of ours. Else None. Two slashes at the start are always refused: a browser would read a host.

    `leniency`: the application's leniency.
    """
    if len(raw) > _LONGEST_RETURN or not raw.isascii() or raw.startswith("//"):
        return None
    try:
        target = canonical_target(raw.encode("ascii"), leniency)
    except GatewayError:
        return None
    return None if target.segments[0].lower() == _OUR_PATHS else raw


def absolute_form(raw: bytes) -> tuple[str, bytes, bytes]:
    """Scheme, host with port, and origin form of `http://host/path`. The caller compares the host with the Host header
    by canonical_host. They must agree, because servers differ on which host they read (RFC 9112 3.2.2).
    """
    match = _ABSOLUTE.fullmatch(raw)
    if match is None:
        raise _refused("neither origin form nor absolute form", raw)
    scheme, host, rest = match.groups()
    if rest is None or rest.startswith(b"?"):
        rest = b"/" + (rest or b"")
    return scheme.decode("ascii").lower(), host, rest


def loosest_path(path: str) -> str:
    """A path as the loosest of servers might look it up, to compare and never to pass on: decoded twice, `\\` read as
    `/`, without parameters, sessions, empty segments, and dots and blanks at the ends of names; in lower case."""
    for _ in range(2):
        path = _ESCAPE_TEXT.sub(lambda escape: chr(int(escape[1], 16)), path)
    compatible = unicodedata.normalize("NFKC", path).lower().replace("\\", "/")
    names = (_CUTS.split(name, maxsplit=1)[0].rstrip(". ") for name in compatible.split("/"))
    return "/" + "/".join(name for name in names if name)


def for_logs(path: bytes) -> bytes:
    """The path without sessions, for log lines."""
    if b";" in path:
        path = _SHOWN_PARAMETER.sub(rb"\1_", path)
    if b"/(" in path:
        path = _SHOWN_COOKIELESS.sub(rb"/(\1(_))", path)
    return _SHOWN_MANGLED.sub(rb"\1(_)", path) if b"(" in path else path


def _readings(path: bytes, leniency: PathLeniency) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    if b";" in path and ";" not in leniency.escaped:
        path = _without_parameters(path, leniency.parameters)
    if leniency.cookieless:
        path = _without_cookieless(path)
    pieces = path[1:].split(b"/")
    if b"" in pieces[:-1]:
        if not leniency.merge_slashes:
            raise _refused("an empty segment", path)
        pieces = [piece for piece in pieces[:-1] if piece] + pieces[-1:]
    decoded = [_texts(piece, leniency) for piece in pieces]
    first = leniency.root
    decoded[first : first + 1] = [
        [_without_mangling(text, leniency.mangled) for text in texts] for texts in decoded[first : first + 1]
    ]
    segments = _mapped([texts[0] for texts in decoded], leniency)
    if all(len(texts) == 1 for texts in decoded):
        return segments, None
    return segments, _mapped([texts[-1] for texts in decoded], leniency)


def _without_parameters(path: bytes, names: frozenset[str]) -> bytes:
    """Take the listed parameters off, from `;` to the end of a segment, before anything is decoded, as Tomcat does."""
    listed = "|".join(map(re.escape, sorted(names))).encode("ascii")
    stripped = re.sub(rb";(?:%b)=[A-Za-z0-9._~!:+*-]*+(?=/|\Z)" % listed, b"", path) if names else path
    if b";" in stripped:
        raise _refused("a path parameter that is not listed, or two on one segment", path)
    return stripped


def _without_cookieless(path: bytes) -> bytes:
    """Removes a cookieless session with its slash, once, as ASP.NET does. Two sessions are refused: versions differ."""
    stripped = _COOKIELESS.sub(b"", path, count=1)
    if stripped != path and _PARENTHESIS.search(stripped):
        raise _refused("two segments in parentheses, of which one is a cookieless session", path)
    return stripped


def _without_mangling(text: str, named: bool) -> str:
    """Checks the first segment. `named`: the application's file removes the segment."""
    compatible = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not named:
        if _LIKE_MANGLED.match(compatible):
            raise _refused("a session in the path, as SAP writes it", text.encode())
        return text
    found = _MANGLED.fullmatch(text)
    if found is None and "(" in compatible:
        raise _refused("parentheses in the first segment, which SAP may read as a session", text.encode())
    return text if found is None else found[1]


def _texts(piece: bytes, leniency: PathLeniency) -> list[str]:
    """A segment: one text, or two if the application's charset and UTF-8 can both read the bytes. The two sides of a
    kept escape must be lawful segments or empty: a server that decodes the escape must not find `..`.
    """
    if not leniency.kept:
        return _decoded(piece, leniency)
    parts = re.split(rb"(?i)(%b)" % "|".join(sorted(leniency.kept)).encode("ascii"), piece)
    read = [
        [part.decode("ascii").upper()] if place % 2 else _decoded(part, leniency) for place, part in enumerate(parts)
    ]
    if leniency.case_insensitive and len(parts) > 1:
        # Windows reads `.. ` as `..`. For a server that decodes the escape, each part is a separate name.
        for texts in read[::2]:
            for text in texts:
                _refuse_windows(text)
    several = any(len(texts) > 1 for texts in read)
    return ["".join(texts[which] for texts in read) for which in ((0, -1) if several else (0,))]


def _decoded(piece: bytes, leniency: PathLeniency) -> list[str]:
    """A segment, or one side of a kept escape, percent-decoded once."""
    data = _unescaped(piece) if b"%" in piece else piece
    checked = data
    if leniency.decoded_once and _ESCAPE.search(data) is not None:
        _decoded(data, replace(leniency, decoded_once=False))
        checked = _ESCAPE.sub(b"_", data)
    for mark in leniency.escaped:
        checked = checked.replace(mark.encode("ascii"), b"_")
    if _SPLITS.search(checked) is not None or data.partition(b";")[0] in {b".", b".."}:
        raise _refused("a dot segment, or an encoded separator, control or percent sign", piece)
    if data.isascii():
        texts = [data.decode("ascii")]
    elif leniency.encoding == "latin-1":
        # A server that reads UTF-8 with invalid bytes must find no look-alike either.
        _refuse_look_alikes(data.decode("utf-8", "replace"), leniency, piece)
        texts = _both(data, piece)
    else:
        texts = _read(data, "utf-8")
    if not texts:
        raise _refused("not a text in the charset of the application", piece)
    for text in texts:
        _refuse_look_alikes(text, leniency, piece)
    return texts


def _unescaped(piece: bytes) -> bytes:
    return _ESCAPE.sub(lambda escape: bytes((int(escape[1], 16),)), piece)


def _both(data: bytes, piece: bytes) -> list[str]:
    """The text in windows-1252, which browsers call latin-1 (WHATWG Encoding 4.2), and in UTF-8 if valid: browsers send
    UTF-8 for an address typed by a person, and many servers try UTF-8 first.
    """
    if _OVERLONG.search(data) is not None:
        raise _refused("overlong UTF-8", piece)
    # 0x85 is a line end in ISO 8859-1.
    return ([] if b"\x85" in data else _read(data, "cp1252")) + _read(data, "utf-8")


def _read(data: bytes, charset: str) -> list[str]:
    try:
        return [data.decode(charset)]
    except UnicodeDecodeError:
        return []


def _refuse_look_alikes(text: str, leniency: PathLeniency, piece: bytes) -> None:
    # Only escapes with plain digits count as undecoded: an escape of look-alike digits is checked.
    seen = _ESCAPE_TEXT.sub("_", text) if leniency.decoded_once else text
    compatible = seen if seen.isascii() else unicodedata.normalize("NFKC", seen)
    if text in _ZOPE:
        raise _refused("a part of the path that Zope takes for another host and page", piece)
    if _LIKE_COOKIELESS.match(compatible):
        raise _refused("a session in the path, as ASP.NET writes it", piece)
    if text.isascii():
        return
    for mark in leniency.escaped:
        compatible = compatible.replace(mark, "_")
    if compatible in {".", ".."} or SEPARATORS.search(text) or _SPLITS_TEXT.search(compatible):
        raise _refused("a control character, or a look-alike of a separator", piece)


def _mapped(texts: list[str], leniency: PathLeniency) -> tuple[str, ...]:
    """The form for comparison with rules: NFC, and lower case for applications that ignore case.

    A composed and a decomposed `é` meet the same rule, whichever form the application's file system has.
    """
    composed = [text if text.isascii() else unicodedata.normalize("NFC", text) for text in texts]
    if not leniency.case_insensitive:
        return tuple(composed)
    if leniency.windows:
        composed = [*map(_without_dot, composed[:-1]), composed[-1].rstrip(". ")]
        if "" in composed[:-1] or (texts[-1] and not composed[-1]):
            raise _refused("a name of only dots and blanks", "/".join(texts).encode())
    return tuple(_lowered(_refuse_windows(text)) for text in composed)


def _without_dot(text: str) -> str:
    """Within a path, Windows removes one dot. More dots, or blanks, are refused: versions of Windows differ."""
    return text.removesuffix(".")


def _refuse_windows(text: str) -> str:
    """Refuses names that Windows reads as a different name. Allows devices such as `nul`: no page has a device's
    name."""
    if _WINDOWS.search(text):
        raise _refused("a name that Windows reads as another (`a~1`, `a::$DATA`, `a.`, `a*`)", text.encode())
    if BEST_FIT.search(text):
        raise _refused("a letter that Windows takes for another (best fit)", text.encode())
    if IGNORED.search(text):
        raise _refused("a letter without a form, which HFS+ and some comparisons ignore", text.encode())
    return text


def _lowered(text: str) -> str:
    lowered = text.lower()
    if text.isascii():
        return lowered
    # `ı`, `ſ` and `ß` become other letters on the way to upper case and back. Servers differ on equality.
    if len(lowered) != len(text) or lowered.upper().lower() != lowered:
        raise _refused("a letter without one lower case", text.encode())
    return lowered


def _refused(why: str, data: bytes) -> GatewayError:
    # The log omits sessions, which are secrets, and the values of queries and parameters, which may be.
    shown = _SESSION.sub(b"(...)", data.partition(b"?")[0].partition(b"=")[0])
    return GatewayError(wire_codes.TARGET, f"{why}: {shown[:120]!r}")
