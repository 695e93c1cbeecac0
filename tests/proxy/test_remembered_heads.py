"""What a worker remembers of heads shows in nothing: random heads, hostile ones among them, on connections that are
kept, in a worker that remembers, and on a new connection each, in a worker that remembers nothing. Byte for byte, the
application gets the same, and the client.

As test_alike.py, which has real sockets, and no memory that is shared; this one has neither, and so many more heads.
"""

import asyncio
import random
import re
from typing import Final, cast

import pytest

from gateway.access import remembered
from gateway.access.application import unnamed
from gateway.access.remembered import Newcomers
from gateway.ops.counters import Counters as OpsCounters
from gateway.ops.log import Log as OpsLog
from gateway.proxy.client import ClientConnection
from gateway.proxy.dataplane import DataPlane
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.reading import HEAD
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.bench.browsers import browsing
from tests.bench.lane import Nowhere
from tests.config.samples import sample_snapshot
from tests.proxy.gateways import files
from tests.proxy.stand_ins import COOKIE, Counters, Holder, Log, Pages, Portal, Sessions, identity, seat
from tests.proxy.test_alike import AUTRE, OTHER, RULES, TOKENS, Programs, after, first

CLIENTS: Final = 6
# By turns, of the connections; the first is the listed proxy, where there is one. Every other one comes by TLS.
PEERS: Final = ("127.0.0.1", "192.0.2.9", "::1")
HOSTS: Final = (b"permis.localhost", b"autre.localhost")
# The application's date is none of ours.
_OWN: Final = re.compile(rb"(?<=\r\nX-Request-Id: )[0-9a-f]{32}|(?<=\r\nDate: )(?!Mon, 24 Nov 2025)[^\r]* GMT")
_LINES: Final = (b"Server: a", b"Server: b", b"ETag: \"a\"", b"ETag: W/\"b\"", b"etag: c", b"Set-Cookie: a=1",
                 b"Date: Mon, 24 Nov 2025 15:00:00 GMT", b"Date: Mon, 24 Nov 2025 15:00:01 GMT", b"date: now",
                 b"Cache-Control: no-store", b"Connection: keep-alive", b"Connection: close", b"Expires: 0",
                 b"Set-Cookie: __Host-ecluse=evil", b"Vary: Accept", b"X-Lang: fr", b"Server: a\r\n folded",
                 b"Strict-Transport-Security: max-age=0", b"Connection: Server", b"Vary: \x01")  # fmt: skip
_LENGTHS: Final = (b"Content-Length: %d", b"Content-Length: %d", b"content-length: %d", b"Content-Length: 0%d",
                   b"Content-Length:%d", b"Content-Length: %d ", b"Content-Length: 1, %d")  # fmt: skip
_STATUSES: Final = (
    b"200 OK",
    b"200 OK",
    b"200 OK",
    b"304 Not Modified",
    b"404 Not Found",
    b"204 No Content",
    b"401 No",
)
_HOSTILE: Final = (
    b"\r\n", b"\r\n\r\n", b"\r\n ", b"\n", b"\r", b"\0", b"\x7f", b" ", b"\t", b":", b": ", b"\xff", b"\r\nCookie: ",
    b"\r\nReferer: ", b"\r\nX-Remote-User: admin", b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked",
    b"\r\nHost: autre.localhost", b"\r\nConnection: cookie",
)  # fmt: skip


class Wire(Nowhere):
    """All that was written since it was last asked; whether it was closed."""

    def __init__(self, peer: str = "127.0.0.1") -> None:
        super().__init__()
        self.peer = peer
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"socket": None, "peername": (self.peer, 40000)}.get(name, default)

    def take(self) -> bytes:
        written, self.written = self.written, b""
        return _OWN.sub(b"*", written)


