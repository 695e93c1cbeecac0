"""Cookie lines as bytes: reads our own cookies, and removes the cookies that the application must not see. The rest of
the line stays unchanged, byte for byte. Also the one form of each of our cookies, and its Set-Cookie.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.model.names import fold

SESSION_COOKIE: Final = b"__Host-ecluse"
BINDING_COOKIE: Final = b"__Host-ecluse-b"
LANGUAGE_COOKIE: Final = b"__Host-ecluse-lang"

# The beginning of our cookies' names, folded.
OURS: Final = b"hostecluse"
_VALUES: Final[Mapping[bytes, re.Pattern[bytes]]] = {
    name: re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % name) for name in (SESSION_COOKIE, BINDING_COOKIE)
}

# Browsers keep some 180 cookies per site. A line with more cookies would take the time of other requests.
_MOST_COOKIES: Final = 5000
_FINDERS: Final = 256

# Servers agree that `;` separates cookies, but not on where a name begins and ends. So a line is read in six ways,
# folded. Joined: the name is the text up to `=`; in PHP, `app user` and `app[user` are app_user. Parted: `,` begins a
# new cookie (RFC 2965, Perl's CGI), as blanks and quotes do (Python's http.cookies); in PHP, `app_user[x]` is an array
# app_user. Array, cut: the same for `app user[x]`; a NUL ends the name of `app[user%00x`. Searching readers (WebOb, old
# versions of Cookie.py) look for the next `name=` after a byte that values cannot contain. For readers of tokens (old
# Tomcats), a name ends at a separator of RFC 2616, and may have no value. PHP before 7.4.11 decodes names and ends them
# at a NUL. Perl and classic ASP also decode names, `%u0061` included.
_ESCAPE: Final = re.compile(rb"%(?:([0-9A-Fa-f]{2})|[uU]00([0-9A-Fa-f]{2}))")
_LOWER: Final = bytes(range(256)).lower()
_BEGINS: Final = b', "\t\n\v\f\r'
_ENDS: Final = b"[\0"
_ALNUM: Final = bytes(byte for byte in range(256) if bytes((byte,)).isalnum())
_NO_VALUE: Final = bytes(byte for byte in range(256) if not 0x20 < byte < 0x7F) + b","
_NO_NAME: Final = b'"[]\\'
_SEPARATORS: Final = b' \t"()/:<>?@[\\]{}'


def _table(**marks: bytes) -> bytes:
    """A translation table to lower case. The bytes of `comma`, `equals` and `bar` become `,`, `=` and `|`."""
    marked = {byte: mark for mark, found in zip(b",=|", marks.values(), strict=False) for byte in found}
    return bytes(marked.get(byte, _LOWER[byte]) for byte in range(256))


def _but(kept: bytes) -> bytes:
    """The bytes that a reading ignores: the complement of `kept`."""
    return bytes(byte for byte in range(256) if byte not in _ALNUM + b";=" + kept)


_JOINED: Final = _LOWER, _but(b"")
_PARTED: Final = _table(comma=_BEGINS, equals=_ENDS), _but(_BEGINS + _ENDS)
_ARRAY: Final = _table(comma=b"", equals=_ENDS), _but(_ENDS)
_CUT: Final = _table(comma=b"", equals=b"\0"), _but(b"\0")
_SEARCHED: Final = _table(comma=_NO_VALUE, equals=b"", bar=_NO_NAME), _but(_NO_VALUE + _NO_NAME)
_TOKEN: Final = _table(comma=b",", equals=_SEPARATORS), _but(b"," + _SEPARATORS)
# A pair without a name, in a joined reading. Werkzeug before 2.2.3 and old Tomcats take what follows `=` for a cookie.
_NAMELESS: Final = re.compile(rb"(?:\A|;)(?:=|;|\Z)")


def read_cookie(header: bytes, name: bytes) -> bytes | None:
    """The value of our cookie `name`; None if absent.

    Raises GatewayError for two cookies with the name: the valid cookie is unknown.
    """
    values = _VALUES[name].findall(header)
    if len(values) > 1:
        raise _several(len(values), name)
    return values[0].rstrip(b" \t") if values else None


def _several(count: int, name: bytes) -> GatewayError:
    return GatewayError(wire_codes.COOKIE, f"{count} or more cookies named {name.decode('ascii')}")


def without_cookies(header: bytes, names: frozenset[bytes]) -> bytes:
    """The Cookie value without our cookies, nameless cookies, and cookies that a server could read as one of `names`.
    b"" if no cookie is left.

    `names`: the folded names of the cookies that the application's file injects.
    """
    return _finder(names).without(header)


class _Finder:
    """Finds the cookies that the application must not see, in lines of any form. Two regular expressions search the
    readings of a line. Only a match leads to a check of the cookies one by one.
    """

    __slots__ = ("_named", "_readings")

    def __init__(self, names: frozenset[bytes]) -> None:
        listed = b"|".join(sorted(names)) or b"(?!)"
        named = re.compile(rb"(?:\A|[,;])=*+(?:%b|(?:%b)(?:[=,;]|\Z))" % (OURS, listed))
        searched = re.compile(rb"(?:\A|[,;|])=*+(?:%b|(?:%b),*+=)" % (OURS, listed))
        self._readings = (
            (_JOINED, named),
            (_JOINED, _NAMELESS),
            (_PARTED, named),
            (_ARRAY, named),
            (_CUT, named),
            (_TOKEN, named),
            (_SEARCHED, searched),
        )

    def without(self, header: bytes) -> bytes:
        if header.count(b";") > _MOST_COOKIES:
            raise GatewayError(wire_codes.COOKIE, "too many cookies")
        text = _ESCAPE.sub(_unescaped, header) if b"%" in header else header
        pairs = header.split(b";")
        dropped: set[int] = set()
        for (table, ignored), sought in self._readings:
            reading = text.translate(table, ignored)
            if sought.search(reading) is not None:
                dropped.update(at for at, pair in enumerate(reading.split(b";")) if sought.search(pair) is not None)
        # An empty text between two `;` is no cookie in any reading.
        dropped = {at for at in dropped if pairs[at].strip(b" \t")}
        if not dropped:
            return header
        return b";".join(pair for at, pair in enumerate(pairs) if at not in dropped).strip(b" \t")


@lru_cache(_FINDERS)
def _finder(names: frozenset[bytes]) -> _Finder:
    """Cached: the applications that inject no cookie, most of them, share a finder."""
    return _Finder(names)


# A line that every server reads alike: plain names, and values in which no server sees the beginning of a cookie.
_PAIR: Final = rb"[A-Za-z0-9_.-]++=[\x21#$&-+\x2d-:<-Z^-~]*+"
_USUAL: Final = re.compile(rb"%b(?:; %b)*+" % (_PAIR, _PAIR))
_LONGEST_USUAL: Final = 4096

# The limit has the same reason as in headers.py.
_REMEMBERED: Final = 1024
_REMEMBERED_LENGTH: Final = 64


class CookiePolicy:
    """`read_cookie` for our session and `without_cookies` in one step, for an application. In a usual line only names
    are checked, and a name only once.
    """

    __slots__ = ("_dropped", "_finder", "_names")

    def __init__(self, names: frozenset[bytes]) -> None:
        self._names = names
        self._finder = _finder(names)
        self._dropped: dict[bytes, bool] = {}

    def read(self, header: bytes) -> tuple[bytes | None, bytes]:
        """The value of our session cookie, and the line without what the application must not see."""
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
        dropped = not folded or folded in self._names or folded.startswith(OURS)
        if len(name) <= _REMEMBERED_LENGTH:
            if len(self._dropped) >= _REMEMBERED:
                self._dropped.clear()
            self._dropped[name] = dropped
        return dropped


def is_ours(set_cookie: bytes) -> bool:
    """Whether a Set-Cookie value sets a cookie with a name of ours, in any case, or a nameless cookie that reads as
    ours.
    """
    return fold(set_cookie.partition(b";")[0]).startswith(OURS)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    byte = bytes((int(escape[1] or escape[2], 16),))
    return b"" if byte == b";" else byte


# --- our two cookies: their only valid form, and their Set-Cookie

# No Max-Age: cookies end with the browser. The server decides how long a seat lives.
_FLAGS: Final = "; Path=/; Secure; HttpOnly; SameSite=Lax"
# Seconds: as long as the stores keep a transaction.
_TWIN_LIVES: Final = 600
_SEAT_FORM: Final = re.compile(rb"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")
_BINDING_FORM: Final = re.compile(rb"[A-Za-z0-9_-]{43}")


def presented_seat(header: bytes) -> bytes | None:
    """The value of our session cookie; None without a cookie of our form. Raises as `read_cookie`."""
    value = read_cookie(header, SESSION_COOKIE)
    return value if value is not None and is_seat(value) else None


def presented_binding(header: bytes) -> bytes | None:
    """The value of the binding cookie; None without a cookie of our form. Raises as `read_cookie`."""
    value = read_cookie(header, BINDING_COOKIE)
    return value if value is not None and is_binding(value) else None


def is_seat(value: bytes) -> bool:
    return _SEAT_FORM.fullmatch(value) is not None


def is_binding(value: bytes) -> bool:
    return _BINDING_FORM.fullmatch(value) is not None


def set_seat(value: bytes) -> str:
    return f"{SESSION_COOKIE.decode()}={value.decode()}{_FLAGS}"


def clear_seat() -> str:
    return f"{SESSION_COOKIE.decode()}={_FLAGS}; Max-Age=0"


def clear_cookie(name: str, path: str, domain: str = "") -> str:
    """The deletion of an application's own cookie. `domain`: the Domain with which the application set the cookie."""
    # RFC 6265bis 4.1.3: browsers ignore the deletion of a `__Secure-` or `__Host-` cookie without Secure.
    secure = "; Secure" if name.startswith("__") else ""
    return f"{name}=; Path={path}{f'; Domain={domain}' if domain else ''}; Max-Age=0{secure}"


