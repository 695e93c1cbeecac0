"""The database file: its making, its checks, its tables.

Raises sqlite3.Error and OSError unchanged; for a file that is not ours, GatewayError(store_codes.UNREADABLE).
"""

import os
import pwd
import re
import secrets
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError

APPLICATION_ID = 0x45434C55  # "ECLU": what `file` shows, and what tells our database from any other
SCHEMA_VERSION = 7

# Bytes. SQLite's own checkpoints come at half of it but finish only where nobody else reads or writes meanwhile: with
# workers that write in turn they would never, and the log would grow until the disk is full.
LOG_LIMIT = 8 << 20
_SHORTENED_WITHIN_MS = 100

# What SQLite says where the system refuses it a file (sqlite.org/rescode.html).
_PERMISSION = frozenset({sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH})

# STRICT tables: a value of another type than its column's is refused when written, so none is ever read.
_LEAST_SQLITE = (3, 37, 0)

# `due_at`: 0 once the session is gone, its absolute limit until then.
_NOTES = """
CREATE TABLE notes (
    session_id TEXT NOT NULL, host TEXT NOT NULL, sealed BLOB NOT NULL, due_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, host)
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_by_end ON notes (due_at);
"""

# `whose`: a keyed hash, of the person as a rule.
_JARS = """
ALTER TABLE notes ADD COLUMN whose BLOB NOT NULL DEFAULT x'';
CREATE TABLE jars (
    session_id TEXT NOT NULL, host TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (session_id, host)
) STRICT, WITHOUT ROWID;
"""

# Of seats that have ended, by a row for each: the keyed hash of the person, and until when it is known.
_TOMBSTONES = """
CREATE TABLE tombstones (
    session_id TEXT NOT NULL, lookup BLOB NOT NULL, host TEXT NOT NULL, person BLOB NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (session_id, lookup)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_end ON tombstones (until);
"""
_TENANTS_OF_TOMBSTONES = "ALTER TABLE tombstones ADD COLUMN tenant TEXT;\n"
# When the provider issued the ID token or the assertion, by the provider's clock.
_ISSUE_TIMES = "ALTER TABLE sessions ADD COLUMN issued_at INTEGER;\n"

_TABLES = """
-- refuses_before: a message of others that was issued earlier (Unix seconds) may have been used up in the store before.
CREATE TABLE store (epoch TEXT NOT NULL, refuses_before INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    provider TEXT NOT NULL,
    tenant TEXT,
    subject_index BLOB NOT NULL,
    sid_index BLOB,
    browser_index BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_subject ON sessions (subject_index);
CREATE INDEX sessions_by_sid ON sessions (sid_index) WHERE sid_index IS NOT NULL;
CREATE INDEX sessions_by_browser ON sessions (browser_index);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE seats (
    session_id TEXT NOT NULL,
    lookup BLOB NOT NULL,
    host TEXT NOT NULL,
    app TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, lookup)
) STRICT, WITHOUT ROWID;
CREATE INDEX seats_by_end ON seats (ends_at);

CREATE TABLE tickets (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    lookup BLOB NOT NULL,
    sealed BLOB NOT NULL,
    client BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (kind, lookup)
) STRICT;
CREATE INDEX tickets_by_client ON tickets (kind, client, number);
CREATE INDEX tickets_by_end ON tickets (kind, expires_at);

-- Kept by triggers: counting a hundred thousand rows for each new one would be the cheapest attack.
CREATE TABLE open_tickets (kind TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER ticket_put AFTER INSERT ON tickets BEGIN
    INSERT INTO open_tickets VALUES (new.kind, 1) ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER ticket_gone AFTER DELETE ON tickets BEGIN
    UPDATE open_tickets SET number = number - 1 WHERE kind = old.kind;
END;

CREATE TABLE used (key BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX used_by_end ON used (expires_at);

CREATE TABLE marks (
    key BLOB PRIMARY KEY, number INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX marks_by_end ON marks (expires_at);

-- AUTOINCREMENT: a position is never given twice, so a reader knows whether it has missed any.
CREATE TABLE ended (
    position INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, lookup BLOB, at INTEGER NOT NULL
) STRICT;
"""

# N reads N-1: from each version to the next.
_UPGRADES = {
    1: "ALTER TABLE store ADD COLUMN refuses_before INTEGER NOT NULL DEFAULT 0;",
    2: _NOTES,
    3: _JARS,
    4: _TOMBSTONES,
    5: _TENANTS_OF_TOMBSTONES,
    6: _ISSUE_TIMES,
}

_NAMED = re.compile(r"^CREATE (?:TABLE|INDEX|TRIGGER) (\w+)", re.MULTILINE)
_NAMES = frozenset(_NAMED.findall(_TABLES + _NOTES + _JARS + _TOMBSTONES))


class Damaged(sqlite3.DatabaseError):
    """The file is neither a store of ours nor another program's database."""


def make(path: Path, timeout: float, refuses_before: int) -> None:
    """Makes the file and its folder if missing, private to their owner; else checks that the file is a store of ours.

    `timeout`: seconds to wait for another process that makes or upgrades the file.
    `refuses_before`: see the table `store`.
    """
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        raise GatewayError(store_codes.UNREADABLE, f"SQLite {sqlite3.sqlite_version} is too old: 3.37 is needed")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_file(path)
    connection = _connect(path, timeout)
    try:
        _keep_a_log(connection, timeout)
        connection.execute("BEGIN IMMEDIATE")
        if _is_empty(connection):
            _make_tables(connection, refuses_before)
        else:
            _upgrade(connection)
        connection.execute("COMMIT")
        check(connection, path)
    finally:
        connection.close()


