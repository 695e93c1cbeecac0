"""The interface of every kind of directory for `lookups`, and the parts that every kind shares."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import Final, Protocol

from gateway.identity.directories import DirectoryFault
from gateway.model.codes import directory_codes
from gateway.model.codes.code import Code
from gateway.model.directory import DirectoryFinding

FindingAndFaults = tuple[DirectoryFinding, tuple[DirectoryFault, ...]]


class DirectoryAway(Exception):
    """The source cannot answer about any person. `code` and `detail` are for the operator, and hold no value."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class DirectorySource(Protocol):
    """One directory, as a worker queries it in the event loop."""

    async def finding(self, key: str, now: int) -> FindingAndFaults:
        """Returns the finding under a key written by `identity.directories.key_of`. A caller that stops waiting cancels
        the call.
        Raises DirectoryAway.

        `now`: Unix seconds.
        """

    async def close(self) -> None: ...


class BlockingSource(Protocol):
    """A directory queried in threads. `finding` raises DirectoryAway."""

    def finding(self, key: str, now: int) -> FindingAndFaults: ...

    def close(self) -> None: ...


class ServerReader(BlockingSource, Protocol):
    """A directory with a server."""

    def look(self) -> None:
        """Checks that the server answers and accepts the gateway. Raises DirectoryAway."""


# Seconds, far longer than the timeout of any directory; and how many times threads are abandoned.
_HELD: Final = 60.0
_MOST_GIVEN_UP: Final = 16


class InThreads:
    """Runs a blocking source in threads of its own, so that a hanging source blocks no thread of a second source.

    While every thread is busy with a query whose caller has left, the source takes no new query. Threads that stay busy
    for `_HELD` seconds are abandoned, at most `_MOST_GIVEN_UP` times: a library may wait for a host name or a disk
    without a limit the gateway can set.

    `clock`: monotonic seconds.
    """

    def __init__(
        self, name: str, source: BlockingSource, at_once: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._at_once = at_once
        self._name = name
        self._clock = clock
        self._threads = self._new_threads()
        self._owed = 0
        self._owed_since = clock()
        self._given_up = 0

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._at_once, thread_name_prefix=f"directory-{self._name}")

    async def finding(self, key: str, now: int) -> FindingAndFaults:
        if self._owed >= self._at_once:
            if self._clock() - self._owed_since < _HELD or self._given_up == _MOST_GIVEN_UP:
                raise DirectoryAway(directory_codes.UNREACHABLE, "an earlier query has not ended yet")
            self._given_up += 1
            self._threads.shutdown(wait=False)
            self._threads, self._owed = self._new_threads(), 0
        threads = self._threads
        under_way = threads.submit(self._source.finding, key, now)
        try:
            return await asyncio.wrap_future(under_way)
        except asyncio.CancelledError:
            # A query still waiting for a thread is cancelled; a running query goes on to its end.
            if not under_way.cancel() and not under_way.done():
                self._owed += 1
                self._owed_since = self._clock()
                loop = asyncio.get_running_loop()
                under_way.add_done_callback(lambda _: _in_loop(loop, lambda: self._query_ended(threads)))
            raise

    def _query_ended(self, threads: ThreadPoolExecutor) -> None:
        # An abandoned query may still end.
        if threads is self._threads:
            self._owed -= 1

    async def close(self) -> None:
        """Closes the source after the running queries have ended."""

        def end() -> None:
            self._threads.shutdown(wait=True)
            self._source.close()

        Thread(target=end, name="directory-closes", daemon=True).start()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Schedules a call in the loop, from a thread that may outlive the loop."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


_FAILURES: Final = 3
_PAUSE: Final = 5.0
# Keys remembered; a failure beyond counts each time.
_MOST_KEYS: Final = 64


class SourceCircuit:
    """Pauses queries to a source that did not answer about three people in a row.

    During the pause of five seconds, people get a failure at once. After the pause, one query is let through as a
    trial. A person's record may make the source hang, so repeated failures about the same person count once.

    `clock`: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: set[str] = set()
        self._asked_again = float("-inf")
        self._sees = ""

    def enter(self, key: str) -> None:
        """Asks for leave to query. Raises DirectoryAway during a pause."""
        left = self._asked_again - self._clock()
        if left > 0:
            why = f"not queried: no answer about {_FAILURES} people in a row; the next query is in {left:.0f} s"
            raise DirectoryAway(directory_codes.UNREACHABLE, why)
        if len(self._failed) >= _FAILURES:
            self._asked_again, self._sees = self._clock() + _PAUSE, key

    def note_answer(self) -> None:
        self._failed.clear()
        self._asked_again = float("-inf")

    def note_failure(self, key: str) -> None:
        known = key in self._failed
        if len(self._failed) < _MOST_KEYS:
            self._failed.add(key)
        if len(self._failed) < _FAILURES:
            return
        if not known:
            self._asked_again = self._clock() + _PAUSE
        elif key == self._sees:
            # A repeated failure about the same person proves nothing new: let a query about another person through.
            self._asked_again = float("-inf")
