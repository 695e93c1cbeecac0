"""A data plane on a real socket, and clients that send any bytes to it and compare what comes back."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from gateway.access.application import Preparing
from gateway.access.preparation import Preparation, translated
from gateway.config.snapshot import Listener
from gateway.model.ports import Callers
from gateway.model.redirects import Redirects
from gateway.model.session import Seat
from gateway.proxy.dataplane import DataPlane
from gateway.server.acceptors import Acceptors
from gateway.server.listeners import bind
from gateway.server.tls import ListenerContexts
from gateway.wire.addresses import parse_network
from tests.config.samples import GATEWAY, sample_snapshot
from tests.ops.foreseen import missed
from tests.proxy.applications import SOON, Application
from tests.proxy.clock import Clock
from tests.proxy.stand_ins import COOKIE, Counters, Holder, Log, NoJars, Pages, Portal, Sessions, identity, seat

HOST = b"permis.localhost"
SIGNED_IN = b"Cookie: __Host-ecluse=" + COOKIE

APP = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: {url}{upstream}}}
providers: [metropole]
translate:
  headers:
    X-Remote-User: {{from: uid}}
  cookies:
    CTSESSION: {{value: present}}
access:
  - {{path: /public/**, allow: anyone}}
  - {{path: /admin/**, allow: {{group: administrateurs}}, refusal: Réservé aux administrateurs.}}
  - {{path: /**, allow: signed_in}}
{more}
"""

_REQUEST_ID = re.compile(rb"(?<=\r\nX-Request-Id: )[0-9a-f]{32}(?=\r\n)")