class Worker:
    """`forgets`: each request comes on a new connection, its response on another, and no head came before."""

    def __init__(self, trusted: str, *, forgets: bool) -> None:
        # The second lets others in by a header, and has other words put into it.
        other = RULES.replace("equals: fr", "equals: en"), AUTRE.replace("oui", "non")
        self.snapshots = [
            sample_snapshot(
                {**files(9, app=app, gateway=f"trusted_proxies: {trusted}\n"), **TOKENS, "apps/autre.yaml": autre % 9}
            )
            for app, autre in ((RULES, AUTRE), other)
        ]
        self.holder = Holder(self.snapshots[0])
        self.forgets = forgets
        self.log, self.sessions = Log(), Sessions()
        self.plane = DataPlane(
            person=unnamed, holder=self.holder, sessions=self.sessions, portal=Portal().ask, pages=Pages(),
            counters=cast(OpsCounters, Counters()), log=cast(OpsLog, self.log), loop=asyncio.get_running_loop(),
            is_ours=lambda address, port: False, callers=Programs(),
        )  # fmt: skip
        self.clients: dict[int, ClientConnection] = {}
        self.fronts: dict[int, Wire] = {}
        self.upstreams: dict[bytes, UpstreamConnection] = {}

    async def exchange(self, way: int, raw: bytes, responses: list[bytes]) -> tuple[object, ...]:
        """What the applications got of it, what the client, and whether they were closed."""
        plane = self.plane
        self.sessions.hot = {
            COOKIE: seat("permis.localhost", identity(uid="jdupont", groups=("administrateurs",)), COOKIE),
            OTHER: seat("permis.localhost", identity(uid="mmartin"), OTHER),
        }
        if self.forgets:
            plane.tables, plane.heads = plane._new_tables(), ResponseHeads()
            for connection in (*self.clients.values(), *self.upstreams.values()):
                connection.connection_lost(None)
            self.clients.clear()
            self.upstreams.clear()
        client, upstreams = self._client(way), [self._upstream(host) for host in HOSTS]
        refused = len(self.log.events)
        client.data_received(raw)
        for _ in range(4):
            if client.upstream not in upstreams:
                await asyncio.sleep(0)
        asked = [cast(Wire, upstream.transport).take() for upstream in upstreams]
        for upstream in upstreams:
            for piece in responses if upstream is client.upstream else ():
                if not cast(Wire, upstream.transport).closed:
                    upstream.data_received(piece)
        front = self.fronts[way]
        # One that was not asked may have been idle for too long.
        closed = [cast(Wire, one.transport).closed for one, was in zip(upstreams, asked, strict=True) if was]
        seen = asked, in_order(front.take()), front.closed, closed
        unread = any(fields.get("app") == "" for _, fields in self.log.events[refused:])
        self.log.events.clear()
        if front.closed or client.state is not HEAD or client.ahead:
            client.connection_lost(None)
            del self.clients[way]
        # Which of its faults is named of a head that is refused unread depends on who reads it first.
        return ("unread", front.closed) if unread else seen

    def _client(self, way: int) -> ClientConnection:
        if way not in self.clients:
            place = self.plane.admission.enter("127.0.0.1", 3)
            assert place is not None
            client = self.clients[way] = self.plane.protocol_factory(tls=way % 2 == 1)(place)
            self.fronts[way] = Wire(PEERS[way % len(PEERS)])
            client.connection_made(self.fronts[way])
        return self.clients[way]

    def _upstream(self, host: bytes) -> UpstreamConnection:
        """The one that is idle in the pool."""
        upstream = self.upstreams.get(host)
        pool = self.plane.tables.find(host).lane.pool
        assert pool is not None
        if upstream is None or upstream.transport.is_closing() or upstream not in pool.idle:
            for old in (*pool.idle, *([upstream] if upstream is not None else [])):
                old.connection_lost(None)
            pool.idle.clear()
            upstream = self.upstreams[host] = UpstreamConnection(
                pool, self.plane.timers, self.plane.heads, self.plane.room
            )
            upstream.connection_made(Wire())
            upstream.used = True
            pool.give(upstream)
        upstream.idle_since = asyncio.get_running_loop().time()
        return upstream


