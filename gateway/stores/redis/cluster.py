"""The nodes of a cluster: which node has a key, and how a question is routed while keys move.

While a slot moves from one node to another, each of the two nodes has a part of the slot's keys. A question for one key
follows the key (ASK). A step is never sent on, because the node would treat a key that has not arrived as missing. The
nodes refuse the step, and the step waits for the end of the move.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis import exceptions
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    RedisError,
    TryAgainError,
)

from gateway.model.store_server import StoreServer
from gateway.stores.redis.connections import Command, CommandTo, Connections, Met, by_chance, script
from gateway.stores.redis.locating import HostPort, OneAddress
from gateway.stores.redis.steps import SCRIPT, SCRIPT_NAME, Operand

_TRIES = 6
_PAUSE = 0.05


class ClusterConnections:
    """`met`: as Connections has it, for the connections to every node."""

    def __init__(self, server: StoreServer, met: Met) -> None:
        self._server = server
        self._met = met
        self._nodes: dict[HostPort, Connections] = {}
        # First slot, last slot, and the primary that has them.
        self._ranges: tuple[tuple[int, int, HostPort], ...] = ()
        self._reading: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        nodes, self._nodes = self._nodes, {}
        await asyncio.gather(*(each.close() for each in nodes.values()), *self._closing, return_exceptions=True)

    def subscription(self) -> Any:
        """A subscription for a feed. Every node passes on the messages of all nodes. Each call picks a node at random,
        because the previous node may be away."""
        if not self._ranges:
            raise exceptions.ConnectionError("no node of the cluster is known")
        return self._at(secrets.choice(self._ranges)[2]).subscription()

    # --- who has what

    async def primaries(self) -> tuple[HostPort, ...]:
        if not self._ranges:
            await self._read_map()
        return tuple(dict.fromkeys(node for _, _, node in self._ranges))

    async def by_primary(self, keys: Sequence[bytes]) -> dict[HostPort, list[bytes]]:
        """The keys by their primary, from the latest known map."""
        await self.primaries()
        found: dict[HostPort, list[bytes]] = {}
        for key in keys:
            found.setdefault(self._primary_of(key_slot(key)), []).append(key)
        return found

    def _primary_of(self, slot: int) -> HostPort:
        for first, last, node in self._ranges:
            if first <= slot <= last:
                return node
        raise ClusterDownError(f"no node has slot {slot}")

    def _at(self, node: HostPort) -> Connections:
        if node not in self._nodes:
            self._nodes[node] = Connections(self._server, self._met, OneAddress(node))
        return self._nodes[node]

    async def _read_map(self) -> None:
        """Reads the map once for all simultaneous callers that find it out of date."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_it())
        await asyncio.shield(self._reading)

    async def _read_it(self) -> None:
        failed: Exception = exceptions.ConnectionError("no node of the cluster answers")
        nodes = dict.fromkeys((*(each[2] for each in self._ranges), *self._server.addresses))
        asked = [asyncio.create_task(self._told_by(node)) for node in nodes]
        try:
            # One may stand still: whoever answers first is believed, and who has it no more says so.
            for each in asyncio.as_completed(asked):
                try:
                    self._ranges = await each
                except (RedisError, OSError, ValueError, TypeError) as error:
                    failed = error
                    continue
                self._leave_others()
                return
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        raise failed

    async def _told_by(self, node: HostPort) -> tuple[tuple[int, int, HostPort], ...]:
        told = await self._at(node).ask(["CLUSTER", "SLOTS"], again=True)
        # A node that does not know its own name is where it was asked.
        return tuple(
            (first, last, (primary[0].decode() if primary[0] else node[0], primary[1]))
            for first, last, primary, *_ in told
        )

    def _leave_others(self) -> None:
        """Closes the connections to nodes that are no longer primaries. A node that the configuration names by address
        may be asked again later."""
        stay = {node for _, _, node in self._ranges}
        for node in [each for each in self._nodes if each not in stay]:
            closing = asyncio.create_task(self._nodes.pop(node).close())
            self._closing.add(closing)
            closing.add_done_callback(self._left)

    def _left(self, closing: "asyncio.Task[None]") -> None:
        """Reads the error of a closed connection. An unreachable node does not answer the goodbye, and its error would
        stay unread."""
        self._closing.discard(closing)
        if not closing.cancelled():
            closing.exception()

    # --- questions

    async def run(self, key: bytes, head: CommandTo, operands: Command, *, again: bool, replicas: int = 0) -> Any:
        """Runs step.lua on the node of the key's tag."""

        # A node that does not answer is not asked again before the map is read: another may have its place by then.
        async def send(node: Connections) -> Any:
            try:
                step = script("EVALSHA", SCRIPT_NAME, (key,), head, operands)
                return await node.ask(step, again=False, replicas=replicas)
            except NoScriptError:
                return await node.ask(script("EVAL", SCRIPT, (key,), head, operands), again=False, replicas=replicas)

        return await self._routed(key, send, again=again)

    async def ask(self, command: Sequence[Operand], *, again: bool) -> Any:
        """Sends a command for one key, its first operand, to the key's node."""
        key = command[1]
        assert isinstance(key, bytes)
        try:
            return await self._routed(key, lambda node: node.ask(command, again=False), again=again, moving=True)
        except MovedError:
            raise
        except AskError as error:
            _, (_, reply) = await self._at((error.host, error.port)).ask_all([("ASKING",), command])
            return reply

    async def at(self, node: HostPort, command: Command | CommandTo) -> Any:
        """Sends a command to a given node, regardless of the node's keys."""
        return await self._at(node).ask(command, again=True)

    async def pipelined(self, node: HostPort, commands: Sequence[Command]) -> tuple[str, list[Any]]:
        """Sends the commands together. Returns the node's run and the replies. Raises the first error among the
        replies."""
        try:
            return await self._at(node).ask_all(commands)
        except (RedisError, OSError):
            await self._read_map()
            raise

    async def _routed(
        self, key: bytes, send: Callable[[Connections], Awaitable[Any]], *, again: bool, moving: bool = False
    ) -> Any:
        slot, until = key_slot(key), time.monotonic() + 2 * self._server.timeout
        await self.primaries()
        for attempt in range(_TRIES):
            pause = by_chance(_PAUSE * 2**attempt)
            is_last = attempt == _TRIES - 1
            try:
                return await send(self._at(self._primary_of(slot)))
            except MovedError:
                # It has not done it, and says who has it.
                if is_last:
                    raise
                pause = 0.0
            except (AskError, ClusterDownError, TryAgainError) as error:
                # Nor has this one, or not before it found that a key is elsewhere.
                if is_last or time.monotonic() + pause > until or (moving and isinstance(error, AskError)):
                    raise
            except (exceptions.ConnectionError, exceptions.TimeoutError):
                # Another may have taken its place, for those who ask next.
                if is_last or not again or time.monotonic() + pause > until:
                    await self._read_map()
                    raise
            await asyncio.sleep(pause)
            await self._read_map()
        raise AssertionError("unreachable")
