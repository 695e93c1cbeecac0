"""A database that was deleted, emptied or damaged mends by itself, once for all workers; nothing old counts in it."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.model.errors import GatewayError
from gateway.model.provider import LONGEST_SKEW
from gateway.stores.records import AddSession, UseOnce
from gateway.stores.revocation.revocations import Revocations
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite import mending as sqlite_mending
from gateway.stores.sqlite.store import SqliteStore
from gateway.stores.tickets.tickets import unix_now
from tests.patience import PATIENCE
from tests.stores.samples import (
    NOTHING,
    NOW,
    PORTAL,
    Clock,
    Heard,
    Worker,
    add_seat,
    first_use,
    raise_mark,
    seat_record,
    session_record,
)

Trouble = Callable[[Path], None]


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_its_log(path: Path) -> None:
    for name in path.parent.glob(f"{path.name}*"):
        name.unlink()


def folder_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def overwritten(path: Path) -> None:
    path.write_bytes(b"this is no database" * 5000)


def replaced_by_rubbish(path: Path) -> None:
    path.with_name("rubbish").write_bytes(os.urandom(100_000))
    path.with_name("rubbish").rename(path)


def pages_damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))


def without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE seats")


TROUBLES: list[Trouble] = [
    deleted,
    deleted_with_its_log,
    folder_deleted,
    emptied,
    overwritten,
    replaced_by_rubbish,
    pages_damaged,
    without_a_table,
]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_mending, "MENDED_AFTER", 0.1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sessions.sqlite"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def stores(path: Path, heard: Heard) -> AsyncIterator[list[SqliteStore]]:
    """Of three workers."""
    made = [SqliteStore(path, log=heard) for _ in range(3)]
    for store in made:
        await store.open()
    yield made
    for store in made:
        await store.close()


async def mended(store: SqliteStore) -> None:
    """Looks as a worker's poll does, until it reads and writes."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await store.read_session("s1", NOW)
                await raise_mark(store, b"well", 1, NOW + 60, NOW)
                await add_seat(store, seat_record("none"), NOTHING, NOW)
                await store.read_seat(seat_record("none").key, NOW)
            except GatewayError:
                assert not store.reachable
                await asyncio.sleep(0.02)
            else:
                return


async def in_vain(store: SqliteStore) -> None:
    """For twice as long as it takes to mend."""
    for _ in range(10):
        with pytest.raises(GatewayError):
            await store.read_seat(seat_record("none").key, NOW)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_one_worker_sets_aside_and_all_go_on_with_the_new_one(
    stores: list[SqliteStore], path: Path, heard: Heard, trouble: Trouble
) -> None:
    one, other = Worker(stores[0], Clock()), Worker(stores[1], Clock())
    tail = Revocations(stores[1], other.sessions, monotonic=other.clock.monotonic)
    await tail.poll()
    cookie = await one.sign_in()
    for number in range(50):
        await stores[2].perform([AddSession(session_record(f"a{number}"), seat_record(f"a{number}"), NOTHING)], NOW)
    seat = await other.sessions.load(PORTAL, cookie)
    assert seat is not None
    trouble(path)
    await asyncio.gather(*map(mended, stores))
    events = [fields for name, fields in heard.events if name == "store.set_aside"]
    assert len(events) == 1, "one worker, one line"
    assert str(path) in str(events[0]["detail"])
    kept = str(events[0]["kept"])
    assert not kept or Path(kept).exists()
    # Everybody signs in again, whatever a worker still remembers.
    assert await tail.poll() == (seat,)
    assert await other.sessions.load(PORTAL, cookie) is None
    again = await one.sign_in()
    assert await other.sessions.load(PORTAL, again) is not None
    assert not sqlite_file.diagnosis(path, 1.0)


async def test_what_was_issued_before_a_new_store_counts_no_more(stores: list[SqliteStore], path: Path) -> None:
    store, now = stores[0], unix_now()
    assert await first_use(store, b"assertion", now + 300, now, issued=now)
    deleted_with_its_log(path)
    await mended(store)
    assert not await first_use(store, b"assertion", now + 300, now, issued=now)
    assert not await first_use(store, b"unused", now + 300, now, issued=now)
    assert not await store.perform([UseOnce(b"logout token", now + 300, now)], now)
    # Not even what a provider whose clock is ahead has dated a little later.
    assert not await first_use(store, b"ahead", now + 300, now, issued=now + 120)
    assert not await first_use(store, b"far ahead", now + 300, now, issued=now + LONGEST_SKEW)
    later = now + LONGEST_SKEW + 100
    assert await first_use(store, b"later", later + 300, later, issued=later)
    # What answers a request of ours is in this store or in none.
    assert await first_use(store, b"answer", now + 300, now)


async def test_a_first_store_refuses_what_is_older_than_itself(path: Path) -> None:
    store, now = SqliteStore(path), unix_now()
    await store.open()
    assert not await first_use(store, b"assertion", now + 300, now, issued=now - 1)
    assert await first_use(store, b"assertion", now + 300, now, issued=unix_now())
    await store.close()


@pytest.mark.parametrize("trouble", [overwritten, pages_damaged, without_a_table])
async def test_it_mends_what_it_finds_damaged_at_the_start(path: Path, heard: Heard, trouble: Trouble) -> None:
    sqlite_file.make(path, 5.0, 0)
    trouble(path)
    store = SqliteStore(path, log=heard)
    await store.open()
    with pytest.raises(GatewayError):
        await Worker(store, Clock()).sign_in()
    await mended(store)
    await Worker(store, Clock()).sign_in()
    assert heard.names().count("store.set_aside") == 1
    await store.close()


async def test_who_puts_it_back_in_time_loses_nothing(
    stores: list[SqliteStore], path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_mending, "MENDED_AFTER", PATIENCE)
    cookie = await Worker(stores[0], Clock()).sign_in()
    path.rename(path.with_name("away"))
    with pytest.raises(GatewayError):
        await stores[0].read_session("s1", NOW)
    path.with_name("away").rename(path)
    monkeypatch.setattr(sqlite_mending, "MENDED_AFTER", 0.0)
    assert await Worker(stores[0], Clock()).sessions.load(PORTAL, cookie) is not None
    assert "store.set_aside" not in heard.names()


async def test_a_database_of_another_program_is_never_moved(stores: list[SqliteStore], path: Path) -> None:
    deleted_with_its_log(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE precious (a)")
    await in_vain(stores[0])
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]


async def test_what_lies_under_a_file_system_that_went_away_is_left_alone(
    stores: list[SqliteStore], path: Path
) -> None:
    shutil.rmtree(path.parent)
    stores[0]._mending._device = -1
    await in_vain(stores[0])
    assert not path.parent.exists()
    stores[0]._mending._device = None
    await mended(stores[0])


async def test_where_no_new_one_can_be_made_the_old_one_stays_where_it_is(
    stores: list[SqliteStore], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwritten(path)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file, "make", full)
        await in_vain(stores[0])
        assert path.read_bytes().startswith(b"this is no database")
        assert not [name for name in path.parent.iterdir() if "damaged" in name.name]
    await mended(stores[0])


async def test_another_database_of_ours_in_its_place_is_told_of(
    stores: list[SqliteStore], path: Path, heard: Heard
) -> None:
    cursor = (await stores[0].ended_since(None)).cursor
    other = path.with_name("other.db")
    sqlite_file.make(other, 5.0, 0)
    deleted_with_its_log(path)
    other.rename(path)
    assert not (await stores[0].ended_since(cursor)).complete
    assert heard.names() == ["store.replaced"]
