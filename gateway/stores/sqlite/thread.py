"""A thread that does jobs on a database in order, so that the loop does not wait for a slow disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

JobResult = TypeVar("JobResult")
Job = Callable[[sqlite3.Connection], JobResult]

JOBS_AT_ONCE = 256
_MOST_WAITING = 20_000


class PendingJob(Generic[JobResult]):
    """A job, with the future for its caller.

    `durable`: the job's change must survive a loss of power.
    `single`: the job is a single statement and needs no explicit transaction.
    `ends`: as in records.Write.
    """

    __slots__ = ("durable", "ends", "error", "future", "job", "result", "single")

    def __init__(
        self, job: Job[JobResult], durable: bool, single: bool, ends: bool, future: asyncio.Future[JobResult]
    ) -> None:
        self.job = job
        self.durable = durable
        self.single = single
        self.ends = ends
        self.future = future
        self.result: JobResult | None = None
        self.error: Exception | None = None


class SqliteThread:
    """A thread for jobs. Errors of sqlite3 and the operating system reach the caller of the job."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked: list[PendingJob[Any]] = []
        self._open = 0
        self._moved = 0.0
        self._queue: SimpleQueue[list[PendingJob[Any]] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._closed = False
        self._ended = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(
        self, job: Job[JobResult], within: float, *, durable: bool = False, single: bool = False, ends: bool = False
    ) -> JobResult:
        """The job's result. Raises TimeoutError after `within` seconds: the job may still be done later."""
        if self._closed or self._open >= _MOST_WAITING:
            raise sqlite3.OperationalError("the store takes no more requests")
        task: PendingJob[JobResult] = PendingJob(job, durable, single, ends, self._loop.create_future())
        if not self._asked:
            # What is asked for in one turn of the loop is handed in together.
            self._loop.call_soon(self._hand_in)
        if not self._open:
            self._moved = self._loop.time()
        self._asked.append(task)
        self._open += 1
        timer = self._loop.call_later(within, _give_up, task.future)
        try:
            return await task.future
        finally:
            timer.cancel()

    def stands_for(self) -> float:
        """Returns the seconds since the last result, while jobs wait."""
        return self._loop.time() - self._moved if self._open else 0.0

    async def close(self) -> None:
        """Ends the thread after its last job."""
        if not self._closed:
            self._closed = True
            self._hand_in()
            self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _hand_in(self) -> None:
        tasks, self._asked = self._asked, []
        for start in range(0, len(tasks), JOBS_AT_ONCE):
            self._queue.put(tasks[start : start + JOBS_AT_ONCE])

    def _deliver(self, tasks: list[PendingJob[Any]]) -> None:
        self._open -= len(tasks)
        self._moved = self._loop.time()
        for task in tasks:
            if task.future.done():
                continue
            if task.error is None:
                task.future.set_result(task.result)
            else:
                task.future.set_exception(task.error)

    # --- in the thread

    def serve(self, tasks: list[PendingJob[Any]]) -> None:
        """Sets the result or the error of each task."""
        raise NotImplementedError

    def rest(self) -> None:
        """Called after results are handed to the loop."""

    def _run(self) -> None:
        going_on = True
        while going_on:
            tasks, going_on = self._gather()
            # A caller that gave up before its job began is not served: a sign-in that nobody waits for is not made.
            wanted = [task for task in tasks if not task.future.done()]
            if wanted:
                self.serve(wanted)
            self._loop.call_soon_threadsafe(self._deliver, tasks)
            self.rest()
        self._let_go()
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _gather(self) -> tuple[list[PendingJob[Any]], bool]:
        tasks: list[PendingJob[Any]] = []
        batch = self._queue.get()
        while batch is not None:
            tasks += batch
            if len(tasks) >= JOBS_AT_ONCE:
                return tasks, True
            try:
                batch = self._queue.get_nowait()
            except Empty:
                return tasks, True
        return tasks, False

    def _let_go(self) -> None:
        """Closes the connection, which rolls back an open transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
