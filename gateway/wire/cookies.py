"""Cookie lines as bytes: reading our own, and taking out what the application must not see.

What stays, stays byte for byte.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.codes import WIRE_COOKIE
from gateway.model.errors import GatewayError
from gateway.model.names import fold

SESSION_COOKIE: Final = b"__Host-ecluse"
BINDING_COOKIE: Final = b"__Host-ecluse-b"

# fold() of every name of ours begins so.
_OURS: Final = b"hostecluse"
_VALUES: Final[Mapping[bytes, re.Pattern[bytes]]] = {
    name: re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % name) for name in (SESSION_COOKIE, BINDING_COOKIE)
}

# Browsers keep some 180 per site. More than this would cost the others' time.
_MOST_COOKIES: Final = 5000

# Servers disagree on where a cookie's name begins and ends, beyond the `;` on which they agree. A line is read four
# times, folded. Joined: all else is part of the name; `app user` and `app[user` are app_user in PHP. Parted: `,` begins
# another cookie (RFC 2965, Perl's CGI), blanks and quotes do (Python's http.cookies); in PHP `app_user[x]` is an array
# app_user. Searched: WebOb and old Cookie.pys search on for `name=` behind any byte that they know in no value.
# Token: a name ends at any separator of RFC 2616, and old Tomcats take it for one without a value.
# Names are decoded by PHP before 7.4.11, which ended them at a NUL, and by Perl and classic ASP, `%u0061` as well.
_ESCAPE: Final = re.compile(rb"%(?:([0-9A-Fa-f]{2})|[uU]00([0-9A-Fa-f]{2}))")
_LOWER: Final = bytes(range(256)).lower()
_BEGINS: Final = b', "\t\n\v\f\r'
_ENDS: Final = b"[\0"
_ALNUM: Final = bytes(byte for byte in range(256) if bytes((byte,)).isalnum())
_NO_VALUE: Final = bytes(byte for byte in range(256) if not 0x20 < byte < 0x7F) + b","
_NO_NAME: Final = b'"[]\\'
_SEPARATORS: Final = b' \t"()/:<>?@[\\]{}'


def _table(**marks: bytes) -> bytes:
    """Lower case; each byte of `comma`, `equals` and `bar` is that."""
    marked = {byte: mark for mark, found in zip(b",=|", marks.values(), strict=False) for byte in found}
    return bytes(marked.get(byte, _LOWER[byte]) for byte in range(256))


def _but(kept: bytes) -> bytes:
    """What is ignored."""
    return bytes(byte for byte in range(256) if byte not in _ALNUM + b";=" + kept)


_JOINED: Final = _LOWER, _but(b"")
_PARTED: Final = _table(comma=_BEGINS, equals=_ENDS), _but(_BEGINS + _ENDS)
_SEARCHED: Final = _table(comma=_NO_VALUE, equals=b"", bar=_NO_NAME), _but(_NO_VALUE + _NO_NAME)
_TOKEN: Final = _table(comma=b",", equals=_SEPARATORS), _but(b"," + _SEPARATORS)
# Of a joined reading: a pair without a name. What follows the `=` is one to Werkzeug before 2.2.3 and old Tomcats.
_NAMELESS: Final = re.compile(rb"(?:\A|;)(?:=|;|\Z)")


def read_cookie(header: bytes, name: bytes) -> bytes | None:
    """The value of the one cookie of this name of ours; two are an error: nobody could say which one counts."""
    values = _VALUES[name].findall(header)
    if len(values) > 1:
        raise _several(len(values), name)
    return values[0].rstrip(b" \t") if values else None


def _several(count: int, name: bytes) -> GatewayError:
    return GatewayError(WIRE_COOKIE, f"{count} or more cookies named {name.decode('ascii')}")


def without_cookies(header: bytes, names: frozenset[bytes]) -> bytes:
    """The Cookie value without our own cookies, those without a name, and each one that some server could read as one
    of `names`: fold() of those that the application's file injects. Nothing left: b""."""
    return _Finder(names).without(header)


