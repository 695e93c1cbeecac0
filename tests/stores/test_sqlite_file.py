import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gateway.stores import sqlite_file
from gateway.stores.sqlite_file import APPLICATION_ID, SCHEMA_VERSION


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
