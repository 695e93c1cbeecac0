"""Keeps the index of every directory's file up to date, in the supervisor."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.directories.index import task_of
from gateway.model.directory import Directory, FileSource
from gateway.ops.index_files import IndexStamp, IndexTask
from gateway.ops.index_keeper import IndexKeeper
from gateway.ops.index_process import NoIndex
from gateway.ops.log import Log

# -P: Python imports no module from the current folder.
HELPER: Final = (sys.executable, "-P", "-m", "gateway.directories.indexing")

# Seconds. A reload waits for the files of directories whose fingerprint changed.
_READY_WITHIN: Final = 60.0


class DirectoryKeeper:
    """`folder`: as in IndexKeeper."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._log = log
        self._indexes = IndexKeeper(folder, helper, self._tell)

    async def use(self, directories: Iterable[Directory]) -> None:
        """Replaces the set of directories. Raises OSError if the folder cannot be created."""
        await self._indexes.use(map(task_of, _of_files(directories)))

    async def ready(self, directories: Iterable[Directory], in_force: Mapping[str, str]) -> str:
        """Indexes the files of directories whose fingerprint changed, before a reload puts the new directories in
        force. Returns the first fault; empty: no fault.

        `in_force`: fingerprints of the directories in force, by name.
        """
        for directory in _of_files(directories):
            if in_force.get(directory.name, directory.fingerprint) == directory.fingerprint:
                continue
            task = task_of(directory)
            try:
                async with asyncio.timeout(_READY_WITHIN):
                    result = await self._indexes.make_once(task)
            except TimeoutError:
                result = NoIndex(f"the file was not read within {_READY_WITHIN:g} s")
            if isinstance(result, NoIndex):
                return f"directory {directory.name} stays as it was: {result.detail}"
            self._tell(task, result)
        return ""

    async def run(self) -> None:
        """Watches the files, until cancelled."""
        await self._indexes.run()

    async def close(self) -> None:
        await self._indexes.close()

    def _tell(self, task: IndexTask, result: IndexStamp | NoIndex) -> None:
        if isinstance(result, NoIndex):
            self._log.event("directory.unreadable", directory=task.name, detail=result.detail)
        else:
            self._log.event("directory.read", directory=task.name, rows=result.rows, keyless=result.keyless)


def _of_files(directories: Iterable[Directory]) -> Iterator[Directory]:
    """Drops the directories with a server: a look-up queries the server itself."""
    return (one for one in directories if isinstance(one.source, FileSource))