class _Finder:
    """Finds what is not the application's in lines of any form: two passes of C over each reading of a line, and only
    where something was found over each of its cookies."""

    __slots__ = ("_named", "_readings")

    def __init__(self, names: frozenset[bytes]) -> None:
        listed = b"|".join(sorted(names)) or b"(?!)"
        named = re.compile(rb"(?:\A|[,;])=*+(?:%b|(?:%b)(?:[=,;]|\Z))" % (_OURS, listed))
        searched = re.compile(rb"(?:\A|[,;|])=*+(?:%b|(?:%b),*+=)" % (_OURS, listed))
        self._readings = (
            (_JOINED, named),
            (_JOINED, _NAMELESS),
            (_PARTED, named),
            (_TOKEN, named),
            (_SEARCHED, searched),
        )

    def without(self, header: bytes) -> bytes:
        if header.count(b";") > _MOST_COOKIES:
            raise GatewayError(WIRE_COOKIE, "too many cookies")
        text = _ESCAPE.sub(_unescaped, header) if b"%" in header else header
        pairs = header.split(b";")
        dropped: set[int] = set()
        for (table, ignored), sought in self._readings:
            reading = text.translate(table, ignored)
            if sought.search(reading) is not None:
                dropped.update(at for at, pair in enumerate(reading.split(b";")) if sought.search(pair) is not None)
        # Where nothing at all stands between two `;`, there is nothing to be read.
        dropped = {at for at in dropped if pairs[at].strip(b" \t")}
        if not dropped:
            return header
        return b";".join(pair for at, pair in enumerate(pairs) if at not in dropped).strip(b" \t")


# A line that all servers read alike: names of plain characters, values in which none of them sees another cookie begin.
_PAIR: Final = rb"[A-Za-z0-9_.-]++=[\x21#$&-+\x2d-:<-Z^-~]*+"
_USUAL: Final = re.compile(rb"%b(?:; %b)*+" % (_PAIR, _PAIR))
_LONGEST_USUAL: Final = 4096

# Names are remembered as headers.py remembers those of headers, and why so few is said there.
_REMEMBERED: Final = 1024
_REMEMBERED_LENGTH: Final = 64


class CookiePolicy:
    """`read_cookie` for our session and `without_cookies` in one, for one application. Of a usual line only the names
    are judged, and each of them once."""

    __slots__ = ("_dropped", "_finder", "_names")

    def __init__(self, names: frozenset[bytes]) -> None:
        self._names = names
        self._finder = _Finder(names)
        self._dropped: dict[bytes, bool] = {}

    def read(self, header: bytes) -> tuple[bytes | None, bytes]:
        """The value of our session's cookie, and the line without what is not the application's to see."""
        if len(header) > _LONGEST_USUAL or _USUAL.fullmatch(header) is None:
            return read_cookie(header, SESSION_COOKIE), self._finder.without(header)
        value, kept = None, []
        for pair in header.split(b"; "):
            name, _, content = pair.partition(b"=")
            dropped = self._dropped.get(name)
            if dropped is None:
                dropped = self._learn(name)
            if not dropped:
                kept.append(pair)
            elif name == SESSION_COOKIE:
                if value is not None:
                    raise _several(2, name)
                value = content
        return value, b"; ".join(kept)

    def _learn(self, name: bytes) -> bool:
        folded = fold(name)
        dropped = not folded or folded in self._names or folded.startswith(_OURS)
        if len(name) <= _REMEMBERED_LENGTH:
            if len(self._dropped) >= _REMEMBERED:
                self._dropped.clear()
            self._dropped[name] = dropped
        return dropped


def is_ours(set_cookie: bytes) -> bool:
    """Whether this Set-Cookie value sets a cookie named like ours, in any case, or a nameless one that reads so."""
    return fold(set_cookie.partition(b";")[0]).startswith(_OURS)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    byte = bytes((int(escape[1] or escape[2], 16),))
    return b"" if byte == b";" else byte
