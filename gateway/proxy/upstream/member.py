"""One of several addresses of an application: its connections, what is under way on them, and how it stands."""

import asyncio
from typing import Final, Protocol, cast

from gateway.config.snapshot import Timeouts, Upstream
from gateway.model.balancing import CircuitSettings
from gateway.model.codes import UPSTREAM_CONNECT, UPSTREAM_TIMEOUT
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Requester
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.timers import Timers
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.pool import Pool, Shared, Waiter
from gateway.proxy.upstream.standing import Standing
from gateway.proxy.upstream.state import HEAD, IDLE
from gateway.wire.response_edits import ResponseEdits

_AWAY: Final = frozenset({UPSTREAM_CONNECT, UPSTREAM_TIMEOUT})


class Siblings(Protocol):
    """The addresses of one application."""

    def other(self, tried: "tuple[Member, ...]") -> "Member | None":
        """Where a request goes that could not be sent to those tried, within the budget."""

    def failed(self, member: "Member", *, away: bool) -> None:
        """`away`: no connection could be opened to it."""

    def succeeded(self, member: "Member") -> None: ...


class MemberConnection(UpstreamConnection):
    """Tells its address what becomes of the requests on it."""

    __slots__ = ("_busy",)

    pool: "Member"

    def __init__(self, pool: "Member", timers: Timers, heads: ResponseHeads) -> None:
        super().__init__(pool, timers, heads)
        self._busy = False

    def begin(self) -> None:
        """A request is about to be sent on it."""
        if not self._busy:
            self._busy = True
            self.pool.entered()

    def _over(self) -> None:
        if self._busy:
            self._busy = False
            self.pool.left()

    def send(self, client: Requester, data: bytes, method: bytes, timeouts: Timeouts) -> None:
        self.begin()
        super().send(client, data, method, timeouts)

    def is_free_in(self, pool: object) -> bool:
        """Also where another address would be next: what is bound to a person is bound to this connection."""
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
        if error.code is UPSTREAM_TIMEOUT and self.state is HEAD:
            self.pool.siblings.failed(self.pool, away=False)
        super()._failed(error)

    def _lost(self, exc: Exception | None) -> None:
        if self.client is not None and self.state is HEAD and not self.heard:
            if not self.used:
                self.pool.siblings.failed(self.pool, away=False)
            # Also where it was new: there are other addresses, and a budget.
            self.used = True
        super()._lost(exc)


class Member(Pool):
    """`place`: host and port. `in_flight`: requests on their way to it, or answered by it now."""

    __slots__ = ("in_flight", "place", "siblings", "standing")

    connects = MemberConnection

    def __init__(
        self,
        upstream: Upstream,
        shared: Shared,
        edits: ResponseEdits,
        circuit: CircuitSettings,
        siblings: Siblings,
    ) -> None:
        super().__init__(upstream, shared, edits)
        host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
        self.place = f"{host}:{upstream.port}"
        self.in_flight = 0
        self.standing = Standing(circuit)
        self.siblings = siblings

    def entered(self) -> None:
        """A request is on its way."""
        self.in_flight += 1
        self.standing.taken()

    def left(self) -> None:
        """It is over here, however it ended."""
        self.in_flight -= 1
        self.standing.left()

    def take(self, idle_since: float) -> UpstreamConnection | None:
        connection = super().take(idle_since)
        if connection is not None:
            cast(MemberConnection, connection).begin()
        return connection

    async def opened(self) -> UpstreamConnection:
        self.entered()
        try:
            connection = await super().opened()
        except GatewayError as error:
            if error.code in _AWAY:
                self.siblings.failed(self, away=True)
            raise
        else:
            cast(MemberConnection, connection).begin()
            return connection
        finally:
            self.left()

    async def _connect(self, waiter: Waiter) -> None:
        """Nothing is sent yet: whatever the request is, it may go to another address instead."""
        tried: tuple[Member, ...] = ()
        member: Member | None = self
        while member is not None:
            try:
                connection = await member.opened()
            except GatewayError as error:
                tried = (*tried, member)
                member = self.siblings.other(tried) if error.code in _AWAY else None
                if member is None:
                    waiter.not_connected(error)
            else:
                waiter.connected(connection)
                return
