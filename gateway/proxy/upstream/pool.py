"""Connections to applications: kept alive and bounded. Applications on the same server do not share connections."""

import asyncio
import errno
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from gateway.config.upstream_settings import Upstream
from gateway.model.codes import limit_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.unix_socket import UnixSocket
from gateway.ops.announced import announce_on, announced_to
from gateway.ops.unix_sockets import connected_to
from gateway.ops.upstream_tls import UpstreamContexts, server_name
from gateway.proxy.tls_reading import Opens, opened_by_tls
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.lenient import LenientConnection
from gateway.proxy.upstream.resolver import UpstreamResolver
from gateway.wire.fences import Fence, IsOurs, refusal
from gateway.wire.response_edits import UNCHANGED, ResponseEdits

# A request that may not be sent twice takes only a connection that was in use a moment ago.
FRESH_SECONDS: Final = 1.0
_MOST_IDLE: Final = 128
# Health checks under way in one worker.
_CHECKS_AT_ONCE: Final = 32
# Limits of the process or the machine: no failure of the application.
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE})


ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)


class OfClient(Protocol):
    @property
    def client(self) -> str:
        """The client's address."""


class Waiter(Protocol):
    """The request that waits for a connection."""

    @property
    def request(self) -> OfClient: ...

    def connected(self, upstream: UpstreamConnection) -> None: ...

    def not_connected(self, error: GatewayError) -> None: ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pools of a worker have in common. `make`: a connection that is not open yet, of a pool. `checks`: as
    many at once as there may be."""

    loop: asyncio.AbstractEventLoop
    addresses: UpstreamResolver
    make: "Callable[[Pool], UpstreamConnection]"
    is_ours: IsOurs
    checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CHECKS_AT_ONCE))
    contexts: UpstreamContexts = field(default_factory=UpstreamContexts)


class Pool:
    """The connections of one application at one server, under one TLS name, trust and address fence.

    `idle`: the most recently used last.
    `edits`: the file's edits of response heads.
    """

    __slots__ = (
        "_addresses",
        "_contexts",
        "_is_ours",
        "_loop",
        "_make",
        "_most_idle",
        "_tls",
        "edits",
        "idle",
        "upstream",
    )

    def __init__(self, upstream: Upstream, shared: "Shared", edits: ResponseEdits = UNCHANGED) -> None:
        self.upstream = upstream
        self.edits = edits
        self._addresses = shared.addresses
        self._is_ours = shared.is_ours
        self.idle: list[UpstreamConnection] = []
        # A connection with a PROXY header belongs to its client, and serves no other client.
        self._most_idle = 0 if upstream.announces else _MOST_IDLE
        self._loop = shared.loop
        self._make = shared.make
        self._contexts = shared.contexts
        self._tls: ssl.SSLContext | None = None

    @property
    def connects(self) -> "type[UpstreamConnection]":
        """The class of the connections."""
        return LenientConnection if self.upstream.accepts else UpstreamConnection

    def take(self, idle_since: float) -> UpstreamConnection | None:
        """The most recently used connection, if it became idle after `idle_since`."""
        idle = self.idle
        while idle and idle[-1].idle_since >= idle_since:
            connection = idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    def give(self, connection: UpstreamConnection) -> None:
        self.idle.append(connection)
        if len(self.idle) > self._most_idle:
            self.idle.pop(0).close()

    def forget(self, connection: UpstreamConnection) -> None:
        if connection in self.idle:
            self.idle.remove(connection)

    def retire(self) -> None:
        """Ends the pool: idle connections close now, busy connections after their response."""
        self._most_idle = 0
        for connection in tuple(self.idle):
            connection.close()

    def is_beyond(self, connection: UpstreamConnection, fence: Fence | None) -> bool:
        """Whether an open connection leads to an address that a newer fence refuses."""
        if fence is None or fence == self.upstream.fence:
            return False
        if self.upstream.socket is not None:
            return not fence.holds_socket(self.upstream.socket.path)
        address, port, *_ = connection.transport.get_extra_info("peername")
        return bool(refusal(self.upstream.host, address, port, fence, self._is_ours))

    def serves(self, upstream: Upstream) -> bool:
        """Whether the pool's connections serve `upstream` too."""
        return self.upstream.connection == upstream.connection

    def connect(self, waiter: Waiter) -> asyncio.Task[None]:
        """A new connection for `waiter`; cancel the task if it no longer waits."""
        return self._loop.create_task(self._connect(waiter))

    async def _connect(self, waiter: Waiter) -> None:
        try:
            connection = await self.opened(waiter)
        except GatewayError as error:
            waiter.not_connected(error)
        else:
            waiter.connected(connection)

    async def opened(self, waiter: Waiter | None = None) -> UpstreamConnection:
        """A new connection, for a request of `waiter`. Raises GatewayError: upstream_codes.CONNECT,
        upstream_codes.TIMEOUT, upstream_codes.ADDRESS, limit_codes.CONNECTIONS."""
        upstream = self.upstream
        client = waiter.request.client if upstream.announces and waiter is not None else ""
        try:
            async with asyncio.timeout(upstream.timeouts.connect):
                return await self.open_for(partial(self._make, self), client)
        except TimeoutError:
            raise GatewayError(upstream_codes.TIMEOUT, f"no connection to {upstream.place}") from None
        except OSError as error:
            raise GatewayError(upstream_codes.CONNECT, f"{upstream.place}: {error}") from None

    async def open_for(self, make: Callable[[], ProtocolT], client: str = "") -> ProtocolT:
        """Connects to the first answering address of the application. Raises OSError, GatewayError.

        `client`: the address to announce by PROXY protocol, if the file asks for that.
        """
        upstream, tls = self.upstream, await self._context()
        if upstream.socket is not None:
            return await self._opened_on(upstream.socket, tls, make, client)
        host, failed, refused = _loopback(upstream.host), "", ""
        for address in await self._addresses.of(host):
            # Checked after the last look-up: a name may lead to a different address each time.
            if why := refusal(upstream.host, address, upstream.port, upstream.fence, self._is_ours):
                refused = why
                continue
            try:
                return await self._opened_at(address, tls, make, client)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    raise GatewayError(limit_codes.CONNECTIONS, f"{host}:{self.upstream.port}: {error}") from None
                # Not the error: an error that a frame of its own traceback holds is freed by the collector alone.
                failed = str(error)
        self._addresses.doubt(host)
        if refused and not failed:
            raise GatewayError(upstream_codes.ADDRESS, refused)
        raise OSError(failed or "no address")

    async def _opened_at(
        self, address: str, tls: ssl.SSLContext | None, make: Callable[[], ProtocolT], client: str
    ) -> ProtocolT:
        upstream, create = self.upstream, self._loop.create_connection
        if upstream.announces:
            begun = await announced_to(address, upstream.port, client)
            return await self._opened_by(partial(create, sock=begun), tls, make)
        return await self._opened_by(partial(create, host=address, port=upstream.port), tls, make)

    async def _opened_on(
        self, place: UnixSocket, tls: ssl.SSLContext | None, make: Callable[[], ProtocolT], client: str
    ) -> ProtocolT:
        try:
            connection = connected_to(place)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise GatewayError(limit_codes.CONNECTIONS, f"{self.upstream.place}: {error}") from None
            raise
        if self.upstream.announces:
            announce_on(connection, client)
        return await self._opened_by(partial(self._loop.create_unix_connection, sock=connection), tls, make)

    async def _opened_by(self, opens: Opens, tls: ssl.SSLContext | None, make: Callable[[], ProtocolT]) -> ProtocolT:
        protocol = make()
        if tls is None:
            await opens(lambda: protocol)
        else:
            await opened_by_tls(opens, protocol, tls, server_hostname=server_name(self.upstream))
        return protocol

    async def _context(self) -> ssl.SSLContext | None:
        if self.upstream.scheme != "https":
            return None
        if self._tls is None:
            self._tls = await self._contexts.of(self.upstream)
        return self._tls


def _loopback(host: str) -> str:
    """RFC 6761 6.3: names under `.localhost` are loopback, whatever the resolver says."""
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
