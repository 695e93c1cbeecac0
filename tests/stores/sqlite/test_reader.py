"""Reads are done beside the loop: a disk that does not answer stops nobody who needs none of it."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores import reachability
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite import statements as sql
from gateway.stores.sqlite import store as sqlite
from gateway.stores.sqlite.store import SqliteStore
from tests.patience import PATIENCE, until
from tests.stores.samples import NOTHING, NOW, Heard, add_session, seat_record, session_record


class Disk:
    """Its reads stand still until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._let_go = threading.Event()
        self.asked = 0
        read = sql.read_session

        def slow(connection: sqlite3.Connection, session_id: str, now: int) -> object:
            self.asked += 1
            assert threading.current_thread() is not threading.main_thread()
            assert self._let_go.wait(PATIENCE)
            return read(connection, session_id, now)

        monkeypatch.setattr(sql, "read_session", slow)

    def let_go(self) -> None:
        self._let_go.set()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def store(tmp_path: Path, heard: Heard) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "sessions.sqlite", log=heard)
    await made.open()
    await add_session(made, session_record(), seat_record(), NOTHING, NOW)
    yield made
    await made.close()


async def test_the_loop_goes_on_while_the_disk_does_not_answer(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    read = asyncio.create_task(store.read_session("s1", NOW))
    await until(lambda: disk.asked)
    # Were the loop to wait for it, nobody would let it go.
    disk.let_go()
    assert await read == session_record()


async def test_a_disk_that_stands_still_is_asked_no_more_until_it_answers(
    store: SqliteStore, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachability, "_MENDED_AFTER", 0)
    monkeypatch.setattr(sqlite, "_STANDS", 0.05)
    monkeypatch.setattr(sqlite, "_READ_WITHIN", 0.1)
    disk = Disk(monkeypatch)
    for _ in range(3):
        with pytest.raises(GatewayError) as caught:
            await store.read_session("s1", NOW)
        assert caught.value.code is store_codes.UNREACHABLE
    assert "the disk does not answer" in caught.value.detail
    assert disk.asked == 1
    disk.let_go()
    assert store._reader is not None
    await until(lambda: not store._reader.stands_for())  # type: ignore[union-attr]
    assert await store.read_session("s1", NOW) == session_record()
    assert heard.names() == ["store.unreachable", "store.recovered"]


async def test_nothing_of_the_database_is_touched_on_the_loop(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[threading.Thread] = set()
    for name in ("identity", "reader", "writer", "log_size"):
        function = getattr(sqlite_file, name)

        def recorded(*arguments: object, function=function) -> object:  # type: ignore[no-untyped-def]
            threads.add(threading.current_thread())
            return function(*arguments)

        monkeypatch.setattr(sqlite_file, name, recorded)
    await store.close()
    await store.open()
    await store.read_session("s1", NOW)
    await store.probe()
    await store.purge(NOW)
    assert threads
    assert threading.current_thread() not in threads


async def test_a_read_that_fails_takes_no_other_with_it(store: SqliteStore) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    reads = (store._read(fails), store.read_session("s1", NOW))
    failed, read = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(failed, ZeroDivisionError)
    assert read == session_record()
