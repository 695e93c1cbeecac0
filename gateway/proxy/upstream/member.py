"""An address of an application: its connections, its requests under way, and its health."""

import asyncio
import math
from collections import deque
from typing import Final, Protocol, cast

from gateway.access.request_line import REPEATABLE
from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.model.balancing import Balancing
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Requester
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.pacing import Room
from gateway.proxy.timers import Timers
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.lenient import LenientConnection
from gateway.proxy.upstream.pool import FRESH_SECONDS, Pool, Shared, Waiter
from gateway.proxy.upstream.standing import Standing
from gateway.proxy.upstream.state import HEAD, IDLE
from gateway.wire.response_edits import ResponseEdits

_AWAY: Final = frozenset({upstream_codes.CONNECT, upstream_codes.TIMEOUT})


class Siblings(Protocol):
    """The other addresses of the application."""

    def other(self, tried: "tuple[Member, ...]") -> "Member | None":
        """The next address, within the budget, for a request that could not be sent to the addresses in `tried`."""

    def failed(self, member: "Member", *, away: bool) -> None:
        """`away`: no connection could be opened to it."""

    def succeeded(self, member: "Member") -> None: ...

    def may_repeat(self) -> bool:
        """Whether the budget allows one more repeated request."""


class MemberConnection(UpstreamConnection):
    """Reports the result of each request to its address."""

    __slots__ = ("_busy",)

    pool: "Member"

    def __init__(self, pool: "Member", timers: Timers, heads: ResponseHeads, room: Room) -> None:
        super().__init__(pool, timers, heads, room)
        self._busy = False

    def begin(self, *, entered: bool = False) -> None:
        """Called before a request is sent. `entered`: the address has already counted the request."""
        if not self._busy:
            self._busy = True
            if not entered:
                self.pool.entered()

    def _over(self) -> None:
        if self._busy:
            self._busy = False
            self.pool.left()

    def send(self, client: Requester, data: bytes, method: bytes, timeouts: Timeouts) -> None:
        self.begin()
        super().send(client, data, method, timeouts)

    def is_free_in(self, pool: object) -> bool:
        """True also if the balance would choose another address: a connection bound to a person is kept."""
        return self.state is IDLE and isinstance(pool, Member) and pool.siblings is self.pool.siblings

    def close(self) -> None:
        super().close()
        self._over()

    def release(self) -> asyncio.Transport:
        transport = super().release()
        self.pool.siblings.succeeded(self.pool)
        self._over()
        return transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._over()

    def _ended(self, client: Requester, *, clean: bool) -> None:
        self.pool.siblings.succeeded(self.pool)
        super()._ended(client, clean=clean)

    def _give_back(self, client: Requester) -> None:
        self.pool.siblings.succeeded(self.pool)
        self._over()
        super()._give_back(client)

    def _failed(self, error: GatewayError) -> None:
        if error.code is upstream_codes.TIMEOUT and self.state is HEAD:
            self.pool.siblings.failed(self.pool, away=False)
        super()._failed(error)

    def _lost(self, exc: Exception | None) -> None:
        if self.client is not None and self.state is HEAD and not self.heard and not self.used:
            siblings = self.pool.siblings
            siblings.failed(self.pool, away=False)
            # Counts as a kept connection, so that the client repeats the request if repeating is harmless.
            self.used = self._method in REPEATABLE and siblings.may_repeat()
        super()._lost(exc)


class LenientMemberConnection(LenientConnection, MemberConnection):
    __slots__ = ()

    pool: "Member"


class Member(Pool):
    """`place`: host and port.
    `in_flight`: requests being sent or answered.
    `most`: the limit of `in_flight`. Further requests wait in a short queue.
    """

    __slots__ = ("_longest", "_queue", "in_flight", "most", "place", "siblings", "standing")

    def __init__(
        self,
        upstream: Upstream,
        shared: Shared,
        edits: ResponseEdits,
        balancing: Balancing,
        siblings: Siblings,
    ) -> None:
        super().__init__(upstream, shared, edits)
        self.place = upstream.place
        self.in_flight = 0
        self.most = balancing.concurrency or math.inf
        self._longest = balancing.queue
        self._queue: deque[asyncio.Future[None]] = deque()
        self.standing = Standing(balancing.circuit, balancing.slow_start)
        self.siblings = siblings

    @property
    def connects(self) -> type[UpstreamConnection]:
        return LenientMemberConnection if self.upstream.accepts else MemberConnection

    def entered(self) -> None:
        """Counts a request."""
        self.in_flight += 1
        self.standing.taken()

    def left(self) -> None:
        """Ends a request, whatever its result. The longest waiting request takes its place."""
        self.standing.left()
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.in_flight -= 1

    def take(self, idle_since: float) -> UpstreamConnection | None:
        if self.in_flight >= self.most:
            return None
        connection = super().take(idle_since)
        if connection is not None:
            cast(MemberConnection, connection).begin()
        return connection

    async def opened(self, waiter: Waiter | None = None) -> UpstreamConnection:
        """Also a kept connection, where a request has waited for its turn. Raises GatewayError, upstream_codes.BUSY
        too."""
        waited = await self._turn()
        try:
            kept = super().take(self._loop.time() - FRESH_SECONDS) if waited else None
            connection = await super().opened(waiter) if kept is None else kept
        except BaseException as error:
            if isinstance(error, GatewayError) and error.code in _AWAY:
                self.siblings.failed(self, away=True)
            self.left()
            raise
        cast(MemberConnection, connection).begin(entered=True)
        return connection

    async def _turn(self) -> bool:
        """Whether the request had to wait for it, as long as a connection may take."""
        if self.in_flight < self.most:
            self.entered()
            return False
        if len(self._queue) >= self._longest:
            raise GatewayError(
                upstream_codes.BUSY, f"{self.place}: {self.in_flight} under way, {len(self._queue)} wait"
            )
        turn: asyncio.Future[None] = self._loop.create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self.upstream.timeouts.connect):
                await turn
        except BaseException as error:
            if turn.cancelled():
                self._queue.remove(turn)
            else:
                # The request has got the place just now, and no longer needs it.
                self.left()
            if isinstance(error, TimeoutError):
                raise GatewayError(
                    upstream_codes.BUSY, f"{self.place}: {self.in_flight} under way for too long"
                ) from None
            raise
        self.standing.taken()
        return True

    async def _connect(self, waiter: Waiter) -> None:
        """Opens a connection. Nothing was sent yet, so any request may move to another address."""
        tried: tuple[Member, ...] = ()
        member: Member | None = self
        while member is not None:
            try:
                connection = await member.opened(waiter)
            except GatewayError as error:
                tried = (*tried, member)
                member = self.siblings.other(tried) if error.code in _AWAY else None
                if member is None:
                    waiter.not_connected(error)
            else:
                waiter.connected(connection)
                return
