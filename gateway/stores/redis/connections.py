"""Connections to the server: bounded, checked one by one, and never with another caller's reply on the wire.

A command goes on until its reply is read, even if the caller has left. A command that times out closes its connection.
So no old reply waits for the next caller, and clients who leave cost no new connection. `met` checks the store behind a
connection before the first command.
"""

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

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
    ResponseError,
    TryAgainError,
)

from gateway.model.store_server import StoreServer
from gateway.stores.redis.locating import HostPort, Locating, OneAddress, SentinelsOf
from gateway.stores.redis.steps import SCRIPT, SCRIPT_NAME, Operand

Command = Sequence[Operand]
# What is made for the server that it is sent to: its run.
CommandTo = Callable[[str], Command]
Reply = TypeVar("Reply")
Met = Callable[[AbstractConnection], Awaitable[str]]

# The server says itself that it has not done it.
_NOT_DONE = (BusyLoadingError, MasterDownError, ReadOnlyError, TryAgainError)
# It will say the same again.
_FINAL = (AuthenticationError, NoPermissionError)
_TRIES = 4
# Seconds, doubled each time; some of it, by chance, so that nodes that lost the server together come back apart.
_PAUSE = 0.05
# Seconds for a connection that others have: a server that is busy is not away.
_WAITS_FOR_ONE = 10.0
# Seconds between two looks at who is the primary, where Sentinels say so.
_LOOKS = 1.0
# The part of the time-out that replicas have: their number comes before the connection is given up.
_FOR_REPLICAS = 0.8


class TooFewReplicas(RedisError):
    """Too few replicas have the write: the server has done it, and the write may still be lost with the server."""


class Reaches(Protocol):
    """The server, or the nodes of a cluster: as Connections has it."""

    async def run(self, key: bytes, head: CommandTo, operands: Command, *, again: bool, replicas: int = 0) -> Any: ...

    async def ask(self, command: Command, *, again: bool) -> Any: ...

    def subscription(self) -> Any: ...

    async def close(self) -> None: ...


