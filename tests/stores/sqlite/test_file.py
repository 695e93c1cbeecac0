import errno
import os
import pwd
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite.file import APPLICATION_ID, SCHEMA_VERSION


def ask(connection: sqlite3.Connection, pragma: str) -> object:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a b" / "%#? é.db"
    sqlite_file.make(made, 5.0, 0)
    return made


def test_a_new_file_says_what_it_is_and_keeps_a_write_ahead_log(path: Path) -> None:
    with closing(sqlite_file.reader(path)) as connection:
        assert ask(connection, "application_id") == APPLICATION_ID
        assert ask(connection, "user_version") == SCHEMA_VERSION
        assert ask(connection, "journal_mode") == "wal"


def test_making_it_again_keeps_what_is_there(path: Path) -> None:
    with closing(sqlite_file.reader(path)) as connection:
        epoch = connection.execute("SELECT epoch FROM store").fetchall()
    sqlite_file.make(path, 5.0, 0)
    with closing(sqlite_file.reader(path)) as connection:
        assert connection.execute("SELECT epoch FROM store").fetchall() == epoch


def test_a_making_that_was_broken_off_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    path.touch()
    sqlite_file.make(path, 5.0, 0)
    with closing(sqlite_file.reader(path)) as connection:
        assert len(connection.execute("SELECT epoch FROM store").fetchall()) == 1


def test_workers_that_start_together_make_one_store(tmp_path: Path) -> None:
    for round in range(10):
        path = tmp_path / f"{round}.db"
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(sqlite_file.make, [path] * 8, [5.0] * 8, [0] * 8))
        with closing(sqlite_file.reader(path)) as connection:
            assert len(connection.execute("SELECT epoch FROM store").fetchall()) == 1


def test_a_reader_cannot_write(path: Path) -> None:
    with closing(sqlite_file.reader(path)) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM sessions")


def test_neither_makes_a_file_that_is_not_there(tmp_path: Path) -> None:
    for connect in (sqlite_file.reader, lambda path: sqlite_file.writer(path, 1.0)):
        with pytest.raises(sqlite3.OperationalError):
            connect(tmp_path / "sessions.db")
    assert list(tmp_path.iterdir()) == []


def test_a_value_of_another_type_is_refused_when_it_is_written(path: Path) -> None:
    with closing(sqlite_file.writer(path, 1.0)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO used VALUES ('text', 1)")


def test_every_look_up_goes_by_an_index(path: Path) -> None:
    asked = [
        "SELECT * FROM seats t JOIN sessions s ON s.id = t.session_id WHERE t.session_id = '' AND t.lookup = x''",
        "SELECT * FROM sessions WHERE subject_index = x''",
        "SELECT * FROM sessions WHERE sid_index = x''",
        "SELECT * FROM sessions WHERE browser_index = x''",
        "SELECT * FROM sessions WHERE ends_at <= 1",
        "SELECT * FROM tickets WHERE kind = '' AND lookup = x''",
        "SELECT number FROM tickets WHERE kind = '' AND client = x'' ORDER BY number DESC",
        "SELECT number FROM tickets WHERE kind = '' ORDER BY expires_at, number",
        "SELECT * FROM ended WHERE position > 1",
    ]
    with closing(sqlite_file.reader(path)) as connection:
        for statement in asked:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert all(step.startswith("SEARCH") for step in plan), plan
        kinds = "SELECT kind FROM open_tickets"
        purge = f"SELECT number FROM tickets WHERE kind IN ({kinds}) AND expires_at <= 1"
        (step, _) = (row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {purge}"))
        assert step == "SEARCH tickets USING COVERING INDEX tickets_by_end (kind=? AND expires_at<?)"


NOT_PERMITTED = PermissionError(errno.EPERM, "Operation not permitted")


def test_a_missing_permission_is_told_with_whose_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sessions.sqlite"
    path.touch(mode=0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    os.chmod(tmp_path, 0o700)
    owner, me = pwd.getpwuid(os.stat(path).st_uid).pw_name, pwd.getpwuid(65534).pw_name
    told = sqlite_file.missing_permission(path, NOT_PERMITTED)
    mend = f"chown {me} {tmp_path} && chmod 700 {tmp_path}"
    assert told == f"{tmp_path} is {owner}'s with mode 700, and the gateway runs as {me}: {mend}"


@pytest.mark.parametrize("error", [NOT_PERMITTED, "attempt to write a readonly database"])
def test_a_mode_that_lets_the_gateway_not_write_is_told(tmp_path: Path, error: OSError | str) -> None:
    path = tmp_path / "sessions.sqlite"
    path.touch()
    os.chmod(path, 0o400)
    if isinstance(error, str):
        said = sqlite3.OperationalError(error)
        said.sqlite_errorcode = sqlite3.SQLITE_READONLY
    told = sqlite_file.missing_permission(path, said if isinstance(error, str) else error)
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert told.startswith(f"{path} is {me}'s with mode 400, and")
    assert told.endswith(f"chown {me} {path} && chmod 600 {path}")


def test_another_trouble_is_left_as_it_is(tmp_path: Path) -> None:
    assert sqlite_file.missing_permission(tmp_path / "a", OSError(errno.ENOSPC, "No space left on device")) == ""
    assert sqlite_file.missing_permission(tmp_path / "a", sqlite3.OperationalError("database is locked")) == ""
    assert sqlite_file.missing_permission(tmp_path / "a", NOT_PERMITTED) == ""


def test_a_log_that_was_long_once_is_cut_when_it_begins_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SQLite itself: also where nobody comes to cut it, the disk is not full of it for ever."""
    monkeypatch.setattr(sqlite_file, "LOG_LIMIT", 1 << 17)
    with closing(sqlite_file.writer(path, 5.0)) as connection:
        connection.execute("CREATE TABLE filler (content)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(6000000))")
        assert sqlite_file.log_size(path) > 6_000_000
        connection.execute("INSERT INTO filler VALUES (0)")
        assert sqlite_file.log_size(path) <= 1 << 17