def set_binding(value: bytes) -> tuple[str, str]:
    """The binding cookie and its twin.

    Tabs that open at the same instant get different bindings, and the last binding overwrites the earlier bindings.
    Thanks to the twin, which has a name of its own, every tab can finish its transaction.
    """
    twin = twin_of(binding_hash(value)).decode()
    return (
        f"{BINDING_COOKIE.decode()}={value.decode()}{_FLAGS}",
        f"{twin}={value.decode()}{_FLAGS}; Max-Age={_TWIN_LIVES}",
    )


def twin_of(binding: str) -> bytes:
    """The name of the twin for the binding with the hash `binding`."""
    return BINDING_COOKIE + b"-" + binding[:8].encode()


def twins(header: bytes, binding: str) -> list[bytes]:
    """The values of the twin for the binding with the hash `binding`. Usually at most one."""
    start = twin_of(binding) + b"="
    pairs = (pair.strip(b" \t") for pair in header.split(b";"))
    values = [pair.removeprefix(start) for pair in pairs if pair.startswith(start)]
    return [value for value in values if is_binding(value)]


def binding_hash(value: bytes) -> str:
    """The form of a binding cookie in records: SHA-256, hex."""
    return hashlib.sha256(value).hexdigest()


# --- the person's language for our pages, chosen for each host

# Names of the languages in the language itself.
LANGUAGE_NAMES: Final = {"fr": "Français", "en": "English"}
LANGUAGES: Final = tuple(LANGUAGE_NAMES)

_CHOSEN: Final = re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % LANGUAGE_COOKIE)
# Seconds: a year.
_LANGUAGE_LASTS: Final = 31_536_000


def language_asked(cookies: bytes, accept_language: str) -> str:
    """The chosen language as an Accept-Language value. `cookies`: the Cookie line.

    The choice counts if the cookie appears once and in a form that we set. Otherwise the cookie is ignored.
    """
    return language_chosen(cookies) or accept_language


def language_chosen(cookies: bytes) -> str:
    """Empty: no choice."""
    values = _CHOSEN.findall(cookies) if LANGUAGE_COOKIE in cookies else ()
    if len(values) != 1:
        return ""
    value = values[0].rstrip(b" \t").decode("latin-1")
    return value if value in LANGUAGES else ""


def set_language(language: str) -> str:
    """The Set-Cookie value. Carries nothing about the person, and outlives the browser's window."""
    return f"{LANGUAGE_COOKIE.decode()}={language}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={_LANGUAGE_LASTS}"
