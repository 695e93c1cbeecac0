import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.stores.sqlite.thread import JOBS_AT_ONCE, Job
from gateway.stores.sqlite.writer import SqliteWriter
from tests.patience import PATIENCE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[SqliteWriter]:
    made = SqliteWriter(path)
    yield made
    await made.close()


def add(connection: sqlite3.Connection, key: bytes) -> int:
    connection.execute("INSERT INTO used VALUES (?, 1)", (key,))
    return connection.total_changes


def keys(connection: sqlite3.Connection) -> list[bytes]:
    return [key for (key,) in connection.execute("SELECT key FROM used ORDER BY key")]


class Held:
    """A job that lasts until it is let go. `statements`: of it and of those after it."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self._begun = threading.Event()
        self._let_go = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(self.statements.append)
        self._begun.set()
        assert self._let_go.wait(PATIENCE)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, PATIENCE)

    def let_go(self) -> None:
        self._let_go.set()


async def test_jobs_that_wait_share_a_commit(writer: SqliteWriter, path: Path) -> None:
    assert await writer.run(keys, PATIENCE) == []
    held = Held()
    began = [asyncio.create_task(writer.run(held, PATIENCE))]
    await held.begun()

    def job(number: int) -> Job[int]:
        return lambda connection: add(connection, b"%03d" % number)

    with closing(sqlite3.connect(path)) as other:
        began += [asyncio.create_task(writer.run(job(number), PATIENCE)) for number in range(100)]
        await asyncio.sleep(0)
        # One look at a time sees either nothing of them or all.
        seen = {other.execute("SELECT count(*) FROM used").fetchone()}
        held.let_go()
        while not all(task.done() for task in began):
            seen.add(other.execute("SELECT count(*) FROM used").fetchone())
            await asyncio.sleep(0)
        seen.add(other.execute("SELECT count(*) FROM used").fetchone())
    assert seen == {(0,), (100,)}
    assert held.statements.count("COMMIT") == 2, "of the job that held them up, and of all the others"


async def test_what_one_turn_of_the_loop_asks_for_shares_a_commit(writer: SqliteWriter) -> None:
    statements: list[str] = []
    await writer.run(lambda connection: connection.set_trace_callback(statements.append), PATIENCE)
    statements.clear()
    await asyncio.gather(
        *(writer.run(lambda connection: add(connection, b"%d" % connection.total_changes), PATIENCE) for _ in range(9))
    )
    assert statements.count("COMMIT") == 1


async def test_a_commit_is_no_longer_than_the_others_can_wait(writer: SqliteWriter) -> None:
    statements: list[str] = []
    await writer.run(lambda connection: connection.set_trace_callback(statements.append), PATIENCE)
    statements.clear()

    def job(number: int) -> Job[int]:
        return lambda connection: add(connection, b"%04d" % number)

    await asyncio.gather(*(writer.run(job(number), PATIENCE) for number in range(1000)))
    commits = [at for at, statement in enumerate(statements) if statement == "COMMIT"]
    # BEGIN, the jobs, COMMIT
    assert max(end - start for start, end in pairwise([-1, *commits])) <= JOBS_AT_ONCE + 2
    assert len(await writer.run(keys, PATIENCE)) == 1000


async def test_a_job_that_fails_takes_nobody_with_it(writer: SqliteWriter) -> None:
    await writer.run(lambda connection: add(connection, b"there"), PATIENCE)
    answers = await asyncio.gather(
        writer.run(lambda connection: add(connection, b"one"), PATIENCE),
        writer.run(lambda connection: add(connection, b"there"), PATIENCE),
        writer.run(lambda connection: add(connection, "\ud800".encode()), PATIENCE),
        writer.run(lambda connection: add(connection, b"two"), PATIENCE),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [int, sqlite3.IntegrityError, UnicodeEncodeError, int]
    assert await writer.run(keys, PATIENCE) == [b"one", b"there", b"two"]


async def test_a_lone_statement_is_its_own_transaction(writer: SqliteWriter, path: Path) -> None:
    statements: list[str] = []
    await writer.run(lambda connection: connection.set_trace_callback(statements.append), PATIENCE)
    await writer.run(lambda connection: add(connection, b"kept"), PATIENCE)
    statements.clear()
    taken = "DELETE FROM used WHERE key = x'6B657074' RETURNING key"
    assert await writer.run(lambda connection: connection.execute(taken).fetchone(), PATIENCE, single=True) == (
        b"kept",
    )
    assert statements == [taken]
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM used").fetchone() == (0,)
    await asyncio.gather(*(writer.run(keys, PATIENCE, single=True) for _ in range(2)))
    assert "BEGIN IMMEDIATE" in statements


async def test_what_a_failed_job_had_done_is_undone(writer: SqliteWriter) -> None:
    def half(connection: sqlite3.Connection) -> None:
        add(connection, b"half")
        raise ValueError

    with pytest.raises(ValueError):
        await writer.run(half, PATIENCE)
    assert await writer.run(keys, PATIENCE) == []


async def test_a_durable_job_is_on_the_disk_when_it_is_answered(writer: SqliteWriter) -> None:
    def synchronous(connection: sqlite3.Connection) -> int:
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        return int(level)

    normal, full = 1, 2
    assert await writer.run(synchronous, PATIENCE) == normal
    assert await writer.run(synchronous, PATIENCE, durable=True) == full
    assert await writer.run(synchronous, PATIENCE) == normal


async def test_who_gives_up_before_the_job_begins_is_not_served(writer: SqliteWriter) -> None:
    held = Held()
    first = asyncio.create_task(writer.run(held, PATIENCE))
    await held.begun()
    second = asyncio.create_task(writer.run(lambda connection: add(connection, b"late"), PATIENCE))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    held.let_go()
    await first
    assert await writer.run(keys, PATIENCE) == []


async def test_an_answer_that_does_not_come_in_time_is_an_error(writer: SqliteWriter) -> None:
    held = Held()
    with pytest.raises(TimeoutError):
        await writer.run(held, 0.01)
    held.let_go()


async def test_after_the_end_nothing_is_taken(writer: SqliteWriter) -> None:
    await writer.close()
    with pytest.raises(sqlite3.OperationalError):
        await writer.run(keys, PATIENCE)
