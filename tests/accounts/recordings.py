"""Recordings of account files: each is the file as SQL, the numbers of its form, and what is in it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def record(path: Path, folder: Path, *, schema: int, application: int, holds: list[dict[str, Any]]) -> None:
    """Writes `folder`/SCHEMA.json of the file at `path`, and prints where it is."""
    with closing(sqlite3.connect(path)) as connection:
        sql = list(connection.iterdump())
    folder.mkdir(exist_ok=True)
    recording = folder / f"{schema}.json"
    said = {"schema": schema, "application": application, "holds": holds, "sql": sql}
    recording.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n")
    print(recording)


def play(recording: Path, path: Path) -> dict[str, Any]:
    """Puts the recorded file at `path`. What the recording says."""
    read: dict[str, Any] = json.loads(recording.read_text())
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("\n".join(read["sql"]))
        connection.execute(f"PRAGMA application_id = {read['application']}")
        connection.execute(f"PRAGMA user_version = {read['schema']}")
    return read


def assert_recorded(path: Path, recording: Path, holds: list[dict[str, Any]]) -> None:
    """The file at `path`, which holds this, is in the form that was recorded."""
    recorded = json.loads(recording.read_text())
    assert holds == recorded["holds"]
    with closing(sqlite3.connect(path)) as connection:
        tables = [line for line in connection.iterdump() if line.startswith("CREATE")]
    assert tables == [line for line in recorded["sql"] if line.startswith("CREATE")], "another form has another number"
