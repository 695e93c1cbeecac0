"""The supervisor's side of the metadata helper process: starts the helper on demand and stops an idle helper."""

import asyncio
import sys
from collections.abc import Sequence

from gateway.federation.metadata_process import FetchOutcome, FetchTask, decode_outcome, encode_task
from gateway.ops.child_process import ChildFailed, kill, start

# -P: Python imports no module from the current folder.
HELPER = (sys.executable, "-P", "-m", "gateway.federation.metadata_process")

# The kernel ends a try at its limits. A helper that has not reported so after these further seconds hangs.
ANSWERS_WITHIN = 20.0
# Seconds. Loading a child's modules takes half a second of processor, too much for each of thousands of sources.
_KEPT_FOR = 30.0


class Helper:
    """Runs at most one helper process. The helper and its children form a process group, and `close` kills the
    whole group.
    """

    def __init__(self, command: Sequence[str] = HELPER) -> None:
        self._command = command
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None

    async def outcome(self, task: FetchTask) -> FetchOutcome:
        """Has the helper carry out `task` and returns the outcome. Raises ChildFailed."""
        if self._leaving is not None:
            self._leaving.cancel()
        async with self._starting:
            if self._running is None or self._running.has_ended:
                self._running = await _Running.started(self._command)
        running = self._running
        try:
            async with asyncio.timeout(task.limits.seconds + ANSWERS_WITHIN):
                return await running.outcome(task)
        except TimeoutError as error:
            await running.end()
            raise ChildFailed(f"the helper process sent nothing for {task.limits.seconds:g} s and more") from error
        finally:
            if not running.is_busy:
                loop = asyncio.get_running_loop()
                self._leaving = loop.call_later(_KEPT_FOR, running.leave)

    async def close(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        if self._running is not None:
            await self._running.end()


class _Running:
    def __init__(
        self, process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout
        self._asked: dict[str, asyncio.Future[FetchOutcome]] = {}
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def started(cls, command: Sequence[str]) -> "_Running":
        process = await start(command)
        if process.stdin is None or process.stdout is None:
            raise ChildFailed("the helper process has no pipes")
        return cls(process, process.stdin, process.stdout)

    @property
    def has_ended(self) -> bool:
        return self._listening.done() or self._stdin.is_closing()

    @property
    def is_busy(self) -> bool:
        return bool(self._asked)

    async def outcome(self, task: FetchTask) -> FetchOutcome:
        if self.has_ended:
            raise ChildFailed("the helper process has ended")
        asked: asyncio.Future[FetchOutcome] = asyncio.get_running_loop().create_future()
        self._asked[task.source.id] = asked
        self._stdin.write(encode_task(task))
        try:
            return await asked
        finally:
            self._asked.pop(task.source.id, None)

    def leave(self) -> None:
        """The helper ends by itself when its standard input is closed."""
        self._stdin.close()

    async def end(self) -> None:
        kill(self._process)
        await asyncio.wait((self._listening,))

    async def _listen(self) -> None:
        why = ""
        try:
            async for line in self._stdout:
                outcome = decode_outcome(line)
                asked = self._asked.pop(outcome.source_id, None)
                if asked is not None and not asked.done():
                    asked.set_result(outcome)
        except (ValueError, KeyError, TypeError):
            why = "the helper process sent an invalid result"
        finally:
            # Also if the helper only closed its end of the pipe: no child may outlive the helper.
            kill(self._process)
            status = await self._process.wait()
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(ChildFailed(why or f"the helper process ended with status {status}"))
