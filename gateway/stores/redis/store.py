"""A store on Valkey or Redis, for the workers of several machines. The server deletes expired records by itself."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, Connection
from redis.exceptions import NoScriptError, RedisError

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.store_server import StoreServer
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.stores.reachability import Reachability
from gateway.stores.records import (
    ENDED_KEPT,
    SESSIONS_AT_ONCE,
    TOMBSTONE_KEPT,
    JarKey,
    MarkKey,
    SealedNote,
    SeatKey,
    SeatRecord,
    SessionIndex,
    SessionPage,
    SessionRecord,
    SessionSummary,
    TakenTicket,
    TicketKey,
    Tombstone,
    Touch,
    UseOnce,
    Write,
)
from gateway.stores.redis import encoding, steps
from gateway.stores.redis.clock import StoreClock
from gateway.stores.redis.connections import CommandTo, Connections, Reaches
from gateway.stores.redis.feed import Feed
from gateway.stores.redis.lacks import lacks, read_info
from gateway.stores.redis.locating import HostPort
from gateway.stores.redis.steps import RECORD, SEALED, Keys, Operand, Operation
from gateway.stores.revocation.list_of_ends import Cursor, Tail
from gateway.stores.sealing import SHARDS, carried_at, seat_from_bytes, shard_of
from gateway.stores.unreadable import UnreadableRecords

# The version of step.lua's records. A server with a later version is not read.
VERSION = 1
EPOCH_BYTES = 16
_PROBE_KEPT = 60
# The server did not answer. Other errors are answers that refuse the command.
_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
_TOUCHED_AT_ONCE = 50

Answered = TypeVar("Answered")


class RedisStore:
    """A records.RecordStore on one Redis server. Call `open` before use, in the loop that will use the store.

    `clock`: the store's time, which callers use.
    """

    def __init__(self, server: StoreServer, *, log: Log | None = None, counters: Counters | None = None) -> None:
        self._server = server
        self._log = log
        self._unreadable = UnreadableRecords(log)
        self._keys = Keys(server.prefix)
        self._connections = self._reaches(server)
        self._feed = Feed(self._connections, self._keys.channel)
        self._run = ""
        # The epoch of the last known store at this address. Another epoch shows that the store's data were lost.
        self._epoch = ""
        self._version = VERSION
        self._buries = True
        self._written = True
        self._is_away = False
        self._tries = False
        self.clock = StoreClock()
        self._reached = Reachability(log, counters)
        # IP addresses and ports: whatever names, Sentinels and nodes have led to, and may lead to again.
        self.servers: set[HostPort] = set()

    def _reaches(self, server: StoreServer) -> Reaches:
        return Connections(server, self._met)

    @property
    def reachable(self) -> bool:
        return self._reached.now

    async def open(self) -> None:
        """Raises no error while the server is unreachable: the first later command then checks the store."""
        try:
            await self._look()
        except (RedisError, OSError) as error:
            if self._version > VERSION:
                raise GatewayError(
                    store_codes.UNREADABLE, f"{self._place}: this store is of a newer release (version {self._version})"
                ) from error
            self._unreachable(error)

    async def close(self) -> None:
        await self._feed.close()
        await self._connections.close()

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        return await self.perform_until(writes, now) is None

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        return await self._perform_step("", writes, now)

    # --- sessions and seats

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
        session_key = self._keys.session(key.session_id)
        record, sealed, kept = await self._read("HMGET", session_key, RECORD, SEALED, steps.seat_field(key.lookup))
        if record is None or sealed is None or kept is None:
            return None
        session = self._understood("session", lambda: encoding.session_from_bytes(key.session_id, record, sealed))
        seat = self._understood("seat", lambda: seat_from_bytes(key, kept))
        if session is None or seat is None or min(session.ends_at, seat.ends_at) <= now:
            return None
        return session, seat

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None:
        record, sealed = await self._read("HMGET", self._keys.session(session_id), RECORD, SEALED)
        if record is None or sealed is None:
            return None
        session = self._understood("session", lambda: encoding.session_from_bytes(session_id, record, sealed))
        return None if session is None or session.ends_at <= now else session

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        if not self._buries:
            return None
        session, seat = await self._read("HMGET", self._keys.tombstones(key.session_id), b"", key.lookup)
        if session is None or seat is None:
            return None
        stone = self._understood("tombstone", lambda: encoding.tombstone_from_bytes(session, seat))
        return stone if stone is not None and stone.until - TOMBSTONE_KEPT <= now < stone.until else None

    def _in_shards(self, touches: Sequence[Touch]) -> Mapping[str, Sequence[Touch]]:
        """The touches by shard, because a step touches one shard. A single server has one shard."""
        return {"": touches}

    async def touch(self, touches: Sequence[Touch]) -> None:
        for shard, of_it in self._in_shards(touches).items():
            for start in range(0, len(of_it), _TOUCHED_AT_ONCE):
                batch = of_it[start : start + _TOUCHED_AT_ONCE]
                await self._run_step(shard, [steps.touch(each) for each in batch], again=True)

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        replaced = steps.replace(session_id, SEALED, before, after, now)
        return await self._run_step(shard_of(session_id), [replaced]) is not None

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        record, jar = await self._read("HMGET", self._keys.session(key.session_id), RECORD, steps.jar_field(key.host))
        ends_at = None if record is None else self._understood("session", lambda: encoding.ends_at_of(record))
        return None if ends_at is None or ends_at <= now else jar

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        replaced = steps.replace(key.session_id, steps.jar_field(key.host), before, after, now)
        return await self._run_step(shard_of(key.session_id), [replaced]) is not None

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        found = await self._run_step("", [steps.find(index, values, now, shards or SHARDS)], again=True) or []
        return self._summaries(found, now)

    def _summaries(self, found: Sequence[Any], now: int) -> tuple[SessionSummary, ...]:
        summaries = (
            self._understood("session", partial(encoding.summary_of, id, record, seats, now))
            for id, record, seats in zip(found[::3], found[1::3], found[2::3], strict=True)
        )
        return tuple(sorted(filter(None, summaries), key=lambda session: (session.created_at, session.id)))

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        of_shards: dict[str, list[str]] = {}
        for id in dict.fromkeys(ids):
            of_shards.setdefault(shard_of(id), []).append(id)
        return self._summaries(await self._told_of(of_shards, now), now)

    async def _told_of(self, of_shards: Mapping[str, Sequence[str]], now: int) -> Sequence[Any]:
        """Reads the records of sessions, given by shard, in the form that `_summaries` reads."""
        operations = [steps.summaries(ids, now) for ids in of_shards.values()]
        return await self._run_step("", operations, again=True) or []

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        pattern = self._keys.every_session
        cursor, keys = await self._read("SCAN", after or "0", "MATCH", pattern, "COUNT", SESSIONS_AT_ONCE)
        listed = await self.summaries([self._keys.id_of_session(key) for key in keys], now)
        return SessionPage(listed, "" if int(cursor) == 0 else cursor.decode())

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        asked_at = time.monotonic()
        epoch, seconds, purged, length, *rest = await self._run_step(
            "", [steps.ended(-1 if cursor is None else cursor.position)], again=True
        )
        self.clock.told(float(seconds), asked_at)
        if not epoch:
            # The server was emptied while in use.
            (epoch, *_) = await self._run_step("", [self._meets()])
        self._epoch = epoch.decode("latin-1")
        here = Cursor(self._epoch, purged + length)
        if cursor is not None and cursor.epoch != here.epoch and self._log is not None:
            self._log.event("store.replaced", detail=self._place)
        if cursor is None or cursor.epoch != here.epoch or not purged <= cursor.position <= here.position:
            return Tail(here, (), complete=False)
        try:
            entries = tuple(encoding.ended_from_bytes(entry) for entry in (rest[0] if rest else ()))
        except encoding.MALFORMED:
            # Malformed entries: this reader cannot know which sessions ended. Later readers go on behind the entries.
            return Tail(here, (), complete=False)
        return Tail(here, entries, complete=True)

    async def wait_for_ends(self) -> None:
        await self._feed.wait()

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        found = await self._run_step("", [steps.notes(most, now)]) or []
        return self._notes(found)

    def _notes(self, found: Sequence[Any]) -> tuple[SealedNote, ...]:
        notes = (
            self._understood("note", partial(encoding.note_of, id, host, record))
            for id, host, record in zip(found[::3], found[1::3], found[2::3], strict=True)
        )
        return tuple(filter(None, notes))

    # --- tickets

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None:
        found = await self._run_step(key.shard, [steps.peek(key)], again=True)
        return self._live(found[0] if found else None, now)

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        found = await self._run_step(key.shard, [steps.take(key, now)])
        return None if found is None else self._live(found[0], now)

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        operation, replicas = steps.take_with_seat(key, now), self._server.replicas
        found = await self._run_step(key.shard, [operation], replicas=replicas)
        record = None if found is None else self._live(found[0], now)
        if record is None:
            return None
        add, sealed = self._understood("ticket", lambda: carried_at(record, now)) or (None, b"")
        if add is None or len(found) == 1:
            return TakenTicket(sealed, None, None)
        _, id, *parts = found
        session = self._understood("session", lambda: encoding.session_from_bytes(id.decode(), *parts))
        return TakenTicket(sealed, add.seat, session)

    # --- single values

    async def is_used(self, use: UseOnce, now: int) -> bool:
        return await self._run_step(steps.cluster_tag_of(use), [steps.used(use, now)], again=True) is None

    async def mark(self, key: MarkKey, now: int) -> int:
        record = await self._read("GET", self._keys.mark(key))
        mark = None if record is None else self._understood("mark", lambda: encoding.mark_from_bytes(record))
        number, until = mark or (0, 0)
        return number if until > now else 0

    async def clear_mark(self, key: MarkKey, now: int) -> None:
        await self._asked(lambda: self._connections.ask(["DEL", self._keys.mark(key)], again=True), writes=True)

    async def probe(self) -> None:
        if not self._written:
            await self._asked(partial(self._write_probe, self._keys.probe_of("store")), writes=True)
        await self._read("HGET", self._keys.store, "epoch")

    async def _write_probe(self, key: bytes) -> None:
        await self._connections.ask(["SET", key, b"", "EX", _PROBE_KEPT], again=True)

    async def purge(self, now: int, *, bury: bool = False) -> None:
        """Deletes old entries of the list of ends. Other records have a lifetime. `bury`: whether seats leave
        tombstones if made or used from now on."""
        self._buries = bury
        more = True
        while more:
            (more,) = await self._run_step("", [steps.purge(now - ENDED_KEPT)])

    # --- the server

    async def _met(self, connection: AbstractConnection) -> str:
        """Checks the store behind a new connection; makes the store if missing. A server that restarted or took another
        server's place may have lost data: for values that other parties issued, its store counts as new."""
        self._run, is_primary = await self._run_of(connection)
        if not is_primary:
            raise exceptions.ConnectionError("this is a replica, which cannot be written to")
        operands = [*self._head("")(""), *steps.flat([self._meets()])]
        try:
            answer = await _answer(connection, "EVALSHA", steps.SCRIPT_NAME, 0, *operands)
        except NoScriptError:
            answer = await _answer(connection, "EVAL", steps.SCRIPT, 0, *operands)
        _, (epoch, _, version) = answer
        # A number that is none was not written by this release.
        self._epoch, self._version = epoch.decode("latin-1"), int(version) if version.isdigit() else VERSION + 1
        if self._version > VERSION:
            raise exceptions.ConnectionError("a store of a newer release")
        return self._run

    async def _run_of(self, connection: AbstractConnection) -> tuple[str, bool]:
        if isinstance(connection, Connection) and (peer := connection.getpeername()) is not None:
            self.servers.add((peer, connection.port))
        return await run_of(connection)

    def _meets(self) -> Operation:
        return steps.meet(self._run, os.urandom(EPOCH_BYTES).hex(), VERSION, self._epoch)

    async def _look(self) -> None:
        """At the server's settings, once."""
        self._lacks(read_info(await self._connections.ask(["INFO"], again=True)), self._place)

    def _lacks(self, info: Mapping[str, str], place: str) -> None:
        for lack in lacks(info, self._server.replicas):
            if self._server.strict:
                raise GatewayError(store_codes.UNREADABLE, f"{place}: {lack}")
            if self._log is not None:
                self._log.event("store.lacks", detail=f"{place}: {lack}")

    # --- steps

    @property
    def _place(self) -> str:
        places = ", ".join(f"{host}:{port}" for host, port in self._server.addresses)
        return places if self._server.sentinels is None else f"{self._server.sentinels.name} ({places})"

    def _head(self, tag: str) -> CommandTo:
        """The first operands of step.lua."""
        return lambda run: (self._server.prefix, "", int(self._buries), "", "", VERSION, "")

    async def _run_step(self, tag: str, does: Sequence[Operation], *, again: bool = False, replicas: int = 0) -> Any:
        """Runs one step. Returns the replies, or None if a condition does not hold. `tag`: in a cluster, the tag of
        every key of the step."""
        done, found = await self._told_by_step(tag, does, again, replicas)
        return found if done else None

    async def _perform_step(self, tag: str, writes: Sequence[Write], now: int) -> Write | None:
        whose, operations = steps.operations_of_all(tag, writes, now)
        replicas = self._server.replicas if steps.must_last(writes) else 0
        done, found = await self._told_by_step(tag, operations, steps.is_repeatable(writes), replicas)
        return None if done else whose[found]

    async def _told_by_step(self, tag: str, does: Sequence[Operation], again: bool, replicas: int) -> Any:
        key, head, operands = self._keys.store_of(tag), self._head(tag), steps.flat(does)
        run = partial(self._connections.run, key, head, operands, again=again, replicas=replicas)
        return await self._asked(run, writes=True)

    def _live(self, record: bytes | None, now: int) -> bytes | None:
        ticket = None if record is None else self._understood("ticket", lambda: encoding.ticket_from_bytes(record))
        return None if ticket is None or ticket[0] <= now else ticket[1]

    def _understood(self, kind: str, read: Callable[[], Answered]) -> Answered | None:
        """Decodes a record. Reports a record in an unknown form and returns None."""
        try:
            return read()
        except encoding.MALFORMED as error:
            detail = f"a record that is not as this release writes it ({type(error).__name__})"
            self._unreadable.tell(kind, GatewayError(store_codes.UNREADABLE, detail))
            return None

    async def _read(self, *command: Operand) -> Any:
        return await self._asked(lambda: self._connections.ask(command, again=True), writes=False)

    async def _asked(self, ask: Callable[[], Awaitable[Answered]], *, writes: bool) -> Answered:
        if self._is_away and self._tries:
            # One asks for all: nobody waits for a server that has just not answered.
            raise self._unreachable(exceptions.ConnectionError("the server has not answered"))
        tries, self._tries = self._is_away, self._is_away
        try:
            result = await ask()
        except (RedisError, OSError) as error:
            self._written = self._written and not writes
            self._is_away = isinstance(error, _AWAY)
            raise self._unreachable(error) from error
        finally:
            self._tries = self._tries and not tries
        self._is_away = False
        self._written = self._written or writes
        self._reached.answered()
        return result

    def _unreachable(self, error: Exception) -> GatewayError:
        return self._reached.failed(f"{self._place}: {str(error) or type(error).__name__}")


async def run_of(connection: AbstractConnection) -> tuple[str, bool]:
    """The run of the server, and whether the server is a primary. The run changes where the server may have lost its
    data."""
    info = read_info(await _answer(connection, "INFO", "server", "replication"))
    # A server that was another's replica in between has a new replication id, and the run id of before.
    return f"{info.get('run_id', '')}.{info.get('master_replid', '')}", info.get("role", "master") == "master"


async def _answer(connection: AbstractConnection, *command: Operand) -> Any:
    await connection.send_command(*command)
    return await connection.read_response()
