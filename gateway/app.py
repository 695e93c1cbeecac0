"""The composition root of a worker: every service is made here, by hand, and joined to the others."""

import asyncio
import gc
import secrets
import signal
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import uvloop

from gateway.config.snapshot import Gateway, Listener, Snapshot
from gateway.federation.federation import Federation
from gateway.model.session import Seat
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.portal.app import Portal
from gateway.portal.pages import Pages
from gateway.proxy.dataplane import DataPlane
from gateway.server.listeners import load_certificate, tls_context
from gateway.server.worker import WorkerControl
from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sessions import Sessions
from gateway.stores.sqlite import SqliteStore
from gateway.stores.transactions import Transactions
from gateway.stores.upkeep import Upkeep

_LOOP_STOPS_KEPT = 10.0
_CLOSED_WITHIN = 2.0


def work(control: int, listening: Sequence[int]) -> int:
    """Until the supervisor says drain, or is gone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sockets = [socket.socket(fileno=descriptor) for descriptor in listening]
    # The oldest generation is left to the freezes: a full collection would stop the loop (invariant 14).
    gc.set_threshold(10_000, 50, 10_000)
    log = Log(sys.stdout.fileno())
    try:
        uvloop.run(_Worker(sockets, log).run(socket.socket(fileno=control)))
    finally:
        log.close()
    return 0


class _Worker:
    """server.worker.Served. Holds the one mutable reference: the snapshot."""

    snapshot: Snapshot

    def __init__(self, sockets: Sequence[socket.socket], log: Log) -> None:
        self._sockets = sockets
        self._log = log
        self._counters = Counters()
        self._control = WorkerControl(self)
        self._stops: deque[tuple[float, float]] = deque()
        self._contexts: list[ssl.SSLContext | None] = []
        self._servers: list[asyncio.Server] = []
        self._started = False

    async def run(self, control: socket.socket) -> None:
        await self._control.run(control)

    async def take(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if not self._started:
            await self._start(snapshot.gateway)
            self._started = True
            return
        for context, listener in zip(self._contexts, snapshot.gateway.listeners, strict=True):
            if context is not None:
                load_certificate(context, listener)
        self._plane.snapshot_swapped()

    async def _start(self, gateway: Gateway) -> None:
        log, counters, limits = self._log, self._counters, gateway.limits
        self._store = _store(gateway, log, counters)
        await self._store.open()
        sessions = Sessions(self._store, gateway.store_keys, cached_seats=limits.cached_seats, log=log)
        transactions = Transactions(
            self._store,
            gateway.store_keys,
            per_network=limits.transactions_per_network,
            in_all=limits.transactions,
            log=log,
        )
        self._sessions = sessions
        self._federation = Federation()
        pages = Pages()
        self._portal = Portal(
            sessions=sessions,
            transactions=transactions,
            federation=self._federation,
            revoker=self._control,
            pages=pages,
            counters=counters,
            log=log,
            now=time.time,
            monotonic=time.monotonic,
            token_urlsafe=secrets.token_urlsafe,
        )
        self._plane = DataPlane(
            loop=asyncio.get_running_loop(),
            holder=self,
            sessions=sessions,
            portal_protocol=self._portal.protocol,
            pages=pages,
            counters=counters,
            log=log,
        )
        self._upkeep = Upkeep(self._store, sessions, self._killed)
        await self._upkeep.start()
        await self._listen(gateway.listeners)

    async def _listen(self, listeners: Sequence[Listener]) -> None:
        loop = asyncio.get_running_loop()
        self._contexts = [tls_context(listener) for listener in listeners]
        for listening, context in zip(self._sockets, self._contexts, strict=True):
            factory = self._plane.protocol_factory(tls=context is not None)
            self._servers.append(await loop.create_server(factory, sock=listening, ssl=context, backlog=4096))

    def revoke(self, session_ids: tuple[str, ...]) -> None:
        if self._started:
            self._killed(self._sessions.revoke(session_ids))

    def _killed(self, seats: tuple[Seat, ...]) -> None:
        self._plane.revoked(seats)

    def counters(self) -> bytes:
        if self._started:
            self._plane.flush()
            self._counters.gauge(self._sessions.held, "ecluse_sessions_cached")
        self._counters.gauge(max((stop for _, stop in self._stops), default=0.0), "ecluse_event_loop_stop_max_seconds")
        return self._counters.dump()

    def loop_stopped(self, seconds: float) -> None:
        """What is told is the longest of the last ten seconds."""
        now = time.monotonic()
        while self._stops and now - self._stops[0][0] > _LOOP_STOPS_KEPT:
            self._stops.popleft()
        if seconds > 0.001:
            self._stops.append((now, seconds))

    async def drain(self, within: float) -> None:
        if not self._started:
            return
        for server in self._servers:
            server.close()
        await self._plane.drain(within)
        await self._portal.close(_CLOSED_WITHIN)
        await self._federation.close()
        await self._upkeep.stop()
        await self._store.close()


def _store(gateway: Gateway, log: Log, counters: Counters) -> RecordStore:
    if gateway.store == "memory":
        return MemoryStore()
    return SqliteStore(Path(gateway.state_folder) / "sessions.sqlite", log=log, counters=counters)
