"""The default store: one SQLite file in the state folder, shared by the workers of one machine.

One thread reads and one writes: readers do not wait for writers (WAL), and the loop does not wait for the disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.stores.reachability import Reachability
from gateway.stores.records import (
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
    only_ends,
)
from gateway.stores.revocation.list_of_ends import Cursor, Tail
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite import purge as purging
from gateway.stores.sqlite import statements as sql
from gateway.stores.sqlite.mending import Mending
from gateway.stores.sqlite.owner import Ownership
from gateway.stores.sqlite.reader import SqliteReader
from gateway.stores.sqlite.thread import Job, JobResult
from gateway.stores.sqlite.writer import SqliteWriter

# Seconds. Longer than the writer waits for other processes, so that its own error is reported.
_WRITTEN_WITHIN = 5.0

# Seconds. A disk without an answer for _STANDS is not asked again until it answers, because even a public page waits to
# learn whose cookie it got.
_READ_WITHIN = 2.0
_STANDS = 1.0

# Seconds of rest that a purge leaves others between its steps.
_BETWEEN_STEPS = 0.01
# Bytes. Housekeeping does not lengthen a log that an open reader keeps from being cut: the next round goes on.
_LONGEST_LOG = 4 * sqlite_file.LOG_LIMIT


class SqliteStore:
    """A records.RecordStore. Call `open` before use, in the loop that will use the store."""

    def __init__(self, path: Path, *, log: Log | None = None, counters: Counters | None = None) -> None:
        self._path = path
        self._log = log
        self._writer: SqliteWriter | None = None
        self._reader: SqliteReader | None = None
        self._ownership = Ownership(path)
        self._mending = Mending(path, log)
        self._written = True
        self._reached = Reachability(log, counters)

    @property
    def reachable(self) -> bool:
        return self._reached.now

    async def open(self) -> None:
        """Raises no error while the file is unreachable: the first later question then makes or finds the file."""
        self._writer = SqliteWriter(self._path, self._mending)
        self._reader = SqliteReader(self._path)
        try:
            await self._writer.run(_nothing, _WRITTEN_WITHIN)
            # A reader that is there before the disk is full can read on when it is.
            await self._reader.run(_nothing, _READ_WITHIN)
        except GatewayError:
            await self.close()
            raise
        except (sqlite3.Error, OSError) as error:
            self._written = False
            self._unreachable(error)

    async def close(self) -> None:
        threads, self._writer, self._reader = (self._writer, self._reader), None, None
        for thread in threads:
            if thread is not None:
                await thread.close()
        self._ownership.release()

    # --- sessions and seats

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        return await self.perform_until(writes, now) is None

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        durable, ends = any(write.durable for write in writes), only_ends(writes)
        return await self._write(lambda connection: sql.perform(connection, writes, now), durable=durable, ends=ends)

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
        return await self._read(lambda connection: sql.read_seat(connection, key, now))

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        return await self._read(lambda connection: purging.tombstone(connection, key, now))

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None:
        return await self._read(lambda connection: sql.read_session(connection, session_id, now))

    async def touch(self, touches: Sequence[Touch]) -> None:
        await self._write(lambda connection: sql.touch(connection, touches))

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        return await self._write(
            lambda connection: sql.replace_sealed(connection, session_id, before, after, now), durable=True
        )

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        return await self._read(lambda connection: sql.read_jar(connection, key, now))

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        return await self._write(lambda connection: sql.replace_jar(connection, key, before, after, now))

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        return await self._read(lambda connection: sql.find(connection, index, values, now))

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        return await self._read(lambda connection: sql.summaries(connection, ids, now))

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        return await self._read(lambda connection: sql.list_sessions(connection, after, now))

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        tail = await self._read(lambda connection: sql.ended_since(connection, cursor))
        if cursor is not None and cursor.epoch != tail.cursor.epoch and self._log is not None:
            self._log.event("store.replaced", detail=str(self._path))
        return tail

    async def wait_for_ends(self) -> None:
        await asyncio.Event().wait()

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        # Every worker asks every few seconds, so a lock is taken only if notes exist.
        if not await self._read(lambda connection: sql.has_notes(connection, now)):
            return ()
        return await self._write(lambda connection: sql.take_notes(connection, most, now), ends=True)

    # --- tickets

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None:
        return await self._read(lambda connection: sql.peek_ticket(connection, key, now))

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        # A made-up id deletes nothing: its transaction ends without a page to write.
        return await self._write(lambda connection: sql.take_ticket(connection, key, now), single=True, ends=ends)

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        return await self._write(lambda connection: sql.take_with_seat(connection, key, now))

    # --- single values

    async def is_used(self, use: UseOnce, now: int) -> bool:
        return await self._read(lambda connection: sql.is_used(connection, use, now))

    async def mark(self, key: MarkKey, now: int) -> int:
        return await self._read(lambda connection: sql.mark(connection, key, now))

    async def clear_mark(self, key: MarkKey, now: int) -> None:
        if await self.mark(key, now):
            await self._write(lambda connection: sql.clear_mark(connection, key))

    async def probe(self) -> None:
        if not self._written:
            await self._write(sql.probe)
        await self._read(lambda connection: sql.ended_since(connection, None))

    async def purge(self, now: int, *, bury: bool = False) -> None:
        """Purges in one process for all. Between the steps, other writers have their turn and the log is cut."""
        more = await self._write(lambda connection: self._ownership.taken(), single=True)
        while more:
            more = await self._write(
                lambda connection: self._is_log_short() and purging.purge(connection, now, bury=bury)
            )
            await asyncio.sleep(_BETWEEN_STEPS)

    def _is_log_short(self) -> bool:
        return sqlite_file.log_size(self._path) <= _LONGEST_LOG

    # --- steps

    async def _read(self, query: Callable[[sqlite3.Connection], JobResult]) -> JobResult:
        if self._writer is not None and (not self._writer.made or self._mending.due):
            await self._write(_nothing)
        try:
            if self._reader is None:
                raise sqlite3.OperationalError("the store is closed")
            if self._reader.stands_for() > _STANDS:
                raise sqlite3.OperationalError("the disk does not answer")
            result = await self._reader.run(query, _READ_WITHIN)
        except (sqlite3.Error, OSError, GatewayError) as error:
            raise self._unreachable(error) from error
        self._reached.answered()
        return result

    async def _write(
        self, job: Job[JobResult], *, durable: bool = False, single: bool = False, ends: bool = False
    ) -> JobResult:
        if self._writer is None:
            raise GatewayError(store_codes.UNREACHABLE, "the store is closed")
        try:
            result = await self._writer.run(job, _WRITTEN_WITHIN, durable=durable, single=single, ends=ends)
        except (sqlite3.Error, OSError, GatewayError) as error:
            self._written = False
            raise self._unreachable(error) from error
        # A written end does not prove that other writes work: ends use reserved room.
        self._written = self._written or not ends
        self._reached.answered()
        return result

    def _unreachable(self, error: Exception) -> GatewayError:
        self._mending.seen(error)
        detail = f"{self._path}: {str(error) or type(error).__name__}"
        if hint := sqlite_file.missing_permission(self._path, error):
            detail = f"{detail}: {hint}"
        return self._reached.failed(detail)


def _nothing(connection: sqlite3.Connection) -> None:
    """A job without work: the thread connects, and the writer creates a missing file."""
