"""The data plane of one worker: the connections' shared objects, and how connections begin and end."""

import asyncio
import itertools
import secrets
import struct
import traceback
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import formatdate
from time import monotonic, time
from typing import Final

from gateway.access.application import Preparing
from gateway.access.inbound import InboundRequest
from gateway.access.outcome import Prepared
from gateway.access.preparation import Preparation, translated
from gateway.config.exchange_limits import Timeouts
from gateway.config.snapshot import App, Limits
from gateway.model.codes import gateway_codes, limit_codes, upstream_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.kept_post import SendOn
from gateway.model.ports import Callers, ErrorPages, Page
from gateway.model.redirects import Redirects
from gateway.model.session import Seat
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.accesslog import AccessLog, Seen
from gateway.proxy.admission import Admission, CountedConnection
from gateway.proxy.buffers.room import Buffers
from gateway.proxy.charset_notices import CharsetNotices
from gateway.proxy.client import ClientConnection
from gateway.proxy.counting import take_over
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.filters.texts import Disagreement
from gateway.proxy.hidden_cookies import HiddenCookies
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.lane import HostLane, Lane
from gateway.proxy.lasting import cut
from gateway.proxy.pacing import Room
from gateway.proxy.rates import RequestLimits
from gateway.proxy.reader import HEAD
from gateway.proxy.request import Request
from gateway.proxy.retired import Retired
from gateway.proxy.revalidation import Revalidation
from gateway.proxy.services import Holder
from gateway.proxy.spool import Spool
from gateway.proxy.tables import RequestTables
from gateway.proxy.timers import Timers
from gateway.proxy.tunnels import Tunnels
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.pool import Pool
from gateway.proxy.upstream.pools import Pools
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.stores.sessions.sessions import Sessions
from gateway.wire.fences import IsOurs
from gateway.wire.response_edits import UNCHANGED, ResponseEdits

# Lanes per step: a lane with requests to count takes about 3 us.
_LANES_IN_A_STEP: Final = 200
_USUAL_HEAD: Final = 8192
_IDLE_AT_THE_END: Final = 1.0
_OUT: Final = frozenset({"upstream.out", "upstream.unhealthy"})
_MANY: Final = 1 << 20
_HEADS: Final = 64
_BUSY_AGAIN: Final = 60.0


