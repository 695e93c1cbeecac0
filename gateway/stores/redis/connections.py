"""Connections to the server: bounded, met one by one, and never with another caller's reply on them.

A command whose caller has left goes on by itself until its reply is read; one that is given up by a time-out closes its
connection. So no reply waits for the next caller, and strangers who leave cost no new connection. Nothing is sent on a
connection before the store behind it is known (`met`).
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)

from gateway.model.store_server import StoreServer
from gateway.stores.redis.steps import SCRIPT, SCRIPT_NAME, Operand

Command = Sequence[Operand]
Met = Callable[[AbstractConnection], Awaitable[None]]

# The server says itself that it has not done it.
_NOT_DONE = (BusyLoadingError, MasterDownError, ReadOnlyError, TryAgainError)
# It will say the same again.
_FINAL = (AuthenticationError, NoPermissionError)
_TRIES = 4
# Seconds, doubled each time; some of it, by chance, so that nodes that lost the server together come back apart.
_PAUSE = 0.05
# Seconds for a connection that others have: a server that is busy is not away.
_WAITS_FOR_ONE = 10.0


class Connections:
    """`met` is called with each new connection, before anything else is sent on it."""

    def __init__(self, server: StoreServer, met: Met) -> None:
        self._within = 2 * server.timeout
        self._met = met
        self._asking: set[asyncio.Task[Any]] = set()
        options: dict[str, Any] = {}
        if server.tls:
            # Names are checked (redis-py's own default); without a CA of its own, the system's authorities count.
            authorities = None if server.ca is None else server.ca.decode("ascii")
            options = {"ssl_ca_data": authorities, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
        pool = BlockingConnectionPool(
            connection_class=SSLConnection if server.tls else Connection,
            max_connections=server.connections,
            timeout=_WAITS_FOR_ONE,
            host=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password.decode() or None,
            socket_timeout=server.timeout,
            socket_connect_timeout=server.timeout,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
            protocol=2,
            redis_connect_func=self._connected,
            **options,
        )
        # Its own commands are not typed.
        self._redis: Any = Redis(connection_pool=pool)
        # Replies as they are.
        self._redis.response_callbacks.clear()

    async def _connected(self, connection: AbstractConnection) -> None:
        await connection.on_connect()
        await self._met(connection)

    async def close(self) -> None:
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._redis.connection_pool.disconnect()

    def subscription(self) -> Any:
        """For a feed alone: it has one of the connections to itself."""
        return self._redis.pubsub(ignore_subscribe_messages=True)

    async def run(self, operands: Command, *, again: bool) -> Any:
        """step.lua with these operands. `again`: as in `ask`."""
        try:
            return await self.ask(["EVALSHA", SCRIPT_NAME, 0, *operands], again=again)
        except NoScriptError:
            # A server that was started again; it knows the script from now on.
            return await self.ask(["EVAL", SCRIPT, 0, *operands], again=again)

    async def ask(self, command: Command, *, again: bool) -> Any:
        """The reply. `again`: it may be sent once more where nobody knows whether it was done. Raises RedisError."""
        asking = asyncio.create_task(self._ask(command, again=again))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        return await asyncio.shield(asking)

    def _asked(self, asking: "asyncio.Task[Any]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            # Where its caller has left, its error is read here.
            asking.exception()

    async def _ask(self, command: Command, *, again: bool) -> Any:
        until = time.monotonic() + self._within
        for attempt in range(_TRIES):
            try:
                return await self._redis.execute_command(*command)
            except _FINAL:
                raise
            except (exceptions.ConnectionError, exceptions.TimeoutError, *_NOT_DONE) as error:
                await self._leave(error)
                pause = by_chance(_PAUSE * 2**attempt)
                is_last = attempt == _TRIES - 1 or time.monotonic() + pause > until
                if is_last or not (again or isinstance(error, _NOT_DONE)):
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _leave(self, error: RedisError) -> None:
        """A server that may not be written to any more is another's copy: the address leads to a new one."""
        if isinstance(error, ReadOnlyError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)


def by_chance(seconds: float) -> float:
    """From half of it to all of it."""
    return seconds * (500 + secrets.randbelow(501)) / 1000
