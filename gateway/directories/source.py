"""What `lookups` asks of a directory, whatever its kind, and the parts that every kind shares."""

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
    """The source cannot say anything of anybody. `code` and `detail` are for the operator, and hold no value."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class DirectorySource(Protocol):
    """One directory, as a worker asks it in the loop."""

    async def finding(self, key: str, now: int) -> FindingAndFaults:
        """What it says under a key that `identity.directories.key_of` has written. `now`: Unix seconds. Raises
        DirectoryAway; whoever waits no longer cancels."""

    async def close(self) -> None: ...


class BlockingSource(Protocol):
    """The same, of threads. `finding` raises DirectoryAway."""

    def finding(self, key: str, now: int) -> FindingAndFaults: ...

    def close(self) -> None: ...


class ServerReader(BlockingSource, Protocol):
    """Of a kind that has a server."""

    def look(self) -> None:
        """Whether it answers, and lets us in. Raises DirectoryAway."""


# Seconds, far beyond the timeout of any directory; and how many times threads are given up.
_HELD: Final = 60.0
_MOST_GIVEN_UP: Final = 16


class InThreads:
    """A blocking source in threads of its own, so that it fills no other's. While it owes as many answers as it has
    threads to people who no longer wait, it is not asked again. Threads that do not come back are given up: how long a
    library waits for names of hosts or a disk is not ours to say. `clock`: monotonic seconds."""

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
                raise DirectoryAway(directory_codes.UNREACHABLE, "it still owes an answer")
            self._given_up += 1
            self._threads.shutdown(wait=False)
            self._threads, self._owed = self._new_threads(), 0
        threads = self._threads
        under_way = threads.submit(self._source.finding, key, now)
        try:
            return await asyncio.wrap_future(under_way)
        except asyncio.CancelledError:
            # What waits for a thread is let go; what is under way goes on to its end.
            if not under_way.cancel() and not under_way.done():
                self._owed += 1
                self._owed_since = self._clock()
                loop = asyncio.get_running_loop()
                under_way.add_done_callback(lambda _: _in_loop(loop, lambda: self._came(threads)))
            raise

    def _came(self, threads: ThreadPoolExecutor) -> None:
        # One that was given up may come all the same.
        if threads is self._threads:
            self._owed -= 1

    async def close(self) -> None:
        """What is under way comes to its end first."""

        def end() -> None:
            self._threads.shutdown(wait=True)
            self._source.close()

        Thread(target=end, name="directory-closes", daemon=True).start()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """From a thread that may be longer there than the loop is."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


_FAILURES: Final = 3
_PAUSE: Final = 5.0
# Keys that are remembered; what comes beyond counts each time.
_MOST_KEYS: Final = 64


class SourceCircuit:
    """A source that did not answer about three people, with no answer between, is left alone for five seconds, and its
    people are told at once; then one look-up goes to see. What it keeps about one person may be such that nothing is
    answered: however often they are asked about, that counts once. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: set[str] = set()
        self._asked_again = float("-inf")
        self._sees = ""

    def enter(self, key: str) -> None:
        """Before a look-up. Raises DirectoryAway during a pause."""
        left = self._asked_again - self._clock()
        if left > 0:
            why = f"not asked: it did not answer about {_FAILURES} people in a row; asked again in {left:.0f} s"
            raise DirectoryAway(directory_codes.UNREACHABLE, why)
        if len(self._failed) >= _FAILURES:
            self._asked_again, self._sees = self._clock() + _PAUSE, key

    def answered(self) -> None:
        self._failed.clear()
        self._asked_again = float("-inf")

    def failed(self, key: str) -> None:
        known = key in self._failed
        if len(self._failed) < _MOST_KEYS:
            self._failed.add(key)
        if len(self._failed) < _FAILURES:
            return
        if not known:
            self._asked_again = self._clock() + _PAUSE
        elif key == self._sees:
            # It says nothing new: somebody else goes to see.
            self._asked_again = float("-inf")
