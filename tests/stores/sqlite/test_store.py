"""What only the SQLite store has: a file, other processes, and the ways in which both fail."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.ops.counters import Counters
from gateway.stores import reachability
from gateway.stores.records import AddSession, RaiseMark, RecordStore, RevokeSession, SeatKey, Touch, UseOnce
from gateway.stores.revocation.list_of_ends import Cursor
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite import store as sqlite
from gateway.stores.sqlite import writer as sqlite_writer
from gateway.stores.sqlite.reader import READ_AGAIN, SqliteReader
from gateway.stores.sqlite.store import SqliteStore
from gateway.stores.sqlite.thread import Job
from gateway.stores.sqlite.writer import SqliteWriter
from tests.patience import PATIENCE
from tests.stores.samples import (
    NOTHING,
    NOW,
    PORTAL,
    Clock,
    Heard,
    Worker,
    add_seat,
    add_session,
    end,
    first_use,
    mark_key,
    put_ticket,
    raise_mark,
    seat_record,
    session_record,
    spend,
    ticket,
    ticket_key,
)

ROOT = Path(__file__).parents[3]
KEY = SeatKey("s1", b"l1")

READS: list[Callable[[RecordStore], Awaitable[object]]] = [
    lambda store: store.read_seat(KEY, NOW),
    lambda store: store.read_session("s1", NOW),
    lambda store: store.find("subject", [b"subject-1"], NOW),
    lambda store: store.ended_since(Cursor("", 0)),
    lambda store: store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW),
    lambda store: store.mark(mark_key(b"rounds"), NOW),
    lambda store: store.is_used(UseOnce(b"token", NOW + 1), NOW),
]
WRITES: list[Callable[[RecordStore], Awaitable[object]]] = [
    lambda store: add_session(store, session_record("s3"), seat_record("s3"), NOTHING, NOW),
    lambda store: add_seat(store, seat_record(lookup=b"l3"), NOTHING, NOW),
    lambda store: store.touch([Touch(KEY, NOW + 1)]),
    lambda store: end(store, ["s2"], NOW),
    lambda store: put_ticket(store, ticket(2), per_group=10, in_all=10),
    lambda store: store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW),
    lambda store: spend(store, ticket_key("transaction", b"ticket 1"), [], NOW),
    lambda store: first_use(store, b"assertion", NOW + 1, NOW),
    lambda store: raise_mark(store, b"rounds", 1, NOW + 60, NOW),
    lambda store: store.clear_mark(mark_key(b"marked"), NOW),
    lambda store: store.purge(NOW),
]


def put(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=mode)
    path.write_bytes(content)


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def damage(path: Path) -> None:
    """All but the first page, which says what the file is."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sessions.db"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def store(path: Path, heard: Heard) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(path, log=heard)
    await made.open()
    await add_session(made, session_record(), seat_record(), NOTHING, NOW)
    await put_ticket(made, ticket(1), per_group=10, in_all=10)
    await raise_mark(made, b"marked", 1, NOW + 60, NOW)
    yield made
    await made.close()


async def unreachable(store: RecordStore, operations: list[Callable[[RecordStore], Awaitable[object]]]) -> bool:
    for operation in operations:
        with pytest.raises(GatewayError) as caught:
            await operation(store)
        assert caught.value.code is store_codes.UNREACHABLE
        assert not store.reachable
    return True


async def well(store: RecordStore) -> bool:
    await raise_mark(store, b"well", 1, NOW + 60, NOW)
    return await store.read_seat(KEY, NOW) is not None and store.reachable


# --- the file


async def test_the_file_is_its_owners_alone(store: SqliteStore, path: Path) -> None:
    assert mode(path.parent) == 0o700
    modes = {name.name: mode(name) for name in path.parent.iterdir()}
    assert modes == {"sessions.db": 0o600, "sessions.db-wal": 0o600, "sessions.db-shm": 0o600}


async def test_a_file_that_others_may_read_is_closed_to_them(path: Path) -> None:
    put(path, b"", mode=0o644)
    store = SqliteStore(path)
    await store.open()
    await store.close()
    assert mode(path) == 0o600


