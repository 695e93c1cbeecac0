"""The store on a cluster. Each tag is on one node and has a list of ends and an age of its own."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from redis.asyncio.connection import AbstractConnection

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.store_server import StoreServer
from gateway.stores.records import (
    ENDED_KEPT,
    SESSIONS_AT_ONCE,
    SealedNote,
    SessionIndex,
    SessionPage,
    SessionSummary,
    Touch,
    Write,
)
from gateway.stores.redis import encoding, steps
from gateway.stores.redis.cluster import ClusterConnections
from gateway.stores.redis.connections import CommandTo, Reaches
from gateway.stores.redis.lacks import read_info
from gateway.stores.redis.steps import Operand
from gateway.stores.redis.store import EPOCH_BYTES, VERSION, RedisStore
from gateway.stores.revocation.list_of_ends import Cursor, Tail
from gateway.stores.sealing import SHARDS, shard_of

_NOWHERE = Cursor("", -1)


class RedisClusterStore(RedisStore):
    """Performs a step for each tag, in order: writes with a condition come first. Reads the ends of a list only if
    the list has grown or its store was replaced."""

    def _reaches(self, server: StoreServer) -> Reaches:
        self._cluster = ClusterConnections(server, self._met)
        # The epoch of each tag's store, as last read.
        self._epochs: dict[str, str] = {}
        return self._cluster

    async def _met(self, connection: AbstractConnection) -> str:
        # Also accepts a replica, which knows the map of the cluster and redirects other commands.
        run, _ = await self._run_of(connection)
        return run

    def _head(self, tag: str) -> CommandTo:
        new, known = os.urandom(EPOCH_BYTES).hex(), self._epochs.get(tag, "")
        return lambda run: (self._server.prefix, tag, int(self._buries), run, new, VERSION, known)

    async def open(self) -> None:
        # Makes the store of every tag now, so that values issued from now on are not older than their store.
        await super().open()
        try:
            await self.ended_since(None)
        except GatewayError as error:
            if "NEWERSTORE" in error.detail:
                raise GatewayError(store_codes.UNREADABLE, error.detail) from error

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        for tag, of_it in steps.in_tags(writes):
            if (missed := await self._perform_step(tag, of_it, now)) is not None:
                return missed
        return None

    def _in_shards(self, touches: Sequence[Touch]) -> Mapping[str, Sequence[Touch]]:
        found: dict[str, list[Touch]] = {}
        for touch in touches:
            found.setdefault(shard_of(touch.key.session_id), []).append(touch)
        return found

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        async def found_in(shard: str) -> list[Any]:
            return await self._run_step(shard, [steps.find(index, values, now, shard)], again=True) or []

        found = await asyncio.gather(*(found_in(shard) for shard in shards or SHARDS))
        return self._summaries([part for each in found for part in each], now)

    async def _told_of(self, of_shards: Mapping[str, Sequence[str]], now: int) -> Sequence[Any]:
        async def told_of(shard: str, ids: Sequence[str]) -> list[Any]:
            return await self._run_step(shard, [steps.summaries(ids, now)], again=True) or []

        told = await asyncio.gather(*(told_of(shard, ids) for shard, ids in of_shards.items()))
        return [part for each in told for part in each]

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        """Visits the nodes in order: `after` is `HOST:PORT CURSOR`."""
        nodes = [f"{host}:{port}" for host, port in sorted(await self._asked(self._cluster.primaries, writes=False))]
        name, _, cursor = after.partition(" ")
        here = name or nodes[0]
        if here not in nodes:
            # The sessions moved to another node, where cursors differ.
            raise GatewayError(store_codes.UNREACHABLE, f"{here} has left while sessions were listed: list them again")
        host, _, port = here.rpartition(":")
        scan: list[Operand] = ["SCAN", cursor or "0", "MATCH", self._keys.every_session, "COUNT", SESSIONS_AT_ONCE]
        cursor, keys = await self._asked(lambda: self._cluster.at((host, int(port)), scan), writes=False)
        listed = await self.summaries([self._keys.id_of_session(key) for key in keys], now)
        if int(cursor):
            return SessionPage(listed, f"{here} {int(cursor)}")
        later = [node for node in nodes if nodes.index(node) > nodes.index(here)]
        return SessionPage(listed, f"{later[0]} 0" if later else "")

    # --- ends

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        before = dict(zip(SHARDS, () if cursor is None else cursor.lists, strict=False))
        if cursor != _all(tuple(before.values())):
            before = {}
        grown = await self._grown(before)
        read = await asyncio.gather(*(self._tail(tag, before.get(tag)) for tag in grown))
        tails = dict(zip(grown, read, strict=True))
        ended = tuple(each for tail in read for each in tail.ended)
        lists = tuple(tails[tag].cursor if tag in tails else before[tag] for tag in SHARDS)
        complete = bool(before) and all(tail.complete for tail in read)
        return Tail(_all(lists), ended, complete)

    async def _grown(self, before: Mapping[str, Cursor]) -> list[str]:
        """The tags whose list has grown or whose store has been, or will be, replaced."""
        keys = {self._keys.store_of(tag): tag for tag in SHARDS}
        by_node = await self._asked(lambda: self._cluster.by_primary(list(keys)), writes=False)
        seen = await asyncio.gather(*(self._seen(node, of_it) for node, of_it in by_node.items()))
        grown = []
        for node_run, of_it, replies in seen:
            for key, (run, epoch, ends) in zip(of_it, replies, strict=True):
                there = before.get(keys[key], _NOWHERE)
                is_same = run is not None and run.decode() == node_run and epoch.decode() == there.epoch
                if not is_same or int(ends or 0) != there.position:
                    grown.append(keys[key])
        return grown

    async def _seen(self, node: tuple[str, int], keys: Sequence[bytes]) -> tuple[str, Sequence[bytes], list[Any]]:
        commands = [*(("HMGET", key, "run", "epoch", "ends") for key in keys), ("TIME",)]
        asked_at = time.monotonic()
        run, replies = await self._asked(partial(self._cluster.pipelined, node, commands), writes=False)
        *replies, (seconds, millionths) = replies
        self.clock.told(int(seconds) + int(millionths) / 1e6, asked_at)
        return run, keys, replies

    async def _tail(self, tag: str, before: Cursor | None) -> Tail:
        position = -1 if before is None else before.position
        found = await self._run_step(tag, [steps.ended(position, tag)], again=True)
        epoch, _, purged, length, *rest = found
        known, self._epochs[tag] = self._epochs.get(tag, ""), epoch.decode()
        if known and known != self._epochs[tag] and self._log is not None:
            self._log.event("store.replaced", detail=f"{self._place}, {tag}")
        here = Cursor(self._epochs[tag], purged + length)
        if before is None or before.epoch != here.epoch or not purged <= before.position <= here.position:
            return Tail(here, (), complete=False)
        try:
            return Tail(here, tuple(map(encoding.ended_from_bytes, rest[0] if rest else ())), complete=True)
        except encoding.MALFORMED:
            return Tail(here, (), complete=False)

    # --- notes, and what is looked after

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        keys = {self._keys.due(tag): tag for tag in SHARDS}
        by_node = await self._asked(lambda: self._cluster.by_primary(list(keys)), writes=False)
        taken: list[Any] = []
        for node, of_it in by_node.items():
            counts = [("ZCOUNT", key, "-inf", now) for key in of_it]
            _, due = await self._asked(partial(self._cluster.pipelined, node, counts), writes=False)
            for key, number in zip(of_it, due, strict=True):
                left = most - len(taken) // 3
                if number and left > 0:
                    taken += await self._run_step(keys[key], [steps.notes(left, now, keys[key])]) or []
        return self._notes(taken)

    async def purge(self, now: int, *, bury: bool = False) -> None:
        self._buries = bury
        for tag in SHARDS:
            more = True
            while more:
                (more,) = await self._run_step(tag, [steps.purge(now - ENDED_KEPT, tag)])

    async def probe(self) -> None:
        if not self._written:
            keys = [self._keys.probe_of(tag) for tag in SHARDS]
            by_node = await self._asked(lambda: self._cluster.by_primary(keys), writes=False)
            for of_it in by_node.values():
                await self._asked(partial(self._write_probe, of_it[0]), writes=True)
        await self._grown({})

    async def _look(self) -> None:
        for node in await self._cluster.primaries():
            self._lacks(read_info(await self._cluster.at(node, ["INFO"])), f"{node[0]}:{node[1]}")


def _all(lists: tuple[Cursor, ...]) -> Cursor:
    """A position in all lists. Each list has its own epoch."""
    return Cursor("all", sum(each.position for each in lists), lists)
