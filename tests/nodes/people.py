"""People at work through HAProxy, and what becomes of each of their requests."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from tests.nodes.machines import NODES
from tests.walks.load import Load
from tests.walks.world import World, ask, request

# Seconds: what a person waits for a page before giving up.
_WAITS = 20.0


@dataclass
class People:
    """`held`: cookies of people who signed in before anything was broken, all of whose sessions a replica has."""

    world: World
    held: list[str] = field(default_factory=list)
    signed_in: list[float] = field(default_factory=list)
    not_signed_in: int = 0
    loads: list[Load] = field(default_factory=list)
    _stopping: bool = False
    _rested: float = 0.0

    async def come(self, number: int) -> None:
        for _ in range(number):
            self.held.append(self.world.cookie(await self.world.signed_in()))

    def work(self) -> list[asyncio.Task[None]]:
        """Each asks for a page thirty times a second; beside them somebody signs in three times a second."""
        tasks = [asyncio.create_task(self._sign_in())]
        for cookie in self.held:
            load = Load(self.world.place.url(), partial(_asking, cookie), ["/x"], pause=0.03)
            self.loads.append(load)
            tasks.append(asyncio.create_task(load.kept(0)))
        return tasks

    async def rest(self, tasks: list[asyncio.Task[None]]) -> None:
        self._stopping = True
        self._rested = time.monotonic()
        for load in self.loads:
            load.stop()
        await asyncio.wait(tasks, timeout=_WAITS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sign_in(self) -> None:
        while not self._stopping:
            try:
                async with asyncio.timeout(_WAITS):
                    await self.world.signed_in("bob")
                self.signed_in.append(time.monotonic())
            except (AssertionError, OSError, TimeoutError):
                self.not_signed_in += 1
            await self.world.leave()
            await asyncio.sleep(0.3)

    # --- what came of it

    def statuses(self) -> Counter[int]:
        """0: no answer."""
        return Counter(asked.status for load in self.loads for asked in load.done)

    def longest_without(self) -> float:
        """The longest time in which nobody could sign in, in seconds; to the end where nobody could any more."""
        moments = [*self.signed_in, max(self._rested, *self.signed_in)]
        return max((b - a for a, b in pairwise(moments)), default=0.0)

    async def lost(self) -> int:
        """Of those who were there before, who is not known any more at some node."""
        known = [
            [(await ask(f"http://{address}:8080", "/x", cookie)).status for address in NODES.values()]
            for cookie in self.held
        ]
        return sum(statuses != [200] * len(NODES) for statuses in known)


def _asking(cookie: str, target: str) -> bytes:
    return request(target, cookie)
