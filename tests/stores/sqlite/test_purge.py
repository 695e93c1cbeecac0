"""What has expired goes in bounded steps, by one process, and the log stays short: counted in bytes, never in time."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite.file import LOG_LIMIT, log_size
from gateway.stores.sqlite.owner import Ownership
from gateway.stores.sqlite.store import _LONGEST_LOG, SqliteStore
from tests.patience import PATIENCE
from tests.stores.samples import (
    NOTHING,
    NOW,
    add_session,
    put_ticket,
    raise_mark,
    seat_record,
    session_record,
    ticket,
    ticket_key,
)

# What one step, or what others write between two looks, may add.
STEP = LOG_LIMIT


def fill(path: Path, number: int, *, live: int) -> None:
    """Sessions with two seats each; all but `live` of them are over at NOW."""
    sqlite_file.make(path, 5.0, 0)
    ends = [(os.urandom(16).hex(), NOW + 43200 if at < live else NOW) for at in range(number)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", map(session_row, ends)
        )
        connection.executemany("INSERT INTO seats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", seat_rows(ends))
        connection.execute("COMMIT")


def session_row(end: tuple[str, int]) -> tuple[object, ...]:
    id, at = end
    index = [os.urandom(32) for _ in range(3)]
    return (id, os.urandom(200), "metropole", None, *index, NOW - 3600, at, 1800, at)


def seat_rows(ends: Sequence[tuple[str, int]]) -> Iterator[tuple[object, ...]]:
    for id, at in ends:
        for host in ("portail.localhost", "permis.localhost"):
            yield (id, os.urandom(32), host, "", os.urandom(80), NOW - 3600, at, 1800, at)


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("sessions", "seats")]


@asynccontextmanager
async def workers(path: Path, number: int = 2) -> AsyncIterator[list[SqliteStore]]:
    stores = [SqliteStore(path) for _ in range(number)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


@asynccontextmanager
async def log_watched(path: Path) -> AsyncIterator[list[int]]:
    """The longest log that was seen."""
    longest = [0]

    async def watch() -> None:
        while True:
            longest[0] = max(longest[0], log_size(path))
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    yield longest
    watching.cancel()


@pytest.mark.slow
async def test_fifty_thousand_that_end_together_leave_a_short_log(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    fill(path, 50_000, live=5_000)
    async with workers(path) as stores, log_watched(path) as longest:
        await asyncio.gather(*(store.purge(NOW) for store in stores))
        assert rows(path) == [5_000, 10_000]
        assert longest[0] <= LOG_LIMIT + STEP
        assert log_size(path) <= LOG_LIMIT


async def test_where_all_of_it_is_over_it_goes_in_one_go(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    fill(path, 5_000, live=0)
    async with workers(path) as stores:
        await raise_mark(stores[0], b"rounds", 1, NOW, NOW - 60)
        for store in stores:
            await store.purge(NOW)
        assert rows(path) == [0, 0]
        assert log_size(path) < 500_000, "every page that was given back is in the log"
        await add_session(stores[0], session_record(), seat_record(), NOTHING, NOW)
        assert await stores[1].read_session("s1", NOW) is not None


async def test_one_process_of_all_clears_away_and_another_when_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    async with workers(path) as (owner, other):
        await owner.purge(NOW)
        await put_ticket(owner, ticket(1, life=10), per_group=9, in_all=9)
        await other.purge(NOW + 10)
        # What expired then is still there for who looks with an earlier clock.
        assert await other.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) is not None
        await owner.close()
        await other.purge(NOW + 10)
        assert await other.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) is None


def test_a_lock_that_was_removed_is_nobodys(tmp_path: Path) -> None:
    one, other = Ownership(tmp_path / "sessions.db"), Ownership(tmp_path / "sessions.db")
    assert [one.taken(), other.taken(), one.taken()] == [True, False, True]
    (tmp_path / "sessions.db-owner").unlink()
    assert [other.taken(), one.taken()] == [True, False]
    other.release()
    assert one.taken()
    one.release()


async def test_a_log_that_somebody_reads_on_is_not_made_longer_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.sqlite.store._LONGEST_LOG", 1 << 20)
    monkeypatch.setattr("gateway.stores.sqlite.writer.LOG_LIMIT", 1 << 19)
    path = tmp_path / "sessions.db"
    fill(path, 5_000, live=500)
    async with workers(path, 1) as (store,):
        with closing(sqlite3.connect(path, isolation_level=None)) as backup:
            backup.execute("BEGIN")
            backup.execute("SELECT count(*) FROM sessions").fetchone()
            await store.purge(NOW)
            assert rows(path)[0] > 500, "it went on"
        assert _LONGEST_LOG == 4 * LOG_LIMIT

        async def cleared() -> bool:
            await store.purge(NOW)
            return rows(path) == [500, 1000]

        async with asyncio.timeout(PATIENCE):
            while not await cleared():
                await raise_mark(store, b"rounds", 1, NOW + 60, NOW)


async def test_workers_that_write_in_turn_leave_a_short_log_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.sqlite.writer.LOG_LIMIT", 1 << 18)
    path = tmp_path / "sessions.db"
    async with workers(path) as stores:

        async def signs_in(store: SqliteStore, name: int) -> None:
            for number in range(200):
                id = f"{name} {number} {os.urandom(8).hex()}"
                await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)

        await asyncio.gather(*(signs_in(store, name) for name, store in enumerate(stores)))
        # Who finds it long at its next commit cuts it; only where another one is about the same it waits a while.
        async with asyncio.timeout(PATIENCE):
            while log_size(path) > 1 << 18:
                await raise_mark(stores[0], b"rounds", 1, NOW + 60, NOW)
