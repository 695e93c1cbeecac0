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

# Servers disagree on where a cookie's name begins and ends, beyond the `;` on which they agree. A line is read twice,
# folded. Parted: `,` begins another cookie (RFC 2965, Perl's CGI), blanks and quotes do (Python's http.cookies); in
# PHP `app_user[x]` is an array app_user. Joined: all these are part of the name; `app user` and `app[user` are
# app_user in PHP. Before 7.4.11 it decoded a name first, and ended it at a NUL.
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_LOWER: Final = bytes(range(256)).lower()
_BEGINS: Final = b', "\t\n\v\f\r'
_ENDS: Final = b"[\0"
_PARTS: Final = bytes(
    ord(",") if byte in _BEGINS else ord("=") if byte in _ENDS else _LOWER[byte] for byte in range(256)
)
_IGNORED_PARTED: Final = bytes(
    byte for byte in range(256) if not bytes((byte,)).isalnum() and byte not in b";=" + _BEGINS + _ENDS
)
_IGNORED_JOINED: Final = _IGNORED_PARTED + _BEGINS + b"["


def read_cookie(header: bytes, name: bytes) -> bytes | None:
    """The value of the one cookie of this name of ours; two are an error: nobody could say which one counts."""
    values = _VALUES[name].findall(header)
    if len(values) > 1:
        raise _several(len(values), name)
    return values[0].rstrip(b" \t") if values else None


def _several(count: int, name: bytes) -> GatewayError:
    return GatewayError(WIRE_COOKIE, f"{count} or more cookies named {name.decode('ascii')}")


def without_cookies(header: bytes, names: frozenset[bytes]) -> bytes:
    """The Cookie value without our own cookies, and without each one that some server could read as one of `names`.

    `names`: fold() of those that the application's file injects. Nothing left: b"".
    """
    if header.count(b";") > _MOST_COOKIES:
        raise GatewayError(WIRE_COOKIE, "too many cookies")
    text = _ESCAPE.sub(_unescaped, header) if b"%" in header else header
    dropped: set[int] = set()
    for ignored in (_IGNORED_PARTED, _IGNORED_JOINED):
        reading = text.translate(_PARTS, ignored)
        # Two passes of C over the line; then each cookie is only asked for a few short strings.
        if _OURS in reading or any(name in reading for name in names):
            dropped.update(at for at, cookie in enumerate(reading.split(b";")) if _names_one_of(cookie, names))
    if not dropped:
        return header
    return b";".join(pair for at, pair in enumerate(header.split(b";")) if at not in dropped).strip(b" \t")


# A line that all servers read alike: names of plain characters, values in which none of them sees another cookie begin.
_PAIR: Final = rb"[A-Za-z0-9_.-]++=[\x21#$&-+\x2d-:<-Z\\-~]*+"
_USUAL: Final = re.compile(rb"%b(?:; %b)*+" % (_PAIR, _PAIR))
_LONGEST_USUAL: Final = 4096

# Names are remembered as headers.py remembers those of headers, and why so few is said there.
_REMEMBERED: Final = 1024
_REMEMBERED_LENGTH: Final = 64


class CookiePolicy:
    """`read_cookie` for our session and `without_cookies` in one, for one application. Of a usual line only the names
    are judged, and each of them once."""

    __slots__ = ("_dropped", "_names")

    def __init__(self, names: frozenset[bytes]) -> None:
        self._names = names
        self._dropped: dict[bytes, bool] = {}

    def read(self, header: bytes) -> tuple[bytes | None, bytes]:
        """The value of our session's cookie, and the line without what is not the application's to see."""
        if len(header) > _LONGEST_USUAL or _USUAL.fullmatch(header) is None:
            return read_cookie(header, SESSION_COOKIE), without_cookies(header, self._names)
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
        dropped = folded in self._names or folded.startswith(_OURS)
        if len(name) <= _REMEMBERED_LENGTH:
            if len(self._dropped) >= _REMEMBERED:
                self._dropped.clear()
            self._dropped[name] = dropped
        return dropped


def is_ours(set_cookie: bytes) -> bool:
    """Whether this Set-Cookie value sets a cookie named like ours, in any case, or a nameless one that reads so."""
    name = set_cookie.partition(b";")[0].lstrip(b' \t="').partition(b"=")[0]
    return fold(name).startswith(_OURS)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    byte = bytes((int(escape[1], 16),))
    return b"" if byte == b";" else byte


def _names_one_of(cookie: bytes, names: frozenset[bytes]) -> bool:
    if _OURS in cookie and (cookie.startswith(_OURS) or b",%b" % _OURS in cookie):
        return True
    for name in names:
        if name in cookie:
            around = b",%b," % cookie
            if b",%b=" % name in around or b",%b," % name in around:
                return True
    return False