def reader(path: Path) -> sqlite3.Connection:
    """A connection for reads on the loop: it never waits for a lock, and cannot write."""
    connection = _checked(path, timeout=0.0)
    connection.execute("PRAGMA query_only = ON")
    return connection


def writer(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection for writes. `timeout`: seconds to wait for another process's write."""
    connection = _checked(path, timeout)
    connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
    # Overwriting what is deleted, as Debian's SQLite does, would write every page of a table that is cleared. What a
    # free page tells is no more than a dump of the store does.
    connection.execute("PRAGMA secure_delete = FAST")
    return connection


def log_size(path: Path) -> int:
    """The size of the write-ahead log in bytes; 0 if the file has no log."""
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0


def shorten_log(connection: sqlite3.Connection) -> bool:
    """Moves the write-ahead log into the database and truncates the log. Returns False, with the log not truncated, if
    another connection reads or writes."""
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {_SHORTENED_WITHIN_MS}")
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")
    return not busy


def identity(path: Path) -> tuple[int, int]:
    """The device and inode of the file at this path. Raises OSError where no file exists."""
    found = os.stat(path)
    return found.st_dev, found.st_ino


def is_busy(error: sqlite3.Error) -> bool:
    # The low byte is the primary code (sqlite.org/rescode.html). An error of our own making has none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def missing_permission(path: Path, error: Exception) -> str:
    """The missing permission and the remedy; "" for an error of another kind, or where no missing permission is
    found."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if not isinstance(error, PermissionError) and code not in _PERMISSION:
        return ""
    account = os.geteuid()
    for place in (path.parent, path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        try:
            found = os.stat(place)
        except FileNotFoundError:
            continue
        except PermissionError:
            return f"{_name(account)} may not enter {place.parent}: let it, or name another folder as state"
        wanted = 0o700 if place == path.parent else 0o600
        if found.st_uid != account or found.st_mode & wanted != wanted:
            whose = f"{place} is {_name(found.st_uid)}'s with mode {found.st_mode & 0o777:o}"
            mend = f"chown {_name(account)} {place} && chmod {wanted:o} {place}"
            return f"{whose}, and the gateway runs as {_name(account)}: {mend}"
    return ""


def _name(account: int) -> str:
    try:
        return pwd.getpwuid(account).pw_name
    except KeyError:
        return str(account)


def is_damage(error: Exception) -> bool:
    """Whether waiting cannot help: the file is gone, emptied, or no longer a store of ours."""
    if isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR:
        return "no such table" in str(error) or "no such column" in str(error)
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, Damaged | FileNotFoundError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in damaged


def diagnosis(path: Path, timeout: float) -> str:
    """Returns the problem of the file, checked again; empty: none. A foreign file: as in `check`."""
    if not path.exists():
        return "it is gone"
    try:
        with closing(_checked(path, timeout)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
            if lacking := _NAMES - names:
                return f"it lacks {', '.join(sorted(lacking))}"
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return str(error)
    return "" if told == "ok" else str(told)


def check(connection: sqlite3.Connection, path: Path) -> None:
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if ours != APPLICATION_ID:
        raise GatewayError(store_codes.UNREADABLE, f"{path} is not a session store of this gateway")
    if version != SCHEMA_VERSION:
        raise GatewayError(
            store_codes.UNREADABLE,
            f"{path} has schema version {version}, this release reads {SCHEMA_VERSION}: "
            "run the release that wrote it, or move the file away (everyone signs in again)",
        )


def _checked(path: Path, timeout: float) -> sqlite3.Connection:
    # Of an empty file SQLite removes the log that lies beside it, with what whoever puts the file back still needs.
    if path.exists() and not path.stat().st_size:
        raise Damaged("it is empty")
    connection = _connect(path, timeout)
    try:
        check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    """Never makes the file: a database that vanished while running is out of reach, not empty."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=timeout, isolation_level=None, uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _make_file(path: Path) -> None:
    # Only a file that nobody has yet is opened here: closing one that SQLite has open in this process would drop its
    # locks (sqlite.org/howtocorrupt.html 2.2). The -wal and -shm files get the mode of the database.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    os.chmod(path, 0o600)


def _keep_a_log(connection: sqlite3.Connection, timeout: float) -> None:
    """Kept in the file once set. Workers that start together meet here, and SQLite waits for no lock in it."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _is_empty(connection: sqlite3.Connection) -> bool:
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(objects == 0 and application == 0)


def _upgrade(connection: sqlite3.Connection) -> None:
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    while ours == APPLICATION_ID and version in _UPGRADES:
        for statement in _statements(_UPGRADES[version]):
            connection.execute(statement)
        version += 1
        connection.execute(f"PRAGMA user_version = {version}")


def _make_tables(connection: sqlite3.Connection, refuses_before: int) -> None:
    for statement in _statements(_TABLES + _NOTES + _JARS + _TOMBSTONES + _TENANTS_OF_TOMBSTONES + _ISSUE_TIMES):
        connection.execute(statement)
    connection.execute("INSERT INTO store VALUES (?, ?)", (secrets.token_hex(16), refuses_before))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _statements(script: str) -> list[str]:
    """Splits a script into statements, so that one transaction can run them: `executescript` would commit the open
    transaction."""
    statements, gathered = [], ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            statements.append(gathered)
            gathered = ""
    return statements
