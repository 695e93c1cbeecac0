"""Queries a SQLite file about a person directly: a second program may write to the file at the same time."""

import os
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Final
from urllib.parse import quote

from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.directories.sql_rows import SqlQuestion, texts_of
from gateway.identity.directories import key_values
from gateway.model.codes import directory_codes
from gateway.model.codes.code import Code
from gateway.model.directory import Directory, SqliteSource
from gateway.model.quoting import quoted

LARGEST_RESPONSE: Final = 1 << 20
# SQLite's steps between two checks of the deadline: some 50 microseconds.
_STEPS: Final = 10_000
_IN_TIME: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT})
# Finds a view whose SELECT may contain a double-quoted name.
_QUOTING_VIEW: Final = """SELECT name FROM sqlite_master WHERE type = 'view' AND instr(sql, '"') LIMIT 1"""
_ASKED_WRONG: Final = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_AUTH})


class SqliteFileReader:
    """Looks people up in a SQLite file. Opens a replaced file again. For use by one thread at a time."""

    def __init__(self, directory: Directory, source: SqliteSource) -> None:
        self._directory = directory
        self._path = source.path
        self._question = SqlQuestion(directory, source, "?")
        self._booleans = {given.column for given in directory.gives if given.type == "boolean"}
        self._open: tuple[tuple[int, int], sqlite3.Connection] | None = None
        self._until = 0.0

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        values = key_values(self._directory, key)
        return self._question.finding(self._rows(values), values, now)

    def look(self) -> None:
        """Checks that the file is readable and accepts the SELECT. Raises DirectoryAway."""
        self._rows({part.column: None for part in self._directory.key})

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None

    def _rows(self, values: Mapping[str, str | None]) -> list[dict[str, tuple[str, ...]]]:
        self._until = time.monotonic() + self._directory.timeout
        try:
            connection = self._current()
            _refuse_views(connection)
            with closing(connection.execute(self._question.text, self._question.parameters(values))) as cursor:
                return self._read(cursor)
        except sqlite3.Error as error:
            self.close()
            raise DirectoryAway(_code_of(error), quoted(str(error))) from None
        except OSError as error:
            self.close()
            raise DirectoryAway(directory_codes.FILE, f"the file cannot be opened: {error.strerror}") from None

    def _read(self, cursor: sqlite3.Cursor) -> list[dict[str, tuple[str, ...]]]:
        found, room = [], LARGEST_RESPONSE
        for cells in cursor:
            row = {name: self._texts(name, cell) for name, cell in zip(self._question.columns, cells, strict=True)}
            room -= sum(len(text) for texts in row.values() for text in texts)
            if room < 0:
                raise DirectoryAway(directory_codes.ANSWER, f"its response has over {LARGEST_RESPONSE} bytes")
            found.append(row)
        return found

    def _texts(self, column: str, cell: object) -> tuple[str, ...]:
        """SQLite has no booleans: 1 means true, 0 means false."""
        return texts_of(bool(cell) if column in self._booleans and cell in (0, 1) else cell)

    def _current(self) -> sqlite3.Connection:
        status = os.stat(self._path)
        seen = status.st_dev, status.st_ino
        if self._open is None or self._open[0] != seen:
            self.close()
            self._open = seen, self._connect()
        return self._open[1]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(self._path)}?mode=ro",
            uri=True,
            timeout=self._directory.timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        if sys.version_info >= (3, 12):
            # Otherwise SQLite reads a double-quoted name without a matching column as a text, the same for every person
            # (its quirk 8). The schema refuses such names in the SELECT; a view in the file may contain such names.
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_RESPONSE)
        connection.set_progress_handler(lambda: time.monotonic() > self._until, _STEPS)
        # Bytes that are not UTF-8 become characters that no value may hold.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return connection


def _refuse_views(connection: sqlite3.Connection) -> None:
    """Raises DirectoryAway if SQLite could read a double-quoted name in a view as a text, which Python 3.11 cannot
    forbid.
    """
    if sys.version_info < (3, 12):
        with closing(connection.execute(_QUOTING_VIEW)) as found:
            view = found.fetchone()
        if view is not None:
            detail = f"the view {quoted(str(view[0]))} has double quotes, which need Python 3.12: write [name] instead"
            raise DirectoryAway(directory_codes.ANSWER, detail)


def _code_of(error: sqlite3.Error) -> Code:
    # The low byte of an extended error code is the primary code.
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if primary in _IN_TIME:
        return directory_codes.UNREACHABLE
    return directory_codes.ANSWER if primary in _ASKED_WRONG else directory_codes.FILE
