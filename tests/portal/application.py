"""An application that is told of sign-outs: a raw server, for what counts is the bytes of a value."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from gateway.config.snapshot import Logout
from gateway.policy.conditions import SignedIn
from gateway.translation.render import Translation
from gateway.translation.specs import Constant, CookieSpec, FromAttribute, HeaderSpec
from tests.policy.short import rule, table
from tests.portal.installation import Installation

LOGOUT = Logout(
    cookies=(("PHPSESSID", "/"), ("JSESSIONID", "/app")), told_cookies=("PHPSESSID", "JSESSIONID"), url="/bye?x=1"
)
TRANSLATION = Translation.compile(
    (
        HeaderSpec("X-Secret", Constant("proxy")),
        HeaderSpec("X-Remote-User", FromAttribute("uid"), "latin1"),
        HeaderSpec("X-Groups", FromAttribute("groups", ";")),
    ),
    (CookieSpec("CTSESSION", Constant("present")),),
)


@dataclass
class Told:
    """`heads` and `bodies`: what came. `silent`: it answers nobody."""

    port: int = 0
    silent: bool = False
    status: bytes = b"302 Found"
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def lines(self) -> list[set[bytes]]:
        """Without what every call has."""
        usual = (b"GET ", b"Connection:", b"Host:")
        return [{line for line in head.split(b"\r\n") if line and not line.startswith(usual)} for head in self.heads]


@asynccontextmanager
async def told_of_sign_outs(here: Installation, *names: str) -> AsyncIterator[Told]:
    """`names`: applications behind it."""
    told = Told()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if length := re.search(rb"\r\nContent-Length: ([0-9]+)", told.heads[-1]):
            told.bodies.append(await reader.readexactly(int(length[1])))
        if told.silent:
            await reader.read()
        writer.write(b"HTTP/1.1 %b\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" % told.status)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    for name in names:
        upstream = replace(here.snapshot.apps[name].upstream, port=told.port)
        everybody = table(rule("/**", SignedIn()))
        here.change(name, upstream=upstream, logout=LOGOUT, translation=TRANSLATION, routes=everybody)
    try:
        yield told
    finally:
        server.close()
