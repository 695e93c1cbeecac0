"""`ecluse serve` as a process that a test starts and stops."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from gateway.model.events import EVENTS
from tests.patience import PATIENCE
from tests.running import PAUSE, Line, Running, is_worker, workers_of
from tests.walks.place import Place

SERVE = (sys.executable, "-m", "gateway", "serve", "policies")
READY_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Where:
    """A policy folder that a test writes itself, as `policies` in `folder`."""

    folder: Path
    admin_port: int


class Gateway(Running):
    """`place`: its `policies` are served. `environment`: beside this process's own. Standard output is the log, a file,
    or what `output` says (a descriptor); standard error has a file of its own, or what `errors` says."""

    def __init__(
        self,
        place: Place | Where,
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = SERVE,
        output: int | None = None,
        errors: int | None = None,
    ) -> None:
        self.place = place
        self._environment = {**os.environ, **(environment or {})}
        self.command = command
        self._output = output
        self._terminal = errors
        super().__init__(place.folder / "gateway.log", place.admin_port)
        self._errors = place.folder / "gateway.errors"
        self._process: asyncio.subprocess.Process | None = None

    # --- its life ---

    async def launch(self) -> None:
        with self.log.open("ab") as log, self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.place.folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log if self._output is None else self._output,
                stderr=errors if self._terminal is None else self._terminal,
                start_new_session=True,
            )

    async def start(self) -> "Gateway":
        """Returns when every worker serves."""
        await self.launch()
        await self.serving()
        return self

    async def serving(self, *, without: Sequence[int] = ()) -> None:
        """Waits until every worker serves, and none of `without` is one of them."""
        async with asyncio.timeout(READY_WITHIN):
            while True:
                assert self.status is None, f"ended with {self.status}: {self.errors()} {self.text()[-2000:]}"
                told, workers = await self._readiness(), self.workers()
                if told and told["workers_serving"] == told["workers"] == len(workers) and not {*without} & {*workers}:
                    return
                await asyncio.sleep(PAUSE)

    async def ended(self, within: float = PATIENCE) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), within)

    async def stop(self) -> int:
        if self.status is None:
            self.signal(signal.SIGTERM)
        return await self.ended()

    async def end(self) -> None:
        """After a test, whatever became of it."""
        if self._process is None:
            return
        family = [self.pid, *self.workers()]
        if self.status is None:
            for pid in family:
                _signal(pid, signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                await self.ended(30)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        for pid in family[1:]:
            if is_worker(pid):
                _signal(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        return None if self._process is None else self._process.returncode

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def workers(self) -> list[int]:
        return workers_of(self.pid)

    # --- its words ---

    def errors(self) -> str:
        return self._errors.read_text()

    def is_clean(self, *, but: Sequence[str] = ()) -> None:
        """No fault, no unknown event, nothing on standard error; `but`: events that this test calls for."""
        bad = {"gateway.fault", "log.unknown_event", "log.dropped", "worker.died", "worker.not_started"} - {*but}
        assert not [line for line in self.lines() if line["event"] in bad or line["event"] not in EVENTS]
        assert not self.errors()

    # --- reload ---

    async def reload(self, event: str = "config.loaded") -> Line:
        """SIGHUP; the line that tells the outcome."""
        mark = self.mark()
        self.signal(signal.SIGHUP)
        try:
            async with asyncio.timeout(PATIENCE):
                while not (told := self._outcomes(mark)):
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise AssertionError(f"no outcome: {self.text(mark)}") from None
        assert told[0]["event"] == event, told[0]
        return told[0]

    def _outcomes(self, mark: int) -> list[Line]:
        return [line for line in self.lines(mark) if line["event"] in ("config.loaded", "config.refused")]

    async def _readiness(self) -> Line:
        try:
            return await self.readiness()
        except aiohttp.ClientError:
            return {}


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
