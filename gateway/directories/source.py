"""What `lookups` asks of a directory, whatever its kind, and the parts that every kind shares."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from gateway.identity.directories import DirectoryFault
from gateway.model.codes import Code
from gateway.model.directory import DirectoryFinding
from gateway.model.directory_codes import DIRECTORY_UNREACHABLE

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


class InThreads:
    """A blocking source in threads of its own, so that it fills no other's. While it owes as many answers as it has
    threads to people who no longer wait, it is not asked again."""

    def __init__(self, name: str, source: BlockingSource, at_once: int = 1) -> None:
        self._source = source
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=f"directory-{name}")
        self._owed = 0

    async def finding(self, key: str, now: int) -> FindingAndFaults:
        if self._owed >= self._at_once:
            raise DirectoryAway(DIRECTORY_UNREACHABLE, "it still owes an answer")
        under_way = asyncio.get_running_loop().run_in_executor(self._threads, self._source.finding, key, now)
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            self._owed += 1
            under_way.add_done_callback(self._came)
            raise

    def _came(self, done: asyncio.Future[FindingAndFaults]) -> None:
        self._owed -= 1
        # Its caller is gone: the loop is not told of an error.
        done.exception()

    async def close(self) -> None:
        self._threads.submit(self._source.close)
        self._threads.shutdown(wait=False)