class Connections:
    """The connections to one server.

    `met`: called with each new connection, before any other command is sent on it; returns the run of the server.
    `locating`: finds the server's address; if left out, the address in `server`.
    """

    def __init__(self, server: StoreServer, met: Met, locating: Locating | None = None) -> None:
        self._within = 2 * server.timeout
        self._for_replicas = int(server.timeout * 1000 * _FOR_REPLICAS)
        self._met = met
        self._asking: set[asyncio.Task[Any]] = set()
        self._locating = locating or _locating(server)
        self._looks = server.sentinels is not None
        self._looking: asyncio.Task[None] | None = None
        self._at: HostPort | None = None
        # Of the pool: as many as it has at the most.
        self._found: set[_Found] = set()
        # Its methods are not typed.
        self._pool: Any = BlockingConnectionPool(
            connection_class=_FoundSSL if server.tls else _Found,
            max_connections=server.connections,
            timeout=_WAITS_FOR_ONE,
            find=self._find,
            username=server.username or None,
            password=server.password.decode() or None,
            redis_connect_func=self._connected,
            **_options(server),
        )
        # For its subscriptions.
        self._redis: Any = Redis(connection_pool=self._pool)

    async def _find(self, connection: "_Found") -> HostPort:
        self._found.add(connection)
        at = await self._locating.primary()
        if self._looks and self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if at != self._at:
            self._at = at
            self._begin(self._leave_others())
        return at

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(by_chance(_LOOKS))
            with suppress(RedisError, OSError):
                self._at = await self._locating.primary()
                await self._leave_others()

    async def _leave_others(self) -> None:
        """Closes the connections to servers other than the new primary. The old server may not know of the change yet,
        and would go on answering."""
        others = [each for each in self._found if each.is_connected and each.address != self._at]
        await asyncio.gather(*(each.disconnect() for each in others), return_exceptions=True)

    async def _connected(self, connection: AbstractConnection) -> None:
        """Prepares an opened connection. Also runs for a connection that was lost in use: redis-py reopens it at the
        old address."""
        await connection.on_connect()
        run = await self._met(connection)
        if isinstance(connection, _Found):
            if connection.address != self._at:
                raise MasterDownError("another server has become the primary")
            connection.run = run

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._pool.disconnect()
        await self._locating.close()

    def subscription(self) -> Any:
        """Opens a subscription for a feed, on a connection of its own."""
        return self._redis.pubsub(ignore_subscribe_messages=True)

    async def run(self, key: bytes, head: CommandTo, operands: Command, *, again: bool, replicas: int = 0) -> Any:
        """Runs step.lua with these operands.

        `head`: returns the first operands for the run of the server that answers.
        `key`: a key of the node, in a cluster.
        `again`, `replicas`: as in `ask`.
        """
        try:
            return await self.ask(script("EVALSHA", SCRIPT_NAME, (), head, operands), again=again, replicas=replicas)
        except NoScriptError:
            # A server that was started again; it knows the script from now on.
            return await self.ask(script("EVAL", SCRIPT, (), head, operands), again=again, replicas=replicas)

    async def ask(self, command: Command | CommandTo, *, again: bool, replicas: int = 0) -> Any:
        """Sends the command and returns the reply. Raises RedisError.

        `again`: the command may be sent a second time if the first outcome is unknown.
        `replicas`: how many replicas have the write before the method returns.
        """
        return await self._to_its_end(self._ask(command, again=again, replicas=replicas))

    async def ask_all(self, commands: Sequence[Command]) -> tuple[str, list[Any]]:
        """Sends the commands together on one connection. Returns the run of the server and the replies. Raises the
        first error among the replies."""
        return await self._to_its_end(self._ask_all(commands))

    async def _to_its_end(self, asked: Coroutine[Any, Any, Reply]) -> Reply:
        """Finishes the question even if its caller leaves."""
        return await asyncio.shield(self._begin(asked))

    def _begin(self, asked: Coroutine[Any, Any, Reply]) -> "asyncio.Task[Reply]":
        asking = asyncio.create_task(asked)
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        return asking

    def _asked(self, asking: "asyncio.Task[Any]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            # Where its caller has left, its error is read here.
            asking.exception()

    async def _ask(self, command: Command | CommandTo, *, again: bool, replicas: int) -> Any:
        until = time.monotonic() + self._within
        for attempt in range(_TRIES):
            try:
                return await self._sent(command, replicas)
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

    async def _sent(self, made: Command | CommandTo, replicas: int) -> Any:
        waits: list[Command] = [("WAIT", replicas, self._for_replicas)] if replicas else []
        _, (reply, *have_it) = await self._sent_together([made, *waits])
        if isinstance(reply, ResponseError):
            raise reply
        for number in have_it:
            if isinstance(number, ResponseError):
                raise number
            if number < replicas:
                raise TooFewReplicas(f"{number} of {replicas} replicas have what was written")
        return reply

    async def _ask_all(self, commands: Sequence[Command]) -> tuple[str, list[Any]]:
        run, replies = await self._sent_together(commands)
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return run, replies

    async def _sent_together(self, made: Sequence[Command | CommandTo]) -> tuple[str, list[Any]]:
        """Sends the commands together. Returns the server's run and the replies. An error reply stands in its command's
        place: every reply is read, and the next user of the connection finds no old reply."""
        connection = await self._pool.get_connection()
        try:
            commands = [each(connection.run) if callable(each) else each for each in made]
            await connection.send_packed_command(connection.pack_commands(commands))
            replies = []
            for _ in commands:
                try:
                    replies.append(await connection.read_response())
                except ResponseError as error:
                    replies.append(error)
            return connection.run, replies
        finally:
            await self._pool.release(connection)

    async def _leave(self, error: RedisError) -> None:
        """Leaves a server that no longer accepts writes: it has become a replica, and the address leads to the new
        primary."""
        if isinstance(error, ReadOnlyError):
            await self._pool.disconnect(inuse_connections=False)


class _Found(Connection):
    """A connection that looks up the server's address on every opening."""

    def __init__(self, *, find: Callable[["_Found"], Awaitable[HostPort]], **options: Any) -> None:
        super().__init__(**options)
        self._find = find
        self.run = ""

    @property
    def address(self) -> HostPort:
        return self.host, self.port

    async def connect(self) -> None:
        if not self.is_connected:
            self.host, self.port = await self._find(self)
        # It is not typed.
        connect: Any = super().connect
        await connect()


class _FoundSSL(_Found, SSLConnection):
    pass


def _options(server: StoreServer) -> dict[str, Any]:
    """Of a connection to the server or to a Sentinel."""
    options: dict[str, Any] = {
        "socket_timeout": server.timeout,
        "socket_connect_timeout": server.timeout,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
        "protocol": 2,
    }
    if server.tls:
        # Names are checked (redis-py's own default); without a CA of its own, the system's authorities count.
        options["ssl_ca_data"] = None if server.ca is None else server.ca.decode("ascii")
        options["ssl_min_version"] = ssl.TLSVersion.TLSv1_2
    return options


def _locating(server: StoreServer) -> Locating:
    sentinels = server.sentinels
    if sentinels is None:
        return OneAddress(server.addresses[0])
    who = {"username": sentinels.username or None, "password": sentinels.password.decode() or None}
    options = {**_options(server), **who, **({"ssl": True} if server.tls else {})}
    return SentinelsOf(sentinels.name, server.addresses, options)


def script(name: str, text: str, keys: Sequence[bytes], head: CommandTo, operands: Command) -> CommandTo:
    """EVALSHA or EVAL: `text` is the script, or what the server calls it by."""
    return lambda run: [name, text, len(keys), *keys, *head(run), *operands]


def by_chance(seconds: float) -> float:
    """A random duration from half of `seconds` to `seconds`."""
    return seconds * (500 + secrets.randbelow(501)) / 1000
