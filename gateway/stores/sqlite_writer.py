"""The one thread of a process that writes to its database: jobs in order, many to a commit."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from gateway.model.errors import GatewayError
from gateway.stores import sqlite_file
from gateway.stores.sqlite_file import LOG_LIMIT
from gateway.stores.sqlite_mending import Mending

Result = TypeVar("Result")
Job = Callable[[sqlite3.Connection], Result]

_JOBS_AT_ONCE = 256
_MOST_WAITING = 20_000

# How long one commit waits for those of other processes.
_BUSY_TIMEOUT = 2.0

# Seconds, where it could not be shortened.
_SHORTENED_EVERY = 0.5

_STORE_FAULTS = (sqlite3.OperationalError, OSError, GatewayError)


class _Task(Generic[Result]):
    """A job with the place where its caller waits. `durable`: it must outlive a loss of power, too. `single`: it is one
    statement, which needs no other to be a transaction."""

    __slots__ = ("durable", "error", "future", "job", "result", "single")

    def __init__(self, job: Job[Result], durable: bool, single: bool, future: asyncio.Future[Result]) -> None:
        self.job = job
        self.durable = durable
        self.single = single
        self.future = future
        self.result: Result | None = None
        self.error: Exception | None = None


class SqliteWriter:
    """Errors are those of sqlite3 and the operating system; whoever awaits a job gets its own.

    `made`: the file was there, or was made, since this writer began. It is made then and never again.
    """

    def __init__(self, path: Path, mending: Mending | None = None) -> None:
        self._path = path
        self._mending = Mending(path, None) if mending is None else mending
        self._loop = asyncio.get_running_loop()
        self._asked: list[_Task[Any]] = []
        self._open = 0
        self._queue: SimpleQueue[list[_Task[Any]] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._synchronous = ""
        self._identity = (0, 0)
        self._closed = False
        self._shorten_from = 0.0
        self.made = False
        self._ended = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def run(self, job: Job[Result], within: float, *, durable: bool = False, single: bool = False) -> Result:
        """The job's result once it is committed. Raises TimeoutError: it may yet be done, or not."""
        if self._closed or self._open >= _MOST_WAITING:
            raise sqlite3.OperationalError("the store takes no more writes")
        task: _Task[Result] = _Task(job, durable, single, self._loop.create_future())
        if not self._asked:
            # What is asked for in one turn of the loop shares a commit.
            self._loop.call_soon(self._hand_in)
        self._asked.append(task)
        self._open += 1
        timer = self._loop.call_later(within, _give_up, task.future)
        try:
            return await task.future
        finally:
            timer.cancel()

    def _hand_in(self) -> None:
        tasks, self._asked = self._asked, []
        for start in range(0, len(tasks), _JOBS_AT_ONCE):
            self._queue.put(tasks[start : start + _JOBS_AT_ONCE])

    async def close(self) -> None:
        """When all that was asked for is written."""
        if not self._closed:
            self._closed = True
            self._hand_in()
            self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _deliver(self, tasks: list[_Task[Any]]) -> None:
        self._open -= len(tasks)
        for task in tasks:
            if task.future.done():
                continue
            if task.error is None:
                task.future.set_result(task.result)
            else:
                task.future.set_exception(task.error)

    # --- in the thread

    def _run(self) -> None:
        going_on = True
        while going_on:
            tasks, going_on = self._gather()
            # Who has given up before it began is not served: a sign-in that nobody waits for is not made.
            wanted = [task for task in tasks if not task.future.done()]
            if wanted:
                self._serve(wanted)
            self._loop.call_soon_threadsafe(self._deliver, tasks)
            self._shorten_log()
        self._let_go()
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _gather(self) -> tuple[list[_Task[Any]], bool]:
        tasks: list[_Task[Any]] = []
        batch = self._queue.get()
        while batch is not None:
            tasks += batch
            if len(tasks) >= _JOBS_AT_ONCE:
                return tasks, True
            try:
                batch = self._queue.get_nowait()
            except Empty:
                return tasks, True
        return tasks, False

    def _serve(self, tasks: list[_Task[Any]]) -> None:
        error = self._commit(tasks)
        # A fault of the store is everybody's. Any other is one job's: each then stands for itself.
        alone = error is not None and len(tasks) > 1 and not isinstance(error, _STORE_FAULTS)
        for task in tasks:
            task.error = self._commit([task]) if alone else error

    def _commit(self, tasks: list[_Task[Any]]) -> Exception | None:
        """All of these in one transaction, or none and why."""
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
        """Whoever finds the log long shortens it, after its callers have their answers. Then not for a while: another
        process may be about the same, or read on for long."""
        now = time.monotonic()
        if self._connection is None or now < self._shorten_from or sqlite_file.log_size(self._path) <= LOG_LIMIT:
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

    def _let_go(self) -> None:
        """Closing rolls back what is open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
