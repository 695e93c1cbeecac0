"""A program that the demo starts, and stops by its own process group."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_TAIL_LINES = 20


class Successor:
    """A process that a child of the demo started in its own place. Its exit status is not known: 0 stands for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._file = os.pidfd_open(pid)
        # One reader for every task that waits: a task that is cancelled takes it from no other.
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._file, self._note_end)

    async def wait(self) -> int:
        await self._ended.wait()
        return 0

    def _note_end(self) -> None:
        self._loop.remove_reader(self._file)
        os.close(self._file)
        self.returncode = 0
        self._ended.set()

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self._file, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Child:
    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: asyncio.subprocess.Process | Successor = process
        self._group = process.pid

    @classmethod
    async def start(cls, name: str, command: Sequence[str], *, folder: Path, log: Path) -> "Child":
        """In `folder`, its output at the end of `log`. Raises OSError.

        In a session of its own, so that Ctrl-C reaches the demo alone.
        """
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    async def ended(self) -> int:
        return await self._process.wait()

    async def stop(self, within: float) -> int:
        """SIGTERM; after `within` seconds SIGKILL to it and to all that it started in its session."""
        if self.status is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), within)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(self._group, signal.SIGKILL)
        return await self._process.wait()

    def follow(self, pid: int) -> None:
        """The process `pid`, which this child started, is the child from now on."""
        self._process = Successor(pid)

    def signal_reload(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    def tail(self) -> str:
        """The last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
