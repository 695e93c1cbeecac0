"""The hidden cookies of one application: read from Set-Cookie, kept, and put into Cookie lines.

Pure: bytes and times in, frozen values out. `received` reads one Set-Cookie as a browser would (RFC 6265bis, draft 20,
5.6 and 5.7). `CookieJar.with_cookies` adds cookies to a jar, and `CookieJar.line` returns the Cookie line for a path. A
jar is bounded, and each cookie has the time of its setting: two diverged copies of a jar are merged by adding the
cookies of one to the other, in any order.

stores.applications.cookie_jars keeps a jar sealed with the session. A session has one jar per host, also for the
cookies of a sign-in that the gateway performs at the application.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

# Limits of a jar. Browsers keep more cookies (6.1), but an application's server accepts some 8 kB of header.
MOST_COOKIES: Final = 50
MOST_BYTES: Final = 8192
# 5.6: bytes of a name with its value, and of the value of an attribute.
_LONGEST_PAIR: Final = 4096
_LONGEST_ATTRIBUTE: Final = 1024
# 5.5: no cookie is kept for longer than 400 days.
_LONGEST_LIFE: Final = 400 * 86400
# Seconds for which a jar remembers a deletion: longer than two copies of a jar may differ in age.
_DELETED_KNOWN: Final = 60.0
# The cookie with the version of the jar that a browser has seen: who changed the jar, the number of the change, and the
# session of the jar. The cookie is no secret.
MARK: Final = b"__Host-ecluse-c"
_MARK: Final = re.compile(rb"(?:^|;)[ \t]*+%b=([0-9a-f]{8})\.([0-9]{1,15})\.([0-9a-f]{8})[ \t]*+(?=;|$)" % MARK)
# Marks of a jar, about one for each worker.
_MARKS: Final = 32

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BLANKS: Final = b" \t"
_SECONDS: Final = re.compile(rb"-?[0-9]+")

# 5.1.1: how a date is read.
_DATE_DELIMITERS: Final = re.compile(rb"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(rb"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_DAY: Final = re.compile(rb"([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_YEAR: Final = re.compile(rb"([0-9]{2,4})(?:[^0-9].*)?", re.DOTALL)
_MONTHS: Final = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")


@dataclass(frozen=True, slots=True)
class JarCookie:
    """`path`: the cookie is sent for this path and below.
    `set_at`: Unix seconds; the later of two cookies with the same name and path wins.
    `made_at`: Unix seconds; the first setting of a cookie with this name and path.
    `expires_at`: Unix seconds; None: as long as the session. An expired cookie is a deletion.
    """

    name: bytes
    value: bytes = field(repr=False)
    path: bytes
    secure: bool
    set_at: float
    made_at: float
    expires_at: float | None = None

    def is_live(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at

    @property
    def size(self) -> int:
        return len(self.name) + len(self.value) + len(self.path)


@dataclass(frozen=True, slots=True)
class JarRequest:
    """The request whose answer sets a cookie, or that carries a cookie.

    `path`: the sent path, without a query.
    `secure`: whether browsers reach the application by https.
    `hosts`: the application's public and internal host names, in lower case.
    `now`: Unix seconds.
    """

    path: bytes
    secure: bool
    hosts: tuple[bytes, ...]
    now: float


@dataclass(frozen=True, slots=True)
class CookieJar:
    """At most MOST_COOKIES and MOST_BYTES: beyond the limits, the least recently set cookie is dropped.

    `marks`: the sessions that changed the jar: a name, and the growing number of its last change in the jar.
    """

    cookies: tuple[JarCookie, ...] = ()
    marks: tuple[tuple[str, int], ...] = ()

    def with_mark(self, name: str, number: int) -> "CookieJar":
        """The jar with the mark of this change. Only the marks of the last few sessions are kept."""
        others = [mark for mark in self.marks if mark[0] != name]
        return replace(self, marks=(*others, (name, max(number, dict(self.marks).get(name, 0))))[-_MARKS:])

    def has(self, name: str, number: int) -> bool:
        return dict(self.marks).get(name, 0) >= number

    def with_cookies(self, cookies: Iterable[JarCookie], now: float) -> "CookieJar":
        """The jar with the new cookies and without expired cookies; the same object if nothing changes."""
        kept = {(cookie.name, cookie.path): cookie for cookie in self.cookies}
        for cookie in cookies:
            before = kept.get((cookie.name, cookie.path))
            if before is not None and before.set_at > cookie.set_at:
                continue
            if not cookie.secure and any(_covers(older, cookie, now) for older in kept.values()):
                continue
            made_at = cookie.made_at if before is None or not before.is_live(now) else before.made_at
            kept[cookie.name, cookie.path] = replace(cookie, made_at=made_at)
        found = tuple(_bounded([cookie for cookie in kept.values() if _is_known(cookie, now)]))
        return self if found == self.cookies else CookieJar(found, self.marks)

    def line(self, path: bytes, *, secure: bool, now: float) -> bytes:
        """The value of a Cookie line for a request for `path` (5.8.3): b"a=b; c=d", or b""."""
        found = [
            cookie
            for cookie in self.cookies
            if cookie.is_live(now) and (secure or not cookie.secure) and path_matches(path, cookie.path)
        ]
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.made_at))
        return b"; ".join(cookie.name + b"=" + cookie.value for cookie in found)

    def sends(self, now: float) -> frozenset[tuple[bytes, bytes, bytes, bool]]:
        """The part of the jar that requests can carry. Two jars with the same part lead to the same Cookie lines."""
        return frozenset((one.name, one.value, one.path, one.secure) for one in self.cookies if one.is_live(now))


def tag_of(session_id: str) -> bytes:
    """The name of a session in marks."""
    return sha256(session_id.encode()).hexdigest()[:8].encode("ascii")


def mark_in(cookie_line: bytes, tag: bytes) -> tuple[str, int] | None:
    """The mark sent by a browser, if the mark belongs to this session: browsers keep marks past a sign-out."""
    found = _MARK.search(cookie_line)
    return None if found is None or found[3] != tag else (found[1].decode("ascii"), int(found[2]))


def received(set_cookie: bytes, request: JarRequest) -> JarCookie | None:
    """The cookie that a Set-Cookie line in the response to `request` sets or deletes. None: a browser would ignore the
    line, or the line has no name.
    """
    if _CONTROLS.search(set_cookie):
        return None
    pair, *rest = set_cookie.split(b";")
    name, equals, value = pair.partition(b"=")
    name, value = name.strip(_BLANKS), value.strip(_BLANKS)
    if not equals or not name or len(name) + len(value) > _LONGEST_PAIR:
        return None
    attributes = _attributes(rest)
    path, secure = attributes.get(b"path", b""), b"secure" in attributes
    if not path.startswith(b"/"):
        path = default_path(request.path)
    domain = attributes.get(b"domain", b"").lstrip(b".").lower()
    # The jar belongs to a single host, so a wider Domain changes nothing.
    if domain and not any(domain_matches(host, domain) for host in request.hosts):
        return None
    if secure and not request.secure:
        return None
    if not _keeps_its_word(name.lower(), path, secure=secure, domain=domain):
        return None
    return JarCookie(name, value, path, secure, request.now, request.now, _expiry(attributes, request.now))


def path_matches(path: bytes, of_cookie: bytes) -> bool:
    """RFC 6265bis 5.1.4."""
    if not path.startswith(of_cookie):
        return False
    return len(path) == len(of_cookie) or of_cookie.endswith(b"/") or path[len(of_cookie)] == 0x2F


def default_path(path: bytes) -> bytes:
    """RFC 6265bis 5.1.4: the path of a cookie without a path."""
    return (path[: path.rfind(b"/")] or b"/") if path.startswith(b"/") else b"/"


def domain_matches(host: bytes, domain: bytes) -> bool:
    """RFC 6265bis 5.1.3. An address is no part of a domain."""
    if host == domain:
        return True
    is_address = b":" in host or not host.rpartition(b".")[2].strip(b"0123456789")
    return host.endswith(b"." + domain) and not is_address


def _attributes(parts: Iterable[bytes]) -> Mapping[bytes, bytes]:
    """The attributes by name in lower case. If a name comes twice, the last value counts."""
    found: dict[bytes, bytes] = {}
    for part in parts:
        name, _, value = part.partition(b"=")
        value = value.strip(_BLANKS)
        if len(value) <= _LONGEST_ATTRIBUTE:
            found[name.strip(_BLANKS).lower()] = value
    return found


def _keeps_its_word(name: bytes, path: bytes, *, secure: bool, domain: bytes) -> bool:
    """Whether a cookie keeps the promise of its name prefix (4.1.3). `name` in lower case."""
    if name.startswith(b"__host-"):
        return secure and path == b"/" and not domain
    return secure or not name.startswith(b"__secure-")


def _covers(older: JarCookie, cookie: JarCookie, now: float) -> bool:
    """5.7, step 15: a cookie without Secure never replaces a secure cookie."""
    if not older.secure or older.name != cookie.name or not older.is_live(now):
        return False
    return path_matches(cookie.path, older.path)


def _expiry(attributes: Mapping[bytes, bytes], now: float) -> float | None:
    """5.6.1 and 5.6.2: Max-Age precedes Expires, and an unreadable value counts as absent."""
    age = attributes.get(b"max-age", b"")
    if _SECONDS.fullmatch(age):
        # Python reads no number of thousands of digits.
        seconds = int(age[:12])
        return now + min(seconds, _LONGEST_LIFE) if seconds > 0 else 0.0
    expires = cookie_date(attributes.get(b"expires", b""))
    return None if expires is None else min(expires, now + _LONGEST_LIFE)


def cookie_date(text: bytes) -> float | None:
    """RFC 6265bis 5.1.1: Unix seconds; None for a text that is no date."""
    time: tuple[int, int, int] | None = None
    day = month = year = -1
    for token in _DATE_DELIMITERS.split(text):
        if time is None and (found := _TIME.fullmatch(token)):
            time = int(found[1]), int(found[2]), int(found[3])
        elif day < 0 and (found := _DAY.fullmatch(token)):
            day = int(found[1])
        elif month < 0 and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year < 0 and (found := _YEAR.fullmatch(token)):
            year = int(found[1])
    if time is None or min(day, month, year) < 0:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    try:
        read = datetime(year, month, day, *time, tzinfo=UTC)
    except ValueError:
        return None
    return None if year < 1601 else read.timestamp()


def _is_known(cookie: JarCookie, now: float) -> bool:
    return cookie.is_live(now) or now < cookie.set_at + _DELETED_KNOWN


def _bounded(cookies: list[JarCookie]) -> list[JarCookie]:
    size = sum(cookie.size for cookie in cookies)
    while len(cookies) > MOST_COOKIES or size > MOST_BYTES:
        oldest = min(cookies, key=lambda cookie: cookie.set_at)
        cookies.remove(oldest)
        size -= oldest.size
    return cookies