class DataPlane:
    """Construct it inside the running loop.

    `portal`: renders the page for a request of ours and its body.
    `descriptors`: the process's limit.
    `seen`: hears of people's cookies, for applications that are called at the end of sessions.
    `person`: the person's name in the log.
    `tick`: seconds between two looks at the deadlines; each connection is looked at every fourth tick.
    `is_ours`: the gateway's own addresses, to which no application is connected.
    `jars`: the hidden cookies.
    `prepare`: makes the data for an application.
    `preparation`: people's sessions at applications.
    `posts`: None: no form is kept across a sign-in.
    `keeps_sessions`: whether the store answers.
    `timeouts`: of the snapshot; shorter while draining.
    """

    timeouts: Timeouts

    def __init__(
        self,
        *,
        holder: Holder,
        sessions: Sessions,
        portal: Callable[[InboundRequest, bytes], asyncio.Task[Page | SendOn]],
        pages: ErrorPages,
        counters: Counters,
        log: Log,
        loop: asyncio.AbstractEventLoop,
        person: Callable[[Identity], str],
        is_ours: IsOurs,
        jars: CookieJars,
        descriptors: int = _MANY,
        tick: float = 0.125,
        callers: Callers | None = None,
        seen: Callable[[Seat, App, str, bytes], None] | None = None,
        prepare: Preparing = translated,
        preparation: Preparation | None = None,
        posts: KeptPosts | None = None,
        keeps_sessions: Callable[[], bool] = lambda: True,
    ) -> None:
        self._keeps_sessions = keeps_sessions
        self.hidden_cookies = HiddenCookies(jars, seen)
        self.holder = holder
        self.sessions = sessions
        self.portal = portal
        self.pages = pages
        self.callers = callers
        self.posts = posts
        self._person = person
        self._prepare = prepare
        self.preparation = preparation
        self._seen = seen
        self.counters = counters
        self.log = log
        self.loop = loop
        self.draining = False
        self.timers = Timers(loop, tick)
        self.room = Room(loop)
        self.heads = ResponseHeads()
        self._edited_heads: dict[tuple[frozenset[bytes], bool], ResponseHeads] = {}
        self.connections: set[ClientConnection] = set()
        self.access_log: AccessLog | None = None
        self._accepted = self._dated = 0
        self._busy: dict[str, float] = {}
        self._charsets = CharsetNotices(counters, log)
        self._date = b""
        self._pools = Pools(loop, self._new_upstream, is_ours, self._address_changed)
        self._numbers = itertools.count(1)
        self._retired = Retired(loop, self._take_over)
        self.ids = _ids()
        self.spool = Spool()
        self.buffers = Buffers(lambda: holder.snapshot.gateway.buffers, log, loop)
        self.admission = Admission(descriptors=descriptors, counters=counters, log=log, pages=pages, ids=self.ids)
        self.rates = RequestLimits(counters, log)
        self.tunnels = Tunnels(loop, sessions, counters)
        self.tables = self._new_tables()
        self.timers.start()
        self._revalidation = Revalidation(loop, self.connections)

    # --- for the composition root ---

    def protocol_factory(
        self, *, tls: bool, redirects: Redirects = "nothing"
    ) -> Callable[[CountedConnection], ClientConnection]:
        """Makes protocols for server.acceptors. `tls`: the listener speaks TLS. `redirects`: the listener redirects
        to https."""
        scheme = "https" if tls else "http"
        return lambda counted: ClientConnection(self, scheme, counted, self.connections, redirects=redirects)

    def is_ready(self) -> bool:
        """Whether this node wants new requests. Not while the store is away: nobody can sign in then."""
        return not self.draining and self._keeps_sessions()

    def snapshot_swapped(self) -> None:
        """Called after the swap. Judges open requests again; a new request sees the snapshot by itself."""
        self.renew()
        self._revalidation.rejudge_all()
        self.tunnels.everybody()

    def changed(self, seat: Seat) -> None:
        """Judges the person's streams again after a change of their attributes."""
        self._revalidation.rejudge_seat(seat)
        self.tunnels.whoever_is(seat)

    def revoked(self, seats: Iterable[Seat]) -> None:
        """Cuts every request under way, and every tunnel, of these seats. `seat.live` already refuses new requests."""
        seats = tuple(seats)
        self.tunnels.end_of_seats(seats)
        dead = set(map(id, seats))
        for client in tuple(self.connections):
            if client.active.under_way and id(client.active.request.seat) in dead:
                cut(client)

    async def drain(self, within: float) -> int:
        """Answers the requests under way with `Connection: close`. Returns how many connections were cut after `within`
        seconds.

        The next request of an idle connection may be on its way. So each idle connection has a moment to send the
        request and to read `Connection: close`. A long response may have promised a kept connection before the drain:
        the moment begins when the response ends.
        """
        self.draining = True
        self.tunnels.restart()
        until = monotonic() + within
        idle = min(_IDLE_AT_THE_END, within / 2)
        while (self.connections or self.tunnels) and monotonic() < until:
            for client in tuple(self.connections):
                client.leave_if_idle(idle)
            await asyncio.sleep(0.02)
        left = (*(client for client in self.connections if not client.is_idle), *self.tunnels)
        for client in (*self.connections, *self.tunnels):
            client.abort()
        self.close()
        return len(left)

    def close(self) -> None:
        self.timers.stop()
        self.room.close()
        self._revalidation.stop()
        self.tunnels.stop()
        self._pools.close()
        self.buffers.close()

    def flush(self) -> None:
        """Takes what was counted in plain cells over into the counters."""
        for _ in self.flushing():
            pass

    def flushing(self) -> Iterator[None]:
        """The same in steps of under a millisecond (invariant 14)."""
        counters = self.counters
        for number, lane in enumerate([lane for tables in (*self._retired, self.tables) for lane in tables.lanes], 1):
            self._take_over(lane)
            if number % _LANES_IN_A_STEP == 0:
                yield
        counters.gauge(len(self.connections), "ecluse_http_connections")
        counters.gauge(len(self.tunnels), "ecluse_tunnels")
        joining = self.admission.held - len(self.connections) - len(self.tunnels)
        counters.gauge(max(0, joining), "ecluse_tls_handshakes")
        counters.gauge(
            sum(client.reader.state is not HEAD for client in self.connections), "ecluse_http_active_requests"
        )
        if self._accepted:
            counters.count(self._accepted, "ecluse_http_connections_total")
            self._accepted = 0
        yield

    def _take_over(self, lane: HostLane) -> None:
        if isinstance(lane, Lane) and lane.differing:
            self._tell_differences(lane)
        take_over(lane, self.counters)

    def _tell_differences(self, lane: Lane) -> None:
        """Logs each kind of difference once, and counts the rest."""
        if lane.logged_differences is None:
            lane.logged_differences = set()
        for _, found in lane.differing or ():
            for one in found:
                if one not in lane.logged_differences:
                    lane.logged_differences.add(one)
                    self.log.event("policy.shadow", app=lane.name, revision=lane.revision, **one._asdict())

    # --- for the connections ---

    def renew(self) -> RequestTables:
        """Makes new tables for a new snapshot. Requests under way keep their tables."""
        if self.tables.snapshot is not self.holder.snapshot:
            self._retired.add(self.tables)
            self.tables = self._new_tables()
            self._pools.keep(self.tables.snapshot.apps)
        return self.tables

    def date_line(self) -> bytes:
        """RFC 9110 6.6.1, for this second."""
        second = int(time())
        if second != self._dated:
            self._dated, self._date = second, b"Date: " + formatdate(second, usegmt=True).encode("ascii")
        return self._date

    def opened(self) -> None:
        self._accepted += 1

    def begin_tunnel(
        self,
        request: Request,
        counted: CountedConnection,
        client: asyncio.Transport,
        application: ServerConnection,
        came: bytes,
    ) -> None:
        self.tunnels.begin(self, request, counted, client, application, came)

    def note_cookies(self, request: Request, prepared: Prepared) -> None:
        """Notes a person's new cookies for the call at the end of the session."""
        seat, lane = request.seat, request.application
        # A program has no session.
        if self._seen is not None and seat is not None and seat.session_id:
            cookies = self.hidden_cookies.as_told(request, seat) if lane.hides else request.cookie_rest
            if prepared.session is not None:
                cookies = b"; ".join(filter(None, (prepared.session.cookies, cookies)))
            self._seen(seat, lane.app, request.host.name, cookies)

    def refused(self, code: Code, detail: str, request_id: bytes, app: str, seen: Seen) -> None:
        self.counters.add("ecluse_http_refusals_total", code.id)
        self.log.event(
            "request.refused",
            code=code.id,
            detail=detail,
            app=app,
            **seen._asdict(),
            request_id=request_id.decode("ascii"),
        )

    def upstream_failed(self, request: Request, error: GatewayError) -> None:
        if error.code is limit_codes.CONNECTIONS:
            self.admission.exhausted("upstream")
        request.application.count_failure(error.code.id)
        if error.code is upstream_codes.BUSY:
            self._tell_busy(request.lane.name)
            return
        self.log.event(
            "upstream.failed",
            app=request.lane.name,
            code=error.code.id,
            detail=error.detail,
            request_id=request.id.decode("ascii"),
        )

    def _tell_busy(self, app: str) -> None:
        """A line for each request would be too much to do for the log as well."""
        now = self.timers.now
        if now >= self._busy.get(app, 0.0):
            self._busy[app] = now + _BUSY_AGAIN
            self.log.event("upstream.busy", app=app)

    def charset_disagrees(self, request: Request, found: Disagreement) -> None:
        self._charsets.tell(request, found, self.timers.now)

    def _address_changed(self, event: str, app: str, place: str, more: Mapping[str, object]) -> None:
        if event in _OUT:
            self.counters.add("ecluse_upstream_out_total", app)
        self.log.event(event, app=app, upstream=place, **more)

    def faulted(self, fault: Exception, request_id: bytes) -> None:
        """Logs where the fault is. The message could hold a secret."""
        frame = traceback.extract_tb(fault.__traceback__)[-1:]
        where = "".join(f" at {entry.filename.rpartition('/')[2]}:{entry.lineno}" for entry in frame)
        self.log.event("gateway.fault", detail=type(fault).__name__ + where, request_id=request_id.decode("ascii"))
        self.counters.add("ecluse_http_refusals_total", gateway_codes.FAULT.id)

    def _new_tables(self) -> RequestTables:
        snapshot = self.holder.snapshot
        self.limits: Limits = snapshot.gateway.limits
        self.admission.follow(snapshot)
        self.rates.follow(snapshot)
        self._charsets.follow(snapshot)
        # A head below this size is within the limit on bytes, and may be read as a whole.
        self.usual_head = min(_USUAL_HEAD, self.limits.headers_bytes)
        self.timeouts = snapshot.gateway.timeouts
        self.access_log = AccessLog(self.log) if snapshot.gateway.access_log else None
        hsts = snapshot.gateway.hsts
        # RFC 6797 7.2: not by plain http.
        self.hsts_line = b"" if hsts is None else b"\r\nStrict-Transport-Security: max-age=%d" % hsts
        return RequestTables(snapshot, self._pools, self._numbers, self._person, self._prepare)

    def _new_upstream(self, pool: Pool) -> UpstreamConnection:
        return pool.connects(pool, self.timers, self._heads_for(pool.edits), self.room)

    def _heads_for(self, edits: ResponseEdits) -> ResponseHeads:
        """Returns a shared object for the applications that edit the same lines."""
        if edits == UNCHANGED:
            return self.heads
        key = edits.names, edits.adds
        heads = self._edited_heads.get(key)
        if heads is None:
            if len(self._edited_heads) >= _HEADS:
                self._edited_heads.clear()
            heads = self._edited_heads[key] = ResponseHeads(edits.names, adds=edits.adds)
        return heads


def _ids() -> Iterator[bytes]:
    """Request ids, 128 bits in hex: random for the worker, then a walk that does not repeat."""
    prefix = secrets.token_hex(8).encode("ascii")
    walk = itertools.count(secrets.randbits(62), secrets.randbits(20) | 1)
    # Only C code: half the time of formatting the numbers in Python.
    return map(prefix.__add__, map(hexlify, map(struct.Struct(">Q").pack, walk)))
