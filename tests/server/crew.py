"""A supervisor in this process whose workers do as they are told, and what the test looks at."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.ops.log import Log
from gateway.server.rollout import Patience
from gateway.server.supervisor import Supervisor
from tests.patience import PATIENCE, until
from tests.walks.place import Place

SCRIPTED = Path(__file__).with_name("scripted_worker.py")
# For workers that say nothing; the others have all the time that a busy machine needs.
QUICK = Patience(prepared=3.0, committed=3.0, up=10.0)
USUAL = Patience(prepared=PATIENCE, committed=PATIENCE, up=PATIENCE, pulse=PATIENCE)


class Crew:
    def __init__(self, place: Place, supervisor: Supervisor, log: Path, script: Path) -> None:
        self.place = place
        self.supervisor = supervisor
        self._log = log
        self._script = script

    def says(self, *lines: str) -> None:
        """What the workers' script says from here on."""
        beside = self._script.with_suffix(".new")
        beside.write_text("\n".join(lines))
        beside.replace(self._script)

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self.supervisor.fleet.workers.values()]

    def served(self) -> dict[int, str]:
        """By their own word: what each worker took last."""
        found = ((pid, Path(f"{self._script}.{pid}")) for pid in self.pids)
        return {pid: path.read_text() for pid, path in found if path.exists()}

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        decoded = [json.loads(line) for line in self._log.read_text().rpartition("\n")[0].splitlines()]
        return [line for line in decoded if event in ("", line["event"])]

    def has_patience(self, patience: Patience) -> None:
        """From here on, for what is asked of workers."""
        self.supervisor._rollout._patience = patience

    async def all_serve(self) -> str:
        """Waits until all serve the live revision, which it returns."""
        revision = ""

        def are_up() -> bool:
            nonlocal revision
            told = self.supervisor.observation.readiness()
            revision = told["revision"]
            return told["workers_serving"] == told["workers"] and set(self.served().values()) == {revision}

        await until(are_up)
        return revision

    async def reload(self, event: str, hosts: str) -> dict[str, Any]:
        """The application moves to `hosts`; the line that tells the outcome."""
        self.place.write_app("one", hosts)
        before = len(self.lines(event))
        self.supervisor.reload()
        try:
            await until(lambda: len(self.lines(event)) > before)
        except TimeoutError:
            raise AssertionError(f"no {event}: {self._log.read_text()[-2000:]}") from None
        return self.lines(event)[-1]


@asynccontextmanager
async def crewed(
    folder: Path, *, workers: int | None = 2, patience: Patience = USUAL, script: str = ""
) -> AsyncIterator[Crew]:
    """Running, with every worker up; stopped in the end."""
    place = Place(folder, workers=workers, settings={"timeouts": "{drain: 2s}"})
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "first.localhost")
    # So that the other one may move: half of the hosts stay.
    place.write_app("two", "stays.localhost")
    told, path = folder / "script", folder / "log"
    told.write_text(script)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = Log(file, strict=True)
    program = (sys.executable, str(SCRIPTED), str(told))
    supervisor = Supervisor(place.policies, log, patience=patience, program=program)
    running = asyncio.create_task(supervisor.run())
    crew = Crew(place, supervisor, path, told)
    try:
        await until(lambda: crew.lines("gateway.started") or running.done())
        if not script:
            await crew.all_serve()
        yield crew
        if script:
            await running
    finally:
        supervisor.stop()
        await running
        log.close()
        os.close(file)
