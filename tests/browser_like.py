"""A person with a browser, without the browser: a cookie jar, redirects step by step, forms, and bytes as wanted.

`*.localhost` is loopback, as in browsers. Nothing here is lenient: a cookie that Chromium would drop is dropped, a
target and headers are sent exactly as given.
"""

import json
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from html.parser import HTMLParser
from typing import Any, Literal
from urllib.parse import urlencode, urljoin, urlsplit

from tests.cookie_jar import Jar
from tests.raw_http import Connection, Header, Reading

LONGEST_CHAIN = 20
_REDIRECTS = {301, 302, 303, 307, 308}
SIGNED_OUT = "/_ecluse/signed-out"
WAITING = re.compile(r'<meta http-equiv="refresh" content="0;url=([^"]*/_ecluse/wait\?[^"]*)">')


@dataclass(frozen=True, slots=True)
class Form:
    """`buttons`: (name, value) of each submit button that has a name."""

    action: str
    method: str
    fields: tuple[tuple[str, str], ...]
    buttons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """`sent`: the bytes of the request's head. `history`: the redirects before this one. Headers as latin-1 text."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    url: str
    sent: bytes
    history: tuple["Response", ...] = ()

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The only header of this name, or an empty string."""
        values = self.all(name)
        assert len(values) < 2, f"{name} comes {len(values)} times: {values}"
        return values[0] if values else ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def origin(self) -> str:
        return origin_of(self.url)

    @property
    def location(self) -> str:
        """Where a redirect leads, absolute; empty for any other answer."""
        return urljoin(self.url, self.header("Location")) if self.status in _REDIRECTS else ""

    def forms(self) -> tuple[Form, ...]:
        """Without the choice of a language, which each page of ours has."""
        return tuple(form for form in _read(self).forms if not form.action.endswith(LANGUAGE))

    def way_on(self) -> str:
        """Of our page that says why more is asked of a person; empty on another."""
        found = re.search(r'class="act"><a href="(/_ecluse/login\?t=[^"]*)"', self.text)
        return urljoin(self.url, unescape(found[1])) if found else ""

    def links(self) -> tuple[str, ...]:
        """Likewise."""
        return tuple(link for link in _read(self).links if LANGUAGE not in link)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


LANGUAGE = "/_ecluse/language"
Kind = Literal["navigation", "frame", "script"]