def in_order(written: bytes) -> bytes:
    """A head that is written anew has its length at its end, in the usual spelling: lines are compared without that."""
    head, end, rest = written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    lines = sorted(re.sub(rb"(?i)^content-length: ?", b"Content-Length: ", line).strip() for line in lines)
    return b"\r\n".join((first, *lines)) + end + rest


def response(draw: random.Random) -> list[bytes]:
    """In one piece, or in two."""
    status, body = draw.choice(_STATUSES), b"x" * draw.choice((0, 1, 5, 700))
    if status[:3] in {b"304", b"204"}:
        body = b""
    lines = draw.sample(_LINES[: draw.choice((8, len(_LINES)))], k=draw.randint(0, 4))
    if body or draw.random() < 0.5:
        lines.insert(draw.randint(0, len(lines)), draw.choice(_LENGTHS[: draw.choice((1, 1, 7))]) % len(body))
    version = draw.choice((b"HTTP/1.1 ",) * 9 + (b"HTTP/1.0 ",))
    head = version + b"\r\n".join((status, *lines)) + b"\r\n\r\n"
    whole = head + body + (b"more" if draw.random() < 0.02 else b"")
    cut = draw.choice((len(whole), len(whole), len(head), draw.randint(1, len(whole))))
    return [piece for piece in (whole[:cut], whole[cut:]) if piece]


def browsers(draw: random.Random) -> list[bytes]:
    sent = []
    for number in range(4):
        cookie = (COOKIE, OTHER, b"nobody")[draw.randrange(3)].decode()
        sent += browsing(number, "permis.localhost", f"__Host-ecluse={cookie}", draw.choice(("/", "/public/")), 3)
    return sent


def hostile(draw: random.Random, raw: bytes) -> bytes:
    at = draw.randrange(len(raw))
    match draw.randrange(4):
        case 0:
            return raw[:at] + draw.choice(_HOSTILE) + raw[at:]
        case 1:
            at = raw.find(b"\r\n", at)
            return raw[:at] + draw.choice(_HOSTILE) + raw[at:]
        case 2:
            return raw[:at] + raw[at : at + 1].swapcase() + raw[at + 1 :]
        case _:
            return raw[:at] + raw[at + 1 :]


async def compare(draw: random.Random, many: int, trusted: str) -> int:
    """How many heads were known."""
    remembers, forgets = Worker(trusted, forgets=False), Worker(trusted, forgets=True)
    turns = {way: first(draw) for way in range(CLIENTS)}
    pages, known = browsers(draw), 0
    for number in range(many):
        way = draw.randrange(CLIENTS)
        turns[way] = after(draw, turns[way]) if draw.random() < 0.95 else first(draw)
        raw = draw.choice(pages) if draw.random() < 0.3 else turns[way].raw()
        if draw.random() < 0.15:
            raw = hostile(draw, raw)
        if draw.random() < 0.05:
            raw = raw.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        if draw.random() < 0.003:
            for worker in (remembers, forgets):
                worker.holder.snapshot = worker.snapshots[number % 2]
                worker.plane.renew()
        responses = response(draw)
        expected = await forgets.exchange(way, raw, responses)
        assert await remembers.exchange(way, raw, responses) == expected, (number, raw, responses)
        known += way in remembers.clients and remembers.clients[way].request._known is not None
    for worker in (remembers, forgets):
        worker.plane.close()
    return known


@pytest.mark.parametrize("trusted", ["[]", "[127.0.0.1]"])
async def test_what_is_remembered_shows_nowhere(trusted: str) -> None:
    known = await compare(random.Random(0), 1500, trusted)
    assert known > 150, "most heads of browsers need no parser: else this compares nothing"


async def test_nor_where_most_of_it_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Newcomers.__init__, "__defaults__", (6, 9))
    monkeypatch.setattr(remembered, "_OWN_ROOM", 2)
    await compare(random.Random(0), 500, "[127.0.0.1]")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
async def test_nor_in_20_000_heads(seed: int) -> None:
    await compare(random.Random(seed), 10_000, ("[]", "[127.0.0.1]")[seed % 2])
