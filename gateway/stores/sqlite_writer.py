"""The one thread of a process that writes to its database: jobs in order, many to a commit."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from gateway.model.errors import GatewayError
from gateway.stores import sqlite_file
from gateway.stores.sqlite_file import LOG_LIMIT
from gateway.stores.sqlite_mending import Mending
from gateway.stores.sqlite_room import RoomForEnds, full
from gateway.stores.sqlite_thread import PendingJob, SqliteThread

# How long one commit waits for those of other processes.
_BUSY_TIMEOUT = 2.0

# Seconds, where it could not be shortened.
_SHORTENED_EVERY = 0.5

_STORE_FAULTS = (sqlite3.OperationalError, OSError, GatewayError)


class SqliteWriter(SqliteThread):
    """Errors are those of sqlite3 and the operating system; whoever awaits a job gets its own.

    `made`: the file was there, or was made, since this writer began. It is made then and never again.
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
        # A fault of the store is everybody's. Any other is one job's: each then stands for itself.
        alone = error is not None and len(tasks) > 1 and not isinstance(error, _STORE_FAULTS)
        for task in tasks:
            task.error = self._commit([task]) if alone else error

    def rest(self) -> None:
        self._shorten_log()

    def _commit(self, tasks: list[PendingJob[Any]]) -> Exception | None:
        """Runs all tasks in one transaction. Returns None, or the error after which no task is done."""
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
            # The next job begins with a new connection: what was wrong with this one is then not kept.
            self._let_go()
            return error
        return None

    def _shorten_log(self) -> None:
        """A process that finds the log long shortens it, after its callers have their answers.

        Then not for a while: another process may be about the same, or read on for long."""
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
        """Of a WAL database: NORMAL survives the end of the process, FULL the loss of power (an fsync each)."""
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