@dataclass(slots=True)
class Person:
    """`language`: Accept-Language. `tls`: how https is verified. Everything is sent from this machine."""

    language: str = "fr"
    tls: ssl.SSLContext | None = None
    jar: Jar = field(default_factory=Jar)
    _connections: dict[str, Connection] = field(default_factory=dict)

    async def open(self, url: str, headers: Sequence[Header] = ()) -> Response:
        """Types an address: a top-level navigation, followed to its end."""
        return await self.follow(await self.step("GET", url, headers))

    async def follow(self, response: Response, form_of: Response | None = None) -> Response:
        """Goes on from a redirect to the page that it ends on. AssertionError after 20, and where the page that had the
        form, `form_of`, lets it lead to no such address."""
        history: list[Response] = []
        while response.location:
            if form_of is not None:
                _require_allowed(form_of, response.location)
            history.append(response)
            assert len(history) <= LONGEST_CHAIN, f"redirected in circles: {[step.url for step in history]}"
            again = "GET" if response.status not in (307, 308) else _method_of(response)
            response = await self.step(again, response.location, initiator=response.url)
        return Response(response.status, response.headers, response.body, response.url, response.sent, tuple(history))

    async def submit(self, page: Response, form: Form, values: Sequence[tuple[str, str]] = ()) -> Response:
        """Sends a form of a page, with these values beside its own, and follows."""
        pairs = urlencode([*form.fields, *values])
        if form.method == "get":
            _require_allowed(page, form.action)
            return await self.follow(await self.step("GET", f"{form.action}?{pairs}", initiator=page.url), page)
        # Fetch, "append a request Origin header": a page that gives no referrer gives no origin either.
        hidden = [("Origin", "null")] if page.header("Referrer-Policy") == "no-referrer" else []
        _require_allowed(page, form.action)
        return await self.follow(await self.post(form.action, pairs, initiator=page.url, headers=hidden), page)

    async def post(self, url: str, body: str, *, initiator: str = "", headers: Sequence[Header] = ()) -> Response:
        """One step: a form's POST from the page `initiator` (none: as from the same origin)."""
        initiator = initiator or url
        told = [("Content-Type", "application/x-www-form-urlencoded"), *headers]
        if "origin" not in {name.lower() for name, _ in headers}:
            told.append(("Origin", origin_of(initiator)))
        return await self.step("POST", url, told, body=body.encode(), initiator=initiator)

    async def step(
        self,
        method: str,
        url: str,
        headers: Sequence[Header] = (),
        *,
        body: bytes = b"",
        initiator: str = "",
        kind: Kind = "navigation",
        target: str | None = None,
    ) -> Response:
        """One request and its answer; cookies are kept. `target`: sent as it is in place of the URL's own."""
        url = url.partition("#")[0]
        parts = urlsplit(url)
        if target is None:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [("Host", parts.netloc), *self._usual_headers(url, kind, initiator)]
        cross_site_post = method == "POST" and _site(initiator, url) == "cross-site"
        if cookies := self.jar.to_send(url, cross_site_post=cross_site_post):
            lines.append(("Cookie", cookies))
        if body or method == "POST":
            lines.append(("Content-Length", str(len(body))))
        given = {name.lower() for name, _ in headers}
        lines = [line for line in lines if line[0].lower() not in given or line[0] == "Cookie"] + list(headers)
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines) + "\r\n"
        reading = await self._exchange(url, head.encode("latin-1") + body, head_only=method == "HEAD")
        response = Response(reading.status, tuple(reading.headers), bytes(reading.body), url, head.encode("latin-1"))
        self.jar.receive(url, response.all("Set-Cookie"))
        # A machine that is busy is a service that is slow: the page that says so leads on by itself.
        waiting = WAITING.search(response.text)
        if SIGNED_OUT in response.location:
            # The page that tells of it is asked for by itself.
            told = await self.step("GET", response.location, initiator=url)
            return replace(told, history=(response,))
        return await self.step("GET", unescape(waiting[1]), initiator=url) if waiting else response

    async def script(self, url: str, method: str = "GET", headers: Sequence[Header] = ()) -> Response:
        """What fetch() or XMLHttpRequest of a page on the same host sends."""
        return await self.step(method, url, [("Accept", "application/json"), *headers], initiator=url, kind="script")

    async def frame(self, url: str, initiator: str = "") -> Response:
        """What a frame in a page sends."""
        return await self.step("GET", url, initiator=initiator or url, kind="frame")

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()

    def _usual_headers(self, url: str, kind: Kind, initiator: str) -> list[Header]:
        destination = {"navigation": "document", "frame": "iframe", "script": "empty"}[kind]
        accept = "*/*" if kind == "script" else "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        return [
            ("Accept", accept),
            ("Accept-Language", self.language),
            ("Sec-Fetch-Dest", destination),
            ("Sec-Fetch-Mode", "cors" if kind == "script" else "navigate"),
            ("Sec-Fetch-Site", _site(initiator, url)),
        ]

    async def _exchange(self, url: str, request: bytes, *, head_only: bool) -> Reading:
        origin = origin_of(url)
        kept = self._connections.pop(origin, None)
        if kept is not None:
            try:
                return await self._on(origin, kept, request, head_only=head_only)
            except ConnectionError:
                # Closed between two requests, as a browser meets it: once more on a new connection.
                await kept.close()
        return await self._on(origin, await Connection.open(url, self.tls), request, head_only=head_only)

    async def _on(self, origin: str, connection: Connection, request: bytes, *, head_only: bool) -> Reading:
        reading = await connection.exchange(request, head_only=head_only)
        # Two tabs at once have a connection each; one is kept.
        if connection.usable and origin not in self._connections:
            self._connections[origin] = connection
        else:
            await connection.close()
        return reading


def _require_allowed(page: Response, url: str) -> None:
    """Content Security Policy 3, 6.4.1: a form, and in Chromium and Safari each redirect that follows, is held against
    the form-action of its page."""
    policies = (part.split() for line in page.all("Content-Security-Policy") for part in line.split(";"))
    for name, *sources in filter(None, policies):
        own, scheme = "'self'" in sources and origin_of(url) == page.origin, urlsplit(url).scheme
        # 6.7.2.8: `*` allows every host by http and https.
        of_scheme = "*" in sources or f"{scheme}:" in sources or (scheme == "https" and "http:" in sources)
        allowed = own or of_scheme or origin_of(url) in sources
        assert name != "form-action" or allowed, f"a browser goes from {page.url} to no {url}: {' '.join(sources)}"


def _method_of(response: Response) -> str:
    return response.sent.split(b" ", 1)[0].decode()


def _site(initiator: str, url: str) -> str:
    """Sec-Fetch-Site. Each host under .localhost is a site of its own, for `localhost` is a public suffix."""
    if not initiator:
        return "none"
    if origin_of(initiator) == origin_of(url):
        return "same-origin"
    return "same-site" if urlsplit(initiator).hostname == urlsplit(url).hostname else "cross-site"


@dataclass(slots=True)
class _Draft:
    action: str
    method: str
    fields: list[Header] = field(default_factory=list)
    buttons: list[Header] = field(default_factory=list)


class _Page(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._forms: list[_Draft] = []
        self._open = False
        self._links: list[str] = []

    @property
    def forms(self) -> tuple[Form, ...]:
        return tuple(
            Form(draft.action, draft.method, tuple(draft.fields), tuple(draft.buttons)) for draft in self._forms
        )

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(self._links)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in told:
            self._links.append(urljoin(self._url, told["href"]))
        elif tag == "form":
            self._open = True
            self._forms.append(_Draft(urljoin(self._url, told.get("action", "")), told.get("method", "get").lower()))
        elif self._open and tag in ("input", "button") and told.get("name"):
            pressed = tag == "button" or told.get("type") == "submit"
            draft = self._forms[-1]
            (draft.buttons if pressed else draft.fields).append((told["name"], told.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


def _read(response: Response) -> _Page:
    page = _Page(response.url)
    page.feed(response.text)
    return page
