"""The application's own cookies on the way to browsers and back: hidden, renamed, kept to one host.

Pure. `read` parses a client's Cookie line; `edited` returns the browser's form of a Set-Cookie. Hidden cookies are kept
in a jar (wire.cookie_jar), which supplies them to the application.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.model.names import fold
from gateway.wire.cookies import OURS, CookiePolicy, without_cookies

ALL: Final = "*"
# Browsers keep some 180 cookies for a site.
_MOST_BROUGHT: Final = 200
_SHARED: Final = 512
_BLANKS: Final = b" \t"
# RFC 9110 5.6.2: a token, which every server reads as the same name.
_TOKEN: Final = re.compile(rb"[A-Za-z0-9!#$&'*+.^_`|~-]+")
_PAIR: Final = re.compile(rb"(%b)=([^;]*)" % _TOKEN.pattern)
# RFC 6265bis 4.1.3: these prefixes stay in front. Browsers enforce their rules only there.
_PROMISES: Final = re.compile(rb"__(?:Host|Secure)-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CookieRules:
    """`hidden`: names of cookies that stay in the gateway; ALL: every cookie not in `visible`.
    `prefix`: the prefix of further cookies' names in browsers. Cookies in `visible` have no prefix.
    `host_only`: removes the Domain attribute.
    """

    hidden: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    prefix: str = ""
    host_only: bool = False


AS_THEY_ARE: Final = CookieRules()


class ApplicationCookies:
    """`injected`: folded names of the cookies that the application's file injects. A client's cookie that a server may
    read as an injected cookie is dropped.
    """

    __slots__ = ("_all", "_host_only", "_injected", "_policy", "_prefix", "_visible", "folds", "read")

    def __init__(self, rules: CookieRules, injected: frozenset[bytes]) -> None:
        self._injected = injected
        self._all = ALL in rules.hidden
        self._prefix = rules.prefix.encode("ascii")
        self._host_only = rules.host_only
        self._visible = frozenset(name.encode("ascii") for name in rules.visible)
        self.folds = frozenset(fold(name.encode("ascii")) for name in rules.hidden if name != ALL)
        self._policy = CookiePolicy(injected | self.folds if self.folds else injected)
        self.read: Callable[[bytes], tuple[bytes | None, bytes]] = self._policy.read
        """The value of our session cookie, and the Cookie line for the application. The line has the application's
        names, and no cookie that a server could read as a hidden or injected cookie. Raises
        GatewayError(wire_codes.COOKIE)."""
        if self._all or self._prefix:
            self.read = self._read

    def _read(self, header: bytes) -> tuple[bytes | None, bytes]:
        session, rest = self._policy.read(header)
        return session, self._selected(rest)

    def _selected(self, line: bytes) -> bytes:
        found = []
        for pair in line.split(b";"):
            match = _PAIR.fullmatch(pair.strip(_BLANKS))
            name = None if match is None else self._name_of(match[1])
            if match is not None and name:
                found.append(name + b"=" + match[2])
        # Without its prefix, a name may equal a name that only the gateway may send.
        return without_cookies(b"; ".join(found), self._injected | self.folds) if found else b""

    def _name_of(self, given: bytes) -> bytes | None:
        """The application's name of a browser's cookie; None: not a cookie of the application."""
        if given in self._visible:
            return given
        promise = _PROMISES.match(given)
        front, name = (promise[0], given[promise.end() :]) if promise is not None else (b"", given)
        if self._all or not name.startswith(self._prefix):
            return None
        bare = front + name[len(self._prefix) :]
        # A visible cookie has its own name in browsers: with a prefix, it would come twice.
        return None if bare in self._visible else bare

    def brought(self, header: bytes) -> list[bytes]:
        """The browser's names of the application's own cookies in a Cookie line. Omits cookies in `visible`, which do
        not belong to a person."""
        found = []
        for pair in header.split(b";")[:_MOST_BROUGHT]:
            name = pair.partition(b"=")[0].strip(_BLANKS)
            promise = _PROMISES.match(name)
            bare = name if promise is None else name[promise.end() :]
            ours = _TOKEN.fullmatch(name) is None or fold(name).startswith(OURS) or name in self._visible
            if not ours and bare.startswith(self._prefix):
                found.append(name)
        return list(dict.fromkeys(found))

    def hides(self, set_cookie: bytes) -> bool:
        """Whether browsers must not receive this Set-Cookie value: hidden, or without a plain name."""
        name = name_of(set_cookie)
        # A server may read a name that is no token as another name: `PHPSESSID[0]` is PHPSESSID in PHP.
        return _TOKEN.fullmatch(name) is None or self.hides_name(name)

    def hides_name(self, name: bytes) -> bool:
        return fold(name) in self.folds or (self._all and name not in self._visible)

    def edited(self, set_cookie: bytes) -> bytes:
        """The browser's form of a Set-Cookie value that is not hidden."""
        pair, *attributes = set_cookie.split(b";")
        name, equals, value = pair.partition(b"=")
        kept = [self.browser_name(name.strip(_BLANKS)) + equals + value]
        for attribute in attributes:
            is_domain = attribute.partition(b"=")[0].strip(_BLANKS).lower() == b"domain"
            if not (self._host_only and is_domain):
                kept.append(attribute)
        return b";".join(kept)

    def browser_name(self, name: bytes) -> bytes:
        """The browser's name of a cookie of the application."""
        if not self._prefix or name in self._visible:
            return name
        promise = _PROMISES.match(name)
        cut = 0 if promise is None else promise.end()
        return name[:cut] + self._prefix + name[cut:]

    def of_jar(self, line: bytes) -> bytes:
        """A Cookie line from the jar, without cookies that a server could read as an injected cookie (invariant 3)."""
        return without_cookies(line, self._injected) if line else b""


@lru_cache(_SHARED)
def shared_cookies(rules: CookieRules, injected: frozenset[bytes]) -> ApplicationCookies:
    """Shared by applications with the same settings: most have none."""
    return ApplicationCookies(rules, injected)


def name_of(set_cookie: bytes) -> bytes:
    """The name in a Set-Cookie value; b"" without a name."""
    name, equals, _ = set_cookie.partition(b";")[0].partition(b"=")
    return name.strip(_BLANKS) if equals else b""


def shown_names(rules: CookieRules, names: Iterable[str]) -> list[str]:
    """The browser's names of the cookies `names`, if browsers receive the cookies."""
    own = ApplicationCookies(rules, frozenset())
    return [own.browser_name(name.encode()).decode() for name in names if not own.hides_name(name.encode())]
