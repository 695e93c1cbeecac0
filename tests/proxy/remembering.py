"""A worker that remembers heads, or forgets each at once, fed in process: no sockets, and so many more heads."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from gateway.access.preparation import Preparation
from gateway.ops.counters import Counters as OpsCounters
from gateway.ops.log import Log as OpsLog
from gateway.proxy.client import ClientConnection
from gateway.proxy.dataplane import DataPlane
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.reader import HEAD
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.pool import Pool
from gateway.wire.application_cookies import shared_cookies
from tests.bench.lane import Nowhere
from tests.config.samples import sample_snapshot
from tests.proxy.many_kinds import INSTALLATION_SECRETS, Logins, installation, named, seats
from tests.proxy.stand_ins import Counters, Holder, Log, NoJars, Pages, Portal, Sessions
from tests.proxy.test_alike import Programs

# By turns, of the connections; the first is the listed proxy, where there is one. Every other one comes by TLS.
PEERS: Final = ("127.0.0.1", "192.0.2.9", "::1")
# The application's date is none of ours.
_OWN: Final = re.compile(rb"(?<=\r\nX-Request-Id: )[0-9a-f]{32}|(?<=\r\nDate: )(?!Mon, 24 Nov 2025)[^\r]* GMT")
_OWN_OF_LINES: Final = re.compile(rb'"(?:ts|time|request_id|ms|reference)":[^,}]*')
_MESSAGES: Final = re.compile(rb"(?=HTTP/1\.1 [1-5]\d\d )")
_LENGTH: Final = re.compile(rb"(?i)^content-length: ?")
# Of connections: one that forgets has others.
_NOT_OF_REQUESTS: Final = re.compile("ecluse_(?:http_(?:connections|active)|tunnels|tls_|upstream_connections)")
# Turns of the loop within which all that is awaited here is there.
_TURNS: Final = 30


class Seen(NamedTuple):
    """What came of one request. `asked`: what each application got, by its name; `closed`: whether the client's
    connection was, and those of which applications; `counted`, `lines`, `events`: by the counters, in the access log
    and in the log; `portal`: what it was asked; `noted`: the cookies of people at applications that hear of the end of
    sessions."""

    asked: Mapping[str, bytes]
    answer: Sequence[bytes]
    closed: tuple[bool, Sequence[str]]
    counted: Mapping[tuple[str, ...], float]
    lines: Sequence[bytes]
    events: Sequence[tuple[str, Mapping[str, object]]]
    portal: Sequence[bytes]
    noted: Sequence[tuple[bytes, str, str, bytes]]


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
    """`forgets`: each request comes on a new connection, its response on another, no head came before, and nothing is
    known of the person but the seat. `gone`: the cookies of those who have signed out."""

    def __init__(self, trusted: str, *, forgets: bool) -> None:
        self.forgets = forgets
        self.snapshots = [
            sample_snapshot(installation(trusted, other=other), INSTALLATION_SECRETS) for other in (False, True)
        ]
        self.holder, self.log, self.sessions = Holder(self.snapshots[0]), Log(), Sessions()
        self.counters, self.portal = Counters(), Portal()
        self.gone: set[bytes] = set()
        self.noted: list[tuple[bytes, str, str, bytes]] = []
        preparation = Preparation(
            keys=lambda: (), in_thread=_at_once, chance=bytes, wall=lambda: 0.0,
            monotonic=asyncio.get_running_loop().time, accounts=Logins(),
        )  # fmt: skip
        self.plane = DataPlane(
            person=named, holder=self.holder, sessions=self.sessions, portal=self.portal.ask, pages=Pages(),
            counters=cast(OpsCounters, self.counters), log=cast(OpsLog, self.log), loop=asyncio.get_running_loop(),
            is_ours=lambda address, port: False, jars=NoJars(), callers=Programs(), prepare=preparation,
            preparation=preparation,
            seen=lambda seat, app, host, cookies: self.noted.append((seat.cookie, app.name, host, cookies)),
        )  # fmt: skip
        self.clients: dict[int, ClientConnection] = {}
        self.fronts: dict[int, Wire] = {}
        self.upstreams: dict[str, UpstreamConnection] = {}
        self.sessions.hot = seats()

    # --- what happens beside requests

    def reload(self, number: int) -> None:
        """Another version of the files is live."""
        self.holder.snapshot = self.snapshots[number % 2]
        self.plane.renew()

    def sign_out(self, cookie: bytes) -> None:
        """Or in anew, where they have."""
        if cookie in self.gone:
            self.gone.remove(cookie)
            self.sessions.hot[cookie] = seats()[cookie]
            return
        self.gone.add(cookie)
        seat = self.sessions.hot.pop(cookie, None)
        if seat is not None:
            seat.live = False
            self.plane.revoked((seat,))

    # --- a request

    async def exchange(self, way: int, raw: bytes, responses: Sequence[bytes]) -> Seen:
        """`way`: the number of the client's connection."""
        if self.forgets:
            self._forget()
        client = self._client(way)
        # An application is known by its lane before anybody asks for its host; for one of the two in the other order.
        apps = sorted(self.plane.tables.snapshot.apps.items(), reverse=self.forgets)
        pools = {name: self.plane.tables._lane(app).pool for name, app in apps}
        upstreams = {name: self._upstream(name, pool) for name, pool in pools.items()}
        front = self.fronts[way]
        for upstream in upstreams.values():
            # Of what came behind the request before, on a connection that has ended since.
            cast(Wire, upstream.transport).take()
        client.data_received(raw)
        await _settled(client, upstreams.values())
        asked = {name: got for name, one in upstreams.items() if (got := cast(Wire, one.transport).take())}
        for _, upstream in sorted(upstreams.items()):
            for piece in responses if upstream is client.active.upstream else ():
                if not cast(Wire, upstream.transport).closed:
                    upstream.data_received(piece)
        await _settled(client, upstreams.values())
        # One that was not asked may have been idle for too long.
        closed = front.closed, [name for name in asked if cast(Wire, upstreams[name].transport).closed]
        seen = self._seen(asked, in_order(front.take()), closed)
        if front.closed or client.reader.state is not HEAD or client.reader.ahead:
            client.connection_lost(None)
            del self.clients[way]
        return seen

    def _forget(self) -> None:
        plane = self.plane
        plane.tables, plane.heads = plane._new_tables(), ResponseHeads()
        plane._edited_heads.clear()
        shared_cookies.cache_clear()
        for connection in (*self.clients.values(), *self.upstreams.values()):
            connection.connection_lost(None)
        self.clients.clear()
        self.upstreams.clear()
        self.sessions.hot = {cookie: seat for cookie, seat in seats().items() if cookie not in self.gone}

    def _seen(self, asked: Mapping[str, bytes], answer: Sequence[bytes], closed: tuple[bool, Sequence[str]]) -> Seen:
        self.counters.values.clear()
        self.plane.flush()
        counted = {key: many for key, many in self.counters.values.items() if not _NOT_OF_REQUESTS.match(key[0])}
        # Each kind of difference is logged once, and counted each time.
        events = [(name, _unnumbered(more)) for name, more in self.log.events if name != "policy.shadow"]
        lines = [_OWN_OF_LINES.sub(b"", line) for line in self.log.lines]
        portal = [one.received for one in self.portal.asked]
        seen = Seen(asked, answer, closed, counted, lines, events, portal, self.noted[:])
        for kept in (self.log.events, self.log.lines, self.portal.asked, self.noted):
            kept.clear()
        if any(more.get("app") == "" for _, more in events):
            # Which of its faults is named of a head that is refused unread depends on who reads it first.
            return seen._replace(answer=(), counted={}, lines=(), events=())
        return seen

    def _client(self, way: int) -> ClientConnection:
        if way not in self.clients:
            place = self.plane.admission.enter("127.0.0.1", 3)
            assert place is not None
            client = self.clients[way] = self.plane.protocol_factory(tls=way % 2 == 1)(place)
            self.fronts[way] = Wire(PEERS[way % len(PEERS)])
            client.connection_made(self.fronts[way])
        return self.clients[way]

    def _upstream(self, app: str, pool: Any) -> UpstreamConnection:
        """The one that is idle in the pool."""
        assert isinstance(pool, Pool)
        upstream = self.upstreams.get(app)
        if upstream is None or upstream.transport.is_closing() or upstream not in pool.idle:
            for old in (*pool.idle, *([upstream] if upstream is not None else [])):
                old.connection_lost(None)
            pool.idle.clear()
            upstream = self.upstreams[app] = self.plane._new_upstream(pool)
            upstream.connection_made(Wire())
            upstream.used = True
            pool.give(upstream)
        upstream.idle_since = asyncio.get_running_loop().time()
        return upstream


async def _settled(client: ClientConnection, upstreams: Collection[object]) -> None:
    """Until an application was asked, or everything is answered."""
    for _ in range(_TURNS):
        if client.active.upstream in upstreams or (client.reader.state is HEAD and not client.reader.ahead):
            return
        await asyncio.sleep(0)


def in_order(written: bytes) -> Sequence[bytes]:
    """A head that is written anew has its length at its end, in the usual spelling: lines are compared without that."""
    found: list[bytes] = []
    for message in filter(None, _MESSAGES.split(written)):
        head, end, rest = message.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        found += first, *sorted(_LENGTH.sub(b"Content-Length: ", line).strip() for line in lines), end + rest
    return found


def differing(one: Seen, other: Seen) -> dict[str, tuple[object, object]]:
    both = zip(one._fields, one, other, strict=True)
    return {name: (mine, theirs) for name, mine, theirs in both if mine != theirs}


def _unnumbered(more: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in more.items() if name != "request_id"}


async def _at_once(work: Any) -> Any:
    return work()
