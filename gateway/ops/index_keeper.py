"""Keeps indexes up to date with operators' files. One process, the supervisor, owns the indexes of a folder.

The keeper checks the files every two seconds. A separate process reads changed files, and puts the new index in place
as a whole.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.ops.child_process import ChildFailed, ask_once
from gateway.ops.index_files import (
    FileStatus,
    IndexStamp,
    IndexTask,
    index_file,
    note_trouble,
    read_stamp,
    read_trouble,
    statuses_of,
    trouble_file,
)
from gateway.ops.index_process import SECONDS, NoIndex, decode_result
from gateway.ops.whole_file import prepare_folder

LOOKED_EVERY: Final = 2.0
_TRIED_AGAIN: Final = 60.0
# The kernel ends a process at its limits. A process that has not answered after these further seconds hangs.
_ANSWERS_WITHIN: Final = 20.0
_NEVER: Final = float("inf")


@dataclass(slots=True)
class _Kept:
    """One index.

    `statuses`: of the files that were indexed, or tried in vain; None: no try yet.
    `again_at`: when unchanged files are tried again; monotonic seconds.
    """

    task: IndexTask
    statuses: tuple[FileStatus, ...] | None
    fails: bool
    again_at: float = _NEVER
    making: asyncio.Task[None] | None = None


class IndexKeeper:
    """Keeps the indexes in `folder`, a folder of the gateway's own that the keeper creates on first use.

    `helper`: the command that runs `index_process.serve`.
    `tell`: called with each new index, and with the first of several failures.
    """

    def __init__(
        self, folder: Path, helper: Sequence[str], tell: Callable[[IndexTask, IndexStamp | NoIndex], None]
    ) -> None:
        self._folder = folder
        self._command = (*helper, str(folder))
        self._tell = tell
        self._kept: dict[str, _Kept] = {}
        self._woken = asyncio.Event()

    async def use(self, tasks: Iterable[IndexTask]) -> None:
        """Replaces the set of tasks. Raises OSError if the folder cannot be created."""
        wanted = {task.content: task for task in tasks}
        await _end([self._kept.pop(content) for content in self._kept.keys() - wanted.keys()])
        found = await asyncio.to_thread(_prepared, self._folder, list(wanted.values()))
        self._kept = {kept.task.content: self._kept.get(kept.task.content, kept) for kept in found}
        self._woken.set()

    async def run(self) -> None:
        """Watches the files, until cancelled."""
        while True:
            self._woken.clear()
            for kept in list(self._kept.values()):
                if kept.making is None and await asyncio.to_thread(self._is_due, kept):
                    kept.making = asyncio.get_running_loop().create_task(self._make(kept))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_EVERY if self._kept else None):
                    await self._woken.wait()

    async def close(self) -> None:
        await _end(self._kept.values())

    async def make_once(self, task: IndexTask) -> IndexStamp | NoIndex:
        """Makes an index, without noting trouble."""
        question = json.dumps(task.question).encode() + b"\n"
        try:
            return await ask_once(self._command, question, decode_result, within=SECONDS + _ANSWERS_WITHIN)
        except ChildFailed as why:
            return NoIndex(str(why))

    def _is_due(self, kept: _Kept) -> bool:
        if statuses_of(kept.task.paths) != kept.statuses or time.monotonic() >= kept.again_at:
            return True
        # The folder may have lost an index that was made.
        return not kept.fails and not index_file(self._folder, kept.task.file).exists()

    async def _make(self, kept: _Kept) -> None:
        try:
            before = await asyncio.to_thread(statuses_of, kept.task.paths)
            result = await self.make_once(kept.task)
            if isinstance(result, NoIndex):
                kept.statuses, kept.again_at, detail = before, time.monotonic() + _TRIED_AGAIN, result.detail
            else:
                kept.statuses, kept.again_at, detail = result.statuses, _NEVER, ""
            note = trouble_file(self._folder, kept.task.file)
            with suppress(OSError):
                await asyncio.to_thread(note_trouble, note, detail, int(time.time()))
            if not (detail and kept.fails):
                self._tell(kept.task, result)
            kept.fails = bool(detail)
        finally:
            kept.making = None


def _prepared(folder: Path, tasks: Sequence[IndexTask]) -> list[_Kept]:
    prepare_folder(folder, [path(folder, task.file) for task in tasks for path in (index_file, trouble_file)])
    return [_found(folder, task) for task in tasks]


def _found(folder: Path, task: IndexTask) -> _Kept:
    """The state that the previous process left. After trouble, and for new content, a new try is due at once."""
    stamp = read_stamp(index_file(folder, task.file))
    fails = read_trouble(trouble_file(folder, task.file)) is not None
    is_current = stamp is not None and stamp.content == task.content and not fails
    return _Kept(task, stamp.statuses if stamp is not None and is_current else None, fails)


async def _end(ended: Iterable[_Kept]) -> None:
    making = [kept.making for kept in ended if kept.making is not None]
    for task in making:
        task.cancel()
    if making:
        await asyncio.wait(making)