def ask(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """`GET /public/` and header lines: one request to the application's host."""
    return b"\r\n".join((line + b" HTTP/1.1", b"Host: " + HOST, *headers, b"", b"")) + body


def forwarded(client: str = "127.0.0.1", scheme: str = "http", host: str = HOST.decode()) -> bytes:
    """What is said of the client to every application, as header lines."""
    return (
        f"X-Forwarded-For: {client}\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\n"
        f'Forwarded: for={client};host="{host}";proto={scheme}'
    ).encode()


def reached(
    line: bytes, *headers: bytes, injected: tuple[bytes, ...] = (), end: bytes = b"", body: bytes = b""
) -> bytes:
    """The whole request that an application gets for `ask(line, *headers)`, its request id blotted out by `blot`.

    `injected`: header lines of ours. `end`: the framing line.
    """
    lines = [line + b" HTTP/1.1", b"Host: " + HOST, *headers, forwarded(), *injected, b"X-Request-Id: *"]
    return b"\r\n".join((*lines, *((end,) if end else ()), b"", b"")) + body


def blot(request: bytes) -> bytes:
    return _REQUEST_ID.sub(b"*", request)


class OneContext(ListenerContexts):
    """The same for each name."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._first = context
        self._by_name = {}


class Answer(NamedTuple):
    """`head` and `body` as they came, the body without its framing."""

    status: int
    head: bytes
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        return [value.strip() for key, _, value in self._lines() if key.lower() == name.lower()]

    def _lines(self) -> list[tuple[bytes, bytes, bytes]]:
        return [line.partition(b":") for line in self.head.split(b"\r\n")[1:]]


class Client:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def answer(self, *, head_only: bool = False) -> Answer:
        """The next answer, interim ones included."""
        return await asyncio.wait_for(self._answer(head_only=head_only), SOON)

    async def ask(self, raw: bytes) -> Answer:
        self.send(raw)
        return await self.answer(head_only=raw.startswith(b"HEAD "))

    async def rest(self) -> bytes:
        """All that comes until the connection ends; a reset is an end, too."""
        got = b""
        try:
            while piece := await asyncio.wait_for(self.reader.read(65536), SOON):
                got += piece
        except ConnectionError:
            pass
        return got

    async def is_closed(self) -> bool:
        """Whether the connection ends, and nothing more comes before."""
        return await self.rest() == b""

    async def is_open(self, within: float = 0.05) -> bool:
        """Whether nothing comes for a moment, and no end either."""
        try:
            await asyncio.wait_for(self.reader.read(1), within)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self.writer.transport.abort()

    async def _answer(self, *, head_only: bool) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        answer = Answer(int(head[9:12]), head, b"")
        if head_only or answer.status < 200 or answer.status in {204, 304}:
            return answer
        if answer.values(b"Transfer-Encoding"):
            return answer._replace(body=await self._chunks())
        length = answer.values(b"Content-Length")
        body = await (self.reader.readexactly(int(length[0])) if length else self.reader.read())
        return answer._replace(body=body)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return body


class Gateway:
    """`faults`: how many faults of ours a test has provoked; any other fails it. `clock`: the time of its deadlines.
    `own`: where it listens itself. `keeps_sessions`: whether the store answers."""

    plane: DataPlane
    clock: Clock

    def __init__(self) -> None:
        self.sessions = Sessions()
        self.counters = Counters()
        self.log = Log()
        self.pages = Pages()
        self.portal = Portal()
        self.seen: list[tuple[Seat, str, str, bytes]] = []
        self.port = 0
        self.host = "127.0.0.1"
        self.own: set[tuple[str, int]] = set()
        self.faults = 0
        self.keeps_sessions = True
        self.clients: list[Client] = []

    async def client(self, tls: ssl.SSLContext | None = None, name: str = HOST.decode()) -> Client:
        opened = await asyncio.open_connection(
            self.host, self.port, ssl=tls, server_hostname=name if tls else None, limit=1 << 20
        )
        client = Client(*opened)
        self.clients.append(client)
        return client

    async def once(self, raw: bytes) -> Answer:
        """One request on a connection of its own."""
        client = await self.client()
        return await client.ask(raw)

    def sign_in(self, cookie: bytes = COOKIE, **attributes: str | tuple[str, ...]) -> bytes:
        """A seat that this worker holds; the Cookie line for it."""
        who = identity(**(attributes or {"uid": "jdupont"}))
        self.sessions.hot[cookie] = seat(HOST.decode(), who, cookie)
        return b"Cookie: __Host-ecluse=" + cookie

    async def until(self, true: object, within: float = SOON) -> None:
        """Waits until `true()`."""
        assert callable(true)
        async with asyncio.timeout(within):
            while not true():
                await asyncio.sleep(0.005)


def files(port: int, *, scheme: str = "http", upstream: str = "", app: str = "", gateway: str = "") -> dict[str, str]:
    """`upstream`: more of the application's upstream; `app`, `gateway`: more lines of the two files."""
    url = f"{scheme}://127.0.0.1:{port}" if scheme == "http" else f"{scheme}://permis.localhost:{port}"
    extra = f", {upstream}" if upstream else ""
    return {
        "gateway.yaml": GATEWAY + gateway,
        "apps/permis.yaml": APP.format(url=url, upstream=extra, more=app),
    }


@asynccontextmanager
async def gateway(
    behind: Application | int,
    *,
    changes: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    secrets: dict[str, bytes] | None = None,
    address: str = "127.0.0.1",
    descriptors: int = 1 << 20,
    redirects: Redirects = "nothing",
    proxies: str = "",
    prepare: Preparing = translated,
    preparation: Preparation | None = None,
    callers: Callers | None = None,
    jars: Any = None,
    **more: str,
) -> AsyncIterator[Gateway]:
    """`behind`: the application or its port; `address`: that it listens on; `proxies`: a network of servers in front,
    who speak PROXY protocol; `more`: as for `files`."""
    port = behind if isinstance(behind, int) else behind.port
    here = Gateway()
    loop = asyncio.get_running_loop()
    here.clock = Clock(loop)
    errors: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    here.plane = DataPlane(
        person=lambda identity: f"person-{identity.subject}",
        holder=Holder(sample_snapshot({**files(port, **more), **(changes or {})}, secrets)),
        sessions=here.sessions,
        portal=here.portal.ask,
        pages=here.pages,
        counters=here.counters,
        log=here.log,
        loop=cast(asyncio.AbstractEventLoop, here.clock),
        descriptors=descriptors,
        is_ours=lambda address, port: (str(address), port) in here.own,
        seen=lambda seat, app, host, cookies: here.seen.append((seat, app.name, host, cookies)),
        prepare=prepare,
        preparation=preparation,
        callers=callers,
        jars=jars or NoJars(),
        keeps_sessions=lambda: here.keeps_sessions,
    )
    listening = bind(Listener((address, 0)))
    here.host, here.port = listening.getsockname()[:2]
    factory = here.plane.protocol_factory(tls=tls is not None, redirects=redirects)
    contexts = None if tls is None else OneContext(tls)
    told = (parse_network(proxies),) if proxies else ()
    acceptors = Acceptors([listening], [contexts], lambda _: factory, here.plane.admission, SOON, [told])
    acceptors.open()
    try:
        yield here
    finally:
        await acceptors.close()
        for client in here.clients:
            client.close()
        await here.plane.drain(0)
        for _ in range(8):
            await asyncio.sleep(0)
    assert not errors
    assert len(here.log.named("gateway.fault")) == here.faults, here.log.named("gateway.fault")
    assert not here.plane.connections
    assert not here.plane.tunnels
    here.plane.flush()
    assert not (unseen := missed(here.counters.values, here.plane.holder.snapshot)), unseen
