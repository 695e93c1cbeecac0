"""A browser as far as sign-in needs one: a cookie jar per host, redirects, and the headers of navigations."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDictProxy
from yarl import URL

from tests.browser_like import SIGNED_OUT, WAITING

NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}


class Loopback(AbstractResolver):
    """RFC 6761 6.3"""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None: ...


@dataclass
class Reply:
    url: str
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    hops: list[str]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def set_cookies(self) -> list[str]:
        return self.headers.getall("Set-Cookie", [])

    @property
    def location(self) -> str:
        """Where a redirect leads, or a page that goes on by itself."""
        return self.headers["Location"] if "Location" in self.headers else leads_to(self)


def leads_to(reply: Reply) -> str:
    """Of a page that goes on by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]*)">', reply.text)
    assert found is not None, f"{reply.status} {reply.url} goes on to nothing"
    return unescape(found[1])


def _onward(reply: Reply) -> str:
    """Where the browser goes by itself. On a busy machine any step may take as long as a provider that is slow."""
    if reply.status == 303:
        return urljoin(reply.url, reply.location)
    page = reply.body.decode("utf-8", "replace")
    waiting = WAITING.search(page) if reply.headers.get("Content-Type", "").startswith("text/html") else None
    return unescape(waiting[1]) if waiting else ""


@dataclass
class Browser:
    """`dropped`: names of cookies that are not kept. `keeps_alive`: connections serve several requests."""

    jar: dict[str, dict[str, str]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    keeps_alive: bool = False
    session: ClientSession | None = None

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()

    async def get(self, url: str, *, follow: bool = True, **headers: str) -> Reply:
        hops = [url]
        reply = await self.send("GET", url, headers=headers)
        while follow and len(hops) < 40 and (onward := _onward(reply)):
            hops.append(onward)
            reply = await self.send("GET", onward)
        reply.hops = hops
        return reply

    async def post(self, url: str, data: Any = None, *, follow: bool = True, **headers: str) -> Reply:
        """As the form of our own page would, unless the headers say otherwise; on to the page that tells of a
        sign-out."""
        told = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} | headers
        reply = await self.send("POST", url, headers=told, data=data)
        onward = reply.headers.get("Location", "") if follow else ""
        return await self.get(onward) if SIGNED_OUT in onward else reply

    async def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None) -> Reply:
        if self.session is None:
            connector = TCPConnector(resolver=Loopback(), force_close=not self.keeps_alive)
            self.session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=False)
        host = urlsplit(url).hostname or ""
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.get(host, {}).items())
        sent = {**NAVIGATION, **({"Cookie": cookies} if cookies else {}), **(headers or {})}
        sent = {name.replace("_", "-"): value for name, value in sent.items()}
        request = self.session.request(method, URL(url, encoded=True), headers=sent, data=data, allow_redirects=False)
        async with request as response:
            for line in response.headers.getall("Set-Cookie", []):
                self.keep(host, line)
            return Reply(url, response.status, response.headers, await response.read(), [url])

    def keep(self, host: str, line: str) -> None:
        name, _, value = line.partition(";")[0].partition("=")
        if "Max-Age=0" in line:
            self.jar.setdefault(host, {}).pop(name, None)
        elif name not in self.dropped:
            self.jar.setdefault(host, {})[name] = value
