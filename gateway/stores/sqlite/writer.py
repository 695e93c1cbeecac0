"""The process's only thread that writes to the database: jobs in order, many to a commit."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from gateway.model.errors import GatewayError
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite.file import LOG_LIMIT
from gateway.stores.sqlite.mending import Mending
from gateway.stores.sqlite.room import RoomForEnds, full
from gateway.stores.sqlite.thread import PendingJob, SqliteThread

# Seconds that one commit waits for commits of other processes.
_BUSY_TIMEOUT = 2.0

# Seconds until the next attempt to shorten the log.
_SHORTENED_EVERY = 0.5

_STORE_FAULTS = (sqlite3.OperationalError, OSError, GatewayError)


class SqliteWriter(SqliteThread):
    """Raises errors of sqlite3 and of the operating system, to the caller of the failed job.

    `made`: this writer has found or made the file. The writer never makes the file a second time.
    """

    def __init__(self, path: Path, mending: Mending | None = None) -> None:
        self._path = path
        self._mending = Mending(path, None) if mending is None else mending
        self._room = RoomForEnds(path)
        self._synchronous = ""
        self._shorten_from = 0.0
        self.made = False
        super().__init__("store")

    def serve(self, tasks: list[PendingJob[Any]]) -> None:
        if not self._room.keep():
            for task in tasks:
                task.error = None if task.ends else full()
            tasks = [task for task in tasks if task.ends]
        if tasks:
            self._serve_all(tasks)

    def _serve_all(self, tasks: list[PendingJob[Any]]) -> None:
        error = self._commit(tasks)
        # A fault of the store fails all jobs. Any other fault belongs to one job: each job is then committed alone.
        alone = error is not None and len(tasks) > 1 and not isinstance(error, _STORE_FAULTS)
        for task in tasks:
            task.error = self._commit([task]) if alone else error

    def rest(self) -> None:
        self._shorten_log()

    def _commit(self, tasks: list[PendingJob[Any]]) -> Exception | None:
        """Runs all tasks in one transaction. Returns None, or the error that rolled the transaction back."""
        try:
            connection = self._connected()
            self._synchronise(connection, durable=any(task.durable for task in tasks))
            single = len(tasks) == 1 and tasks[0].single
            if not single:
                connection.execute("BEGIN IMMEDIATE")
            for task in tasks:
                task.result = task.job(connection)
            if not single:
                connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread outlives every job, and the caller gets the error
            self._mending.seen(error)
            # The next job begins with a new connection, because this one may be broken.
            self._let_go()
            return error
        return None

    def _shorten_log(self) -> None:
        """Shortens a long log, after the callers have their answers.

        Then waits before the next attempt: another process may be shortening the log, or reading for long.
        """
        now = time.monotonic()
        if self._connection is None or now < self._shorten_from or sqlite_file.log_size(self._path) <= LOG_LIMIT:
            return
        if not self._room.keep():
            # On a full disk another program would have the blocks of a log that was cut.
            return
        self._shorten_from = now + _SHORTENED_EVERY
        try:
            if sqlite_file.shorten_log(self._connection):
                self._shorten_from = now
        except sqlite3.Error:
            self._let_go()

    def _synchronise(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        """Sets the durability of a WAL database: NORMAL survives the end of the process, FULL a loss of power (an fsync
        per commit)."""
        synchronous = "FULL" if durable else "NORMAL"
        if synchronous != self._synchronous:
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous

    def _connected(self) -> sqlite3.Connection:
        if self._mending.due:
            self._let_go()
            self._mending.mend(_BUSY_TIMEOUT)
        if not self.made:
            sqlite_file.make(self._path, _BUSY_TIMEOUT, int(time.time()))
            self._mending.opened()
            self.made = True
        if self._connection is not None and self._identity != sqlite_file.identity(self._path):
            self._let_go()
        if self._connection is None:
            self._identity = sqlite_file.identity(self._path)
            self._connection = sqlite_file.writer(self._path, _BUSY_TIMEOUT)
            self._synchronous = ""
        return self._connection
