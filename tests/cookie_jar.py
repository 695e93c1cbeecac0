"""A cookie jar that takes and gives what Chromium would, `__Host-` rules included."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    value: str
    path: str
    secure: bool
    same_site: str


class Jar:
    """Cookies by (host, name, path): host-only ones, as all are here. `received`, `refused`: Set-Cookie lines."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self.received: list[str] = []
        self.refused: list[str] = []

    def receive(self, url: str, lines: Iterable[str]) -> None:
        parts = urlsplit(url)
        for line in lines:
            self.received.append(line)
            cookie, ends = _read_cookie(line)
            if _refuses(cookie, line, parts):
                self.refused.append(line)
                continue
            key = (parts.hostname or "", cookie.name, cookie.path)
            self._cookies.pop(key, None)
            if not ends:
                self._cookies[key] = cookie

    def to_send(self, url: str, *, cross_site_post: bool = False) -> str:
        parts = urlsplit(url)
        pairs = [
            f"{cookie.name}={cookie.value}"
            for (host, _, _), cookie in self._cookies.items()
            if host == parts.hostname
            and _path_matches(parts.path, cookie.path)
            and (not cookie.secure or _trustworthy(parts))
            and not (cross_site_post and cookie.same_site in ("lax", "strict"))
        ]
        return "; ".join(pairs)

    def get(self, host: str, name: str) -> str | None:
        found = [cookie.value for (at, called, _), cookie in self._cookies.items() if (at, called) == (host, name)]
        return found[0] if found else None

    def put(self, host: str, name: str, value: str) -> None:
        """As if the person had typed it into the developer tools."""
        self._cookies[host, name, "/"] = Cookie(name, value, "/", secure=True, same_site="lax")

    def forget(self, host: str, name: str | None = None) -> None:
        for key in [key for key in self._cookies if key[0] == host and name in (None, key[1])]:
            del self._cookies[key]

    def names(self, host: str) -> set[str]:
        return {name for at, name, _ in self._cookies if at == host}


def _read_cookie(line: str) -> tuple[Cookie, bool]:
    """The cookie, and whether it is one that ends at once."""
    pair, *attributes = (part.strip() for part in line.split(";"))
    name, _, value = pair.partition("=")
    told = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in attributes)}
    path = told.get("path", "")
    cookie = Cookie(
        name.strip(), value.strip(), path if path.startswith("/") else "/", "secure" in told,
        told.get("samesite", "lax").lower(),
    )  # fmt: skip
    ends = told.get("max-age", "1").startswith(("0", "-"))
    if "max-age" not in told and "expires" in told:
        ends = parsedate_to_datetime(told["expires"]).year < 2000
    return cookie, ends


def _refuses(cookie: Cookie, line: str, url: SplitResult) -> bool:
    told = {part.partition("=")[0].strip().lower(): part.partition("=")[2].strip() for part in line.split(";")[1:]}
    if cookie.secure and not _trustworthy(url):
        return True
    # RFC 6265bis 5.7 (20, 21): the prefixes, in any case.
    if cookie.name.lower().startswith("__host-") and not (
        cookie.secure and "domain" not in told and told.get("path") == "/"
    ):
        return True
    if cookie.name.lower().startswith("__secure-") and not cookie.secure:
        return True
    # Wider cookies are another subject: only a host may set its own.
    return told.get("domain", url.hostname or "").lstrip(".") != url.hostname


def _trustworthy(url: SplitResult) -> bool:
    return url.scheme == "https" or is_local(url.hostname or "")


def is_local(host: str) -> bool:
    """RFC 6761 6.3"""
    return host == "localhost" or host.endswith(".localhost")


def _path_matches(asked: str, cookie_path: str) -> bool:
    # RFC 6265 5.1.4
    asked = asked or "/"
    return asked == cookie_path or asked.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")
