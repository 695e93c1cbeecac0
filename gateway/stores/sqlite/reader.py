"""The reading thread of a process: reads do not wait for writers (WAL), and the loop does not wait for the disk."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from gateway.model.errors import GatewayError
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.sqlite.thread import PendingJob, SqliteThread

# A reader meets a lock only while a crashed writer's log is recovered, or where a stranger holds the file.
READ_AGAIN = (0.005, 0.01, 0.02, 0.05, 0.1)


class SqliteReader(SqliteThread):
    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__("store-reads")

    def serve(self, tasks: list[PendingJob[Any]]) -> None:
        for task in tasks:
            self._read(task)

    def _read(self, task: PendingJob[Any]) -> None:
        pauses = iter(READ_AGAIN)
        while True:
            try:
                task.result = task.job(self._connected())
            except (sqlite3.Error, OSError, GatewayError) as error:
                pause = next(pauses, None) if isinstance(error, sqlite3.Error) and sqlite_file.is_busy(error) else None
                if pause is None:
                    self._let_go()
                    task.error = error
                    return
                time.sleep(pause)
            except Exception as error:  # noqa: BLE001 - the thread outlives every job, and the caller gets the error
                task.error = error
                return
            else:
                return

    def _connected(self) -> sqlite3.Connection:
        """Checks the file at each read (one stat, about a microsecond), so that a vanished or replaced file is noticed
        at once."""
        found = sqlite_file.identity(self._path)
        if self._connection is None or found != self._identity:
            self._let_go()
            self._connection, self._identity = sqlite_file.reader(self._path), found
        return self._connection