async def test_it_survives_a_restart(path: Path) -> None:
    for number in range(3):
        store = SqliteStore(path)
        await store.open()
        await add_session(store, session_record(f"s{number}"), seat_record(f"s{number}"), NOTHING, NOW)
        assert len(await store.find("subject", [b"subject-1"], NOW)) == number + 1
        await store.close()


async def test_what_was_asked_for_before_the_end_is_written(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    asked = [asyncio.create_task(first_use(store, b"value %d" % number, NOW + 9, NOW)) for number in range(500)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*asked))


async def test_a_closed_store_cannot_say(path: Path) -> None:
    store = SqliteStore(path)
    assert await unreachable(store, READS + WRITES)
    await store.open()
    await store.close()
    assert await unreachable(store, READS + WRITES)
    await store.close()


async def test_logout_and_replay_outlive_a_loss_of_power(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store._writer is not None
    durable: list[bool] = []
    run = store._writer.run

    def recorded(job: Job[object], within: float, **flags: bool) -> Awaitable[object]:
        durable.append(flags.get("durable", False))
        return run(job, within, **flags)

    monkeypatch.setattr(store._writer, "run", recorded)
    await store.touch([Touch(KEY, NOW + 1)])
    await end(store, ["s1"], NOW)
    await first_use(store, b"assertion", NOW + 1, NOW)
    assert durable == [False, True, True]


@pytest.mark.parametrize("fails", ["tickets", "seats", "sessions", "marks"])
async def test_a_sign_in_that_fails_to_be_written_leaves_its_transaction(
    store: SqliteStore, path: Path, fails: str
) -> None:
    action = "DELETE" if fails == "tickets" else "INSERT"
    with closing(sqlite3.connect(path, isolation_level=None)) as fault:
        fault.execute(f"CREATE TRIGGER fails BEFORE {action} ON {fails} BEGIN SELECT RAISE(ABORT, 'full'); END")
    arrival = [
        AddSession(session_record("s9"), seat_record("s9"), NOTHING),
        RaiseMark(mark_key(b"rounds"), 1, NOW + 60),
    ]
    assert await unreachable(store, [lambda store: spend(store, ticket_key("transaction", b"ticket 1"), arrival, NOW)])
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) is not None
    assert await store.read_session("s9", NOW) is None
    assert await store.mark(mark_key(b"rounds"), NOW) == 0


@pytest.mark.parametrize("fails", ["used", "seats", "sessions", "ended"])
async def test_an_end_that_fails_in_between_uses_nothing_up_and_ends_nothing(
    store: SqliteStore, path: Path, fails: str
) -> None:
    operation = "INSERT" if fails in ("used", "ended") else "DELETE"
    with closing(sqlite3.connect(path, isolation_level=None)) as fault:
        fault.execute(f"CREATE TRIGGER fault BEFORE {operation} ON {fails} BEGIN SELECT RAISE(ABORT, 'fault'); END")
    with pytest.raises(GatewayError) as caught:
        await store.perform([RevokeSession("s1"), UseOnce(b"token", NOW + 60)], NOW)
    assert caught.value.code is store_codes.UNREACHABLE
    assert await store.read_seat(KEY, NOW) is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as fault:
        fault.execute("DROP TRIGGER fault")
    assert await store.perform([RevokeSession("s1"), UseOnce(b"token", NOW + 60)], NOW)
    assert await store.read_seat(KEY, NOW) is None


async def test_it_can_be_opened_again(path: Path) -> None:
    store = SqliteStore(path)
    for _ in range(2):
        await store.open()
        await raise_mark(store, b"well", 1, NOW + 60, NOW)
        await store.close()


async def refused(path: Path) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await SqliteStore(path).open()
    return caught.value


async def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE precious (a)")
    error = await refused(path)
    assert error.code is store_codes.UNREADABLE
    assert f"{path} is not a session store of this gateway" in error.detail
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]


