"""Keeps the index of every directory's file up to date. One process, the supervisor, owns the indexes.

The keeper checks the files every two seconds. A separate process reads a changed file, and puts the new index in place
as a whole.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.directories.index import (
    IndexStamp,
    Trouble,
    index_path,
    read_stamp,
    read_trouble,
    trouble_path,
    write_trouble,
)
from gateway.directories.indexing import (
    ANSWERS_WITHIN,
    SECONDS,
    IndexOutcome,
    decode_outcome,
    encode_directory,
)
from gateway.model.directory import Directory, FileSource
from gateway.ops.child_process import NoOutcome, ask_once
from gateway.ops.indexing import status_of
from gateway.ops.log import Log
from gateway.ops.whole_file import prepare_folder

# -P: Python imports no module from the current folder.
HELPER: Final = (sys.executable, "-P", "-m", "gateway.directories.indexing")

LOOKED_EVERY: Final = 2.0
_TRIED_AGAIN: Final = 60.0
# Seconds. A reload waits for the files of directories whose fingerprint changed.
_READY_WITHIN: Final = 60.0


@dataclass(slots=True)
class _Kept:
    """One directory and the state of its index.

    `stat`: status of the file that was indexed, or tried in vain; None: no file tried.
    `again_at`: when an unchanged file is tried again; monotonic seconds.
    """

    directory: Directory
    stat: tuple[int, ...] | None
    again_at: float = float("inf")
    fails: bool = False
    making: asyncio.Task[None] | None = None


class DirectoryKeeper:
    """Keeps the indexes in `folder`, a folder of the gateway's own that the keeper creates on first use."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._folder = folder
        self._log = log
        self._helper = helper
        self._kept: dict[str, _Kept] = {}
        self._woken = asyncio.Event()

    async def use(self, directories: Iterable[Directory]) -> None:
        """Replaces the set of directories. Raises OSError if the folder cannot be created."""
        wanted = {one.fingerprint: one for one in _of_files(directories)}
        known = await asyncio.to_thread(_prepared, self._folder, list(wanted.values()))
        before, self._kept = self._kept, {}
        for fingerprint, kept in before.items():
            if fingerprint not in wanted and kept.making is not None:
                kept.making.cancel()
        for fingerprint, directory in wanted.items():
            stamp, trouble = known[fingerprint]
            fresh = _Kept(directory, None if stamp is None else stamp.stat, fails=trouble is not None)
            self._kept[fingerprint] = before.get(fingerprint, fresh)
        self._woken.set()

    async def ready(self, directories: Iterable[Directory], in_force: Mapping[str, str]) -> str:
        """Indexes the files of directories whose fingerprint changed, before a reload puts the new directories in
        force. Returns the first fault; empty: no fault.

        `in_force`: fingerprints of the directories in force, by name.
        """
        for directory in _of_files(directories):
            if in_force.get(directory.name, directory.fingerprint) == directory.fingerprint:
                continue
            try:
                async with asyncio.timeout(_READY_WITHIN):
                    outcome = await self._outcome(directory)
            except TimeoutError:
                outcome = IndexOutcome(detail=f"it was not read within {_READY_WITHIN:g} s")
            if outcome.detail:
                return f"directory {directory.name} stays as it was: {outcome.detail}"
            self._tell_read(directory, outcome)
        return ""

    async def run(self) -> None:
        """Watches the files, until cancelled."""
        while True:
            self._woken.clear()
            for kept in list(self._kept.values()):
                if kept.making is None:
                    await self._look(kept)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_EVERY if self._kept else None):
                    await self._woken.wait()

    async def close(self) -> None:
        making = [kept.making for kept in self._kept.values() if kept.making is not None]
        for task in making:
            task.cancel()
        if making:
            await asyncio.wait(making)

    async def _look(self, kept: _Kept) -> None:
        now_is = await asyncio.to_thread(status_of, kept.directory.file.path)
        if now_is != kept.stat or time.monotonic() >= kept.again_at:
            kept.making = asyncio.get_running_loop().create_task(self._make(kept))

    async def _make(self, kept: _Kept) -> None:
        try:
            outcome = await self._outcome(kept.directory)
            kept.stat = outcome.stat
            kept.again_at = time.monotonic() + _TRIED_AGAIN if outcome.detail else float("inf")
            with suppress(OSError):
                await asyncio.to_thread(_note, self._folder, kept.directory, outcome.detail, int(time.time()))
            name = kept.directory.name
            if outcome.detail:
                if not kept.fails:
                    self._log.event("directory.unreadable", directory=name, detail=outcome.detail)
            else:
                self._tell_read(kept.directory, outcome)
            kept.fails = bool(outcome.detail)
        finally:
            kept.making = None

    def _tell_read(self, directory: Directory, outcome: IndexOutcome) -> None:
        facts = {"directory": directory.name, "rows": outcome.rows, "keyless": outcome.keyless}
        self._log.event("directory.read", **facts)

    async def _outcome(self, directory: Directory) -> IndexOutcome:
        before = await asyncio.to_thread(status_of, directory.file.path)
        command, question = (*self._helper, str(self._folder)), encode_directory(directory)
        try:
            return await ask_once(command, question, decode_outcome, within=SECONDS + ANSWERS_WITHIN, reads="it")
        except NoOutcome as why:
            return IndexOutcome(detail=str(why), stat=before)


def _of_files(directories: Iterable[Directory]) -> list[Directory]:
    """Drops the directories with a server: a look-up queries the server itself."""
    return [one for one in directories if isinstance(one.source, FileSource)]


def _prepared(folder: Path, directories: Sequence[Directory]) -> dict[str, tuple[IndexStamp | None, Trouble | None]]:
    prepare_folder(
        folder, [path for one in directories for path in (index_path(folder, one), trouble_path(folder, one))]
    )
    return {one.fingerprint: (read_stamp(index_path(folder, one)), read_trouble(folder, one)) for one in directories}


def _note(folder: Path, directory: Directory, detail: str, now: int) -> None:
    """Writes or removes the note of trouble. A note keeps the time of the first failure."""
    if not detail:
        trouble_path(folder, directory).unlink(missing_ok=True)
        return
    before = read_trouble(folder, directory)
    write_trouble(folder, directory, Trouble(now if before is None else before.since, detail))
