"""The cookies that an application sets during a sign-in, and the cookies of its session."""

from collections.abc import Iterable
from typing import Final

from gateway.formlogin.addresses import path_of
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.wire.cookie_jar import MOST_COOKIES, CookieJar, JarRequest, received

_LONGEST: Final = 4096


class SignInCookies:
    """The cookies of a sign-in.

    `hosts`: the application's public and internal host names.
    `secure`: whether browsers reach the application by https.
    `now`: Unix seconds."""

    def __init__(self, hosts: tuple[bytes, ...], *, secure: bool, now: float) -> None:
        self._hosts = hosts
        self._secure = secure
        self._now = now
        self._jar = CookieJar()

    def take(self, set_cookies: Iterable[bytes], target: str) -> None:
        """Adds the cookies of the answer to `target`. Raises GatewayError(form_login_codes.ANSWER) if they are too many
        or too long."""
        request = JarRequest(path_of(target).encode("ascii"), self._secure, self._hosts, self._now)
        found = [received(line, request) for line in set_cookies]
        cookies = [cookie for cookie in found if cookie is not None]
        if len(cookies) > MOST_COOKIES or any(cookie.size > _LONGEST for cookie in cookies):
            raise GatewayError(form_login_codes.ANSWER, f"{len(cookies)} cookies, or one that is too long")
        self._jar = self._jar.with_cookies(cookies, self._now)

    def line(self, target: str) -> bytes:
        """The Cookie line of a request for `target`."""
        return self._jar.line(path_of(target).encode("ascii"), secure=self._secure, now=self._now)

    def session(self, names: tuple[str, ...]) -> bytes:
        """The cookies with the names, for any path, without repetition."""
        kept = {one.name: one.value for one in self._jar.cookies if one.is_live(self._now)}
        return cookie_line((name, kept.get(name)) for name in (name.encode("ascii") for name in names))


def cookie_line(cookies: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """b"a=b; c=d", without cookies that have no value."""
    return b"; ".join(b"%b=%b" % (name, value) for name, value in cookies if value is not None)


def renewed(cookies: bytes, set_cookies: Iterable[bytes], request: JarRequest) -> bytes:
    """The session's cookies after an answer to `request` that may set or delete cookies."""
    kept: dict[bytes, bytes | None] = {}
    for pair in cookies.split(b"; "):
        name, _, value = pair.partition(b"=")
        kept[name] = value
    for line in set_cookies:
        cookie = received(line, request)
        if cookie is not None and cookie.name in kept and cookie.size <= _LONGEST:
            kept[cookie.name] = cookie.value if cookie.is_live(request.now) else None
    return cookie_line(kept.items())
