"""What a gateway that runs as a process says in its log and on its admin listener; which processes it has."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.metrics import measured, samples_in
from tests.patience import PATIENCE

PAUSE = 0.02

Line = dict[str, Any]


class Running:
    def __init__(self, log: Path, admin_port: int) -> None:
        self.log = log
        self._admin_port = admin_port

    # --- its log ---

    def mark(self) -> int:
        """Where the log ends now."""
        return self.log.stat().st_size

    def text(self, mark: int = 0) -> str:
        return self.log.read_bytes()[mark:].decode("utf-8", "replace")

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
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise AssertionError(f"not in the log: {fields}; there is {self.text(mark)[-2000:]}") from None
        return found[number - 1]

    # --- its admin listener ---

    async def admin(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self._admin_port}{path}"
        async with aiohttp.request(method, url, headers=headers) as answer:
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


def workers_of(supervisor: int) -> list[int]:
    return [pid for pid in children_of(supervisor) if is_worker(pid)]


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants_of(pid: int) -> list[int]:
    children = children_of(pid)
    return [*children, *(each for child in children for each in descendants_of(child))]


def is_worker(pid: int) -> bool:
    """Not of one that has gone meanwhile."""
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
