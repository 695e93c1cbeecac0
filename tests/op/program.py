"""A provider as a program of its own, for as long as a `with` lasts."""

import select
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 120.0
STOP_SECONDS = 30.0


class Program:
    """It says one line when it listens, and ends when its standard input does. What starts one is `start`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._messages):
            if pipe is not None:
                pipe.close()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def said(self) -> str:
        self._messages.seek(0)
        return self._messages.read().decode(errors="replace")[-4000:]

    def _announced(self, command: Sequence[str | Path]) -> bytes:
        """The line that it says. RuntimeError, with what it printed, if it does not."""
        # A file cannot fill up as a pipe would.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._messages
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            how = (
                f"ended with {self._process.wait(STOP_SECONDS)}" if ready else f"said nothing in {START_SECONDS:.0f} s"
            )
            said = self.said()
            self.stop()
            raise RuntimeError(f"{self._name} {how}: {said}")
        return line
