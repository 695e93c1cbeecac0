"""`ecluse serve` as a process: its workers, its log, its admin listener."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from gateway.model.events import EVENTS
from tests.metrics import measured, samples_in
from tests.patience import PATIENCE
from tests.walks.place import Place

SERVE = (sys.executable, "-m", "gateway", "serve", "policies")
READY_WITHIN = 120.0
_PAUSE = 0.02

Line = dict[str, Any]


class Gateway:
    """`environment`: beside this process's own. Standard output is the log, a file, or what `output` says (a
    descriptor); standard error has a file of its own, or what `errors` says."""

    def __init__(
        self,
        place: Place,
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
        self._log = place.folder / "gateway.log"
        self._errors = place.folder / "gateway.errors"
        self._process: asyncio.subprocess.Process | None = None

    # --- its life ---

    async def launch(self) -> None:
        with self._log.open("ab") as log, self._errors.open("ab") as errors:
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
                await asyncio.sleep(_PAUSE)

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
        return [pid for pid in children_of(self.pid) if is_worker(pid)]

    # --- its words ---

    def mark(self) -> int:
        return self._log.stat().st_size

    def text(self, mark: int = 0) -> str:
        return self._log.read_bytes()[mark:].decode("utf-8", "replace")

    def errors(self) -> str:
        return self._errors.read_text()

    def lines(self, mark: int = 0, **fields: object) -> list[Line]:
        """Those with these fields. A line that is no JSON raises: nothing else is written there."""
        # The last may be half written.
        whole = self.text(mark).rpartition("\n")[0]
        decoded = [json.loads(line) for line in whole.splitlines()]
        return [line for line in decoded if fields.items() <= line.items()]

    async def logged(self, mark: int, *, within: float = PATIENCE, number: int = 1, **fields: object) -> Line:
        """The line of this number with these fields. AssertionError if it does not come."""
        try:
            async with asyncio.timeout(within):
                while len(found := self.lines(mark, **fields)) < number:
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise AssertionError(f"not in the log: {fields}; there is {self.text(mark)[-2000:]}") from None
        return found[number - 1]

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
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise AssertionError(f"no outcome: {self.text(mark)}") from None
        assert told[0]["event"] == event, told[0]
        return told[0]

    def _outcomes(self, mark: int) -> list[Line]:
        return [line for line in self.lines(mark) if line["event"] in ("config.loaded", "config.refused")]

    # --- its admin listener ---

    async def admin(self, path: str) -> tuple[int, str]:
        async with aiohttp.request("GET", f"http://127.0.0.1:{self.place.admin_port}{path}") as answer:
            return answer.status, await answer.text()

    async def readiness(self) -> Line:
        _, text = await self.admin("/readyz")
        told = json.loads(text)
        assert isinstance(told, dict)
        return told

    async def metrics(self) -> dict[str, float]:
        """By name and labels as exposed, and by name alone their sum."""
        _, text = await self.admin("/metrics")
        return samples_in(text)

    async def measured(self, holds: Callable[[dict[str, float]], object]) -> dict[str, float]:
        """The metrics once they are so. AssertionError if they never are."""
        return await measured(self.metrics, holds)

    async def _readiness(self) -> Line:
        try:
            return await self.readiness()
        except aiohttp.ClientError:
            return {}


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_worker(pid: int) -> bool:
    try:
        return b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def runs(pid: int) -> bool:
    """Neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
