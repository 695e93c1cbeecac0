"""Asks directories about a person, for a worker: all side by side, each in a thread of its own and within its time.

One that is slow or away holds up nobody who does not need it: while it owes an answer it is not asked again.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.directories.index import DirectoryIndex, index_path, read_trouble
from gateway.identity.directories import DirectoryFault, finding_of, key_of, unknown_of
from gateway.model.directory import Directory, DirectoryFinding
from gateway.model.directory_codes import DIRECTORY_KEY
from gateway.model.identity import Identity
from gateway.ops.log import Log


class _Away(Exception):
    """Why, in the operator's words."""


class FileReader:
    """The index of one directory, opened anew where another has taken its place. Of one thread."""

    def __init__(self, folder: Path, directory: Directory) -> None:
        self._folder = folder
        self._directory = directory
        self._path = index_path(folder, directory)
        self._open: tuple[tuple[int, int], DirectoryIndex] | None = None

    def finding(self, key: str, now: int) -> tuple[DirectoryFinding, tuple[DirectoryFault, ...]]:
        """Raises _Away."""
        directory = self._directory
        trouble = read_trouble(self._folder, directory)
        if trouble is not None and (directory.away != "last" or now - trouble.since >= directory.last):
            raise _Away(trouble.detail)
        try:
            rows = self._index().rows(key)
        except OSError as error:
            raise _Away(f"its file has not been read yet: {error.strerror}") from None
        except (sqlite3.Error, ValueError) as error:
            self.close()
            raise _Away(f"what was made of its file cannot be read: {type(error).__name__}") from None
        return finding_of(directory, rows, now if trouble is None else trouble.since)

    def _index(self) -> DirectoryIndex:
        status = os.stat(self._path)
        seen = status.st_ino, status.st_mtime_ns
        if self._open is None or self._open[0] != seen:
            self.close()
            self._open = seen, DirectoryIndex(self._path, self._directory)
        return self._open[1]

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None


@dataclass(slots=True)
class _Line:
    """Towards the directory `name`. `late`: it owes answers to people who no longer wait."""

    name: str
    reader: FileReader
    thread: ThreadPoolExecutor
    late: int = 0
    fails: bool = False


class Directories:
    """`now`: Unix seconds. To be asked in the loop."""

    def __init__(self, folder: Path, *, log: Log, now: Callable[[], float]) -> None:
        self._folder = folder
        self._log = log
        self._now = now
        self._lines: dict[str, _Line] = {}

    async def asked(self, directories: Iterable[Directory], identity: Identity, tenant: str | None) -> Identity:
        """The person with what those directories say that take their provider's word. Never raises: what cannot be
        had is unknown."""
        taking = [one for one in directories if one.takes(identity.provider)]
        if not taking:
            return identity
        findings = await asyncio.gather(*(self._finding(one, identity, tenant) for one in taking))
        return replace(identity, findings=tuple(findings))

    async def close(self) -> None:
        for line in self._lines.values():
            line.thread.submit(line.reader.close)
            line.thread.shutdown(wait=False)

    async def _finding(self, directory: Directory, identity: Identity, tenant: str | None) -> DirectoryFinding:
        now = int(self._now())
        key = key_of(directory, identity, tenant)
        if isinstance(key, DirectoryFault):
            return unknown_of(directory, "found", now)
        line = self._line(directory)
        try:
            finding, faults = await self._in_time(line, directory, key, now)
        except _Away as why:
            if not line.fails:
                self._log.event("directory.away", directory=directory.name, detail=str(why))
            line.fails = True
            return unknown_of(directory, "away", now)
        if line.fails:
            line.fails = False
            self._log.event("directory.recovered", directory=directory.name)
        for fault in faults:
            if fault.code is not DIRECTORY_KEY:
                self._log.event("directory.fault", directory=directory.name, code=fault.code.id, detail=fault.detail)
        return finding

    async def _in_time(
        self, line: _Line, directory: Directory, key: str, now: int
    ) -> tuple[DirectoryFinding, tuple[DirectoryFault, ...]]:
        """Raises _Away."""
        if line.late:
            raise _Away("it still owes an answer")
        under_way = asyncio.get_running_loop().run_in_executor(line.thread, line.reader.finding, key, now)
        try:
            async with asyncio.timeout(directory.timeout):
                return await asyncio.shield(under_way)
        except TimeoutError:
            line.late += 1

            def came(done: asyncio.Future[tuple[DirectoryFinding, tuple[DirectoryFault, ...]]]) -> None:
                line.late -= 1
                # Its caller is gone: the loop is not told of an error.
                done.exception()

            under_way.add_done_callback(came)
            raise _Away(f"no answer within {directory.timeout:g} s") from None

    def _line(self, directory: Directory) -> _Line:
        """A directory whose file asks otherwise than before has a new line, and its old one is let go."""
        line = self._lines.get(directory.fingerprint)
        if line is None:
            self._let_go(directory)
            thread = ThreadPoolExecutor(1, thread_name_prefix=f"directory-{directory.name}")
            line = _Line(directory.name, FileReader(self._folder, directory), thread)
            self._lines[directory.fingerprint] = line
        return line

    def _let_go(self, directory: Directory) -> None:
        for fingerprint, line in list(self._lines.items()):
            if line.name == directory.name:
                del self._lines[fingerprint]
                line.thread.submit(line.reader.close)
                line.thread.shutdown(wait=False)