async def test_a_store_of_a_newer_release_is_refused_with_what_to_do(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    error = await refused(path)
    assert error.code is store_codes.UNREADABLE
    reads = f"schema version 99, this release reads {sqlite_file.SCHEMA_VERSION}: run the release that wrote it"
    assert f"{reads}, or move the file away" in error.detail


async def test_a_store_that_is_out_of_reach_at_the_start_comes_when_it_can(
    path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachability, "_MENDED_AFTER", 0)
    put(path, b"this is not a database" * 1000)
    store = SqliteStore(path, log=heard)
    await store.open()
    assert await unreachable(store, READS + WRITES)
    os.unlink(path)
    assert await store.read_session("s1", NOW) is None
    assert heard.names() == ["store.unreachable", "store.recovered"]
    await store.close()


async def test_a_folder_that_cannot_be_made_is_out_of_reach_until_it_can(tmp_path: Path) -> None:
    put(tmp_path / "file", b"")
    store = SqliteStore(tmp_path / "file" / "var" / "sessions.db")
    await store.open()
    assert await unreachable(store, READS + WRITES)
    os.unlink(tmp_path / "file")
    assert await store.read_session("s1", NOW) is None
    await store.close()


# --- invariant 9: out of reach is never absent, and passes by itself


async def test_a_file_that_vanished_is_out_of_reach_until_it_is_back(
    store: SqliteStore, path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reachability, "_MENDED_AFTER", 0)
    away = path.parent.with_name("away")
    path.parent.rename(away)
    assert await unreachable(store, READS + WRITES)
    assert listing(path.parent.parent) == ["away"]
    away.rename(path.parent)
    assert await well(store)
    assert heard.names() == ["store.unreachable", "store.recovered"]
    assert str(path) in str(heard.events[0][1]["detail"])


async def test_a_file_that_was_replaced_by_rubbish_is_out_of_reach_until_it_is_replaced_again(
    store: SqliteStore, path: Path
) -> None:
    good, bad = path.with_name("good.db"), path.with_name("bad.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(good)) as copy:
        source.backup(copy)
    bad.write_bytes(os.urandom(65536))
    bad.rename(path)
    assert await unreachable(store, READS + WRITES)
    for leftover in path.parent.glob("sessions.db-*"):
        leftover.unlink()
    good.rename(path)
    assert await well(store)


async def test_an_empty_file_in_its_place_is_out_of_reach_too(store: SqliteStore, path: Path) -> None:
    os.rename(path, path.with_name("good.db"))
    put(path, b"")
    assert await unreachable(store, READS + WRITES)


async def test_who_puts_back_what_was_emptied_finds_its_log_where_it_was(store: SqliteStore, path: Path) -> None:
    good = path.with_name("good.db")
    path.rename(good)
    put(path, b"")
    assert await unreachable(store, READS + WRITES)
    assert path.with_name("sessions.db-wal").stat().st_size
    good.rename(path)
    assert await well(store)


async def test_a_file_damaged_in_place_never_says_absent(store: SqliteStore, path: Path) -> None:
    for number in range(200):
        await add_session(store, session_record(f"a{number}"), seat_record(f"a{number}"), NOTHING, NOW)
    await store.close()
    damage(path)
    await store.open()
    for number in range(200):
        with pytest.raises(GatewayError) as caught:
            await store.read_seat(SeatKey(f"a{number}", b"l1"), NOW)
        assert caught.value.code is store_codes.UNREACHABLE
    assert await unreachable(store, [write for write in WRITES if write is not WRITES[2]])


async def test_while_a_stranger_holds_the_lock_reads_answer_and_writes_say_so_in_time(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.close()
    monkeypatch.setattr(sqlite_writer, "_BUSY_TIMEOUT", 0.1)
    # What ends the wait is SQLite's own limit, not ours for an answer of the thread.
    monkeypatch.setattr(sqlite, "_WRITTEN_WITHIN", PATIENCE)
    await store.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(*(write(store) for write in WRITES), return_exceptions=True)
        assert {getattr(result, "code", result) for result in results} == {store_codes.UNREACHABLE}
        assert {getattr(result, "detail", result) for result in results} == {f"{path}: database is locked"}
        assert await store.read_seat(KEY, NOW) is not None
        stranger.execute("ROLLBACK")
    assert await well(store)


async def test_a_reader_that_meets_a_lock_waits_for_it_without_stopping_the_loop(
    store: SqliteStore, path: Path
) -> None:
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        # A holder of the whole file: nobody else may even read.
        stranger.execute("PRAGMA locking_mode = EXCLUSIVE")
        stranger.execute("DELETE FROM marks")
        store._writer = SqliteWriter(path)
        store._writer.made = True
        store._reader = SqliteReader(path)
        turns = asyncio.create_task(turns_of_the_loop())
        assert await unreachable(store, READS[:1])
        turns.cancel()
        assert await turns >= len(READ_AGAIN)
        read = asyncio.create_task(store.read_seat(KEY, NOW))
        await asyncio.sleep(0.02)
    assert await read is not None
    with closing(sqlite_file.reader(path)) as reader:
        assert reader.execute("PRAGMA busy_timeout").fetchone() == (0,), "SQLite would wait, and the loop with it"


async def turns_of_the_loop() -> int:
    """So many until it is cancelled."""
    turns = 0
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0)
            turns += 1
    return turns


def limited(script: str, *arguments: object) -> str:
    """Runs a test's inner part in a process of its own, where limits and rights can be taken away."""
    preamble = """
        import asyncio, os, resource, signal, sys
        from pathlib import Path
        from gateway.model.codes import store_codes
        from gateway.model.errors import GatewayError
        from gateway.stores.sqlite.store import SqliteStore
        from tests.stores.samples import NOTHING, NOW, add_session, seat_record, session_record
        path = Path(sys.argv[1])

        async def add(store, id):
            try:
                await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)
            except GatewayError as error:
                return error.code.id
            return "written"
    """
    program = textwrap.dedent(preamble) + textwrap.dedent(script)
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_full_disk_is_out_of_reach_until_there_is_room(path: Path) -> None:
    said = limited(
        """
        async def main():
            store = SqliteStore(path)
            await store.open()
            await add(store, "before")
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, resource.RLIM_INFINITY))
            print({await add(store, f"s{number}") for number in range(5)})
            print(await store.read_session("before", NOW) is not None, await store.read_session("s0", NOW))
            try:
                await store.probe()
            except GatewayError as error:
                print(error.code.id)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            print(await add(store, "after"))
            await store.close()

        asyncio.run(main())
        """,
        path,
    )
    assert said.splitlines() == [
        f"{{'{store_codes.UNREACHABLE.id}'}}",
        "True None",
        store_codes.UNREACHABLE.id,
        "written",
    ]


def test_a_folder_that_may_not_be_written_is_out_of_reach_until_it_may(everyones_path: Path) -> None:
    said = limited(
        """
        async def main():
            store = SqliteStore(path)
            await store.open()
            await add(store, "before")
            await store.close()
            if os.geteuid() == 0:
                for each in (path.parent, *path.parent.iterdir()):
                    os.chown(each, 65534, 65534)
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            os.chmod(path.parent, 0o500)
            await store.open()
            print(await add(store, "s1"))
            os.chmod(path.parent, 0o700)
            print(await add(store, "s2"))
            await store.close()

        asyncio.run(main())
        """,
        everyones_path,
    )
    assert said.split() == [store_codes.UNREACHABLE.id, "written"]


@pytest.fixture
def everyones_path() -> Iterator[Path]:
    """A path that a process without rights can reach too, which pytest's own folders are not."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "var" / "sessions.db"


async def test_sessions_say_unreachable_and_never_absent(store: SqliteStore, path: Path) -> None:
    worker = Worker(store, Clock())
    cookie = await worker.sign_in()
    shutil.move(path.parent, path.parent.with_name("away"))
    for asked in (
        worker.sessions.load(PORTAL, cookie),
        worker.sign_in(),
        worker.sessions.of_browser(PORTAL, cookie),
        Worker(store, Clock()).sessions.end_browser(PORTAL, cookie),
        worker.sessions.hand_overs.take("A" * 43),
        worker.transactions.sign_ins.peek("A" * 43),
        worker.transactions.openid_logins.take("A" * 43),
        worker.transactions.rounds("binding", PORTAL),
    ):
        with pytest.raises(GatewayError) as caught:
            await asked
        assert caught.value.code is store_codes.UNREACHABLE
    shutil.move(path.parent.with_name("away"), path.parent)
    assert await worker.sessions.load(PORTAL, cookie) is not None


async def test_what_could_not_be_answered_is_counted(path: Path) -> None:
    counters = Counters()
    store = SqliteStore(path, counters=counters)
    await unreachable(store, READS)
    assert counters.values["ecluse_session_store_errors_total",] == len(READS)
