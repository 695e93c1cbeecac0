import asyncio

import pytest

from gateway.server.rollout import RolloutLock
from tests.patience import PATIENCE


class Story:
    """What happens in which order."""

    def __init__(self) -> None:
        self.lock = RolloutLock()
        self.told: list[str] = []
        self._go_on: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, name: str) -> None:
        """`r...` rolls out alone, `b...` brings up beside others; each stays until `end`."""
        self._go_on[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._one(name))
        await as_far_as_it_goes()

    async def end(self, name: str) -> None:
        self._go_on[name].set()
        await as_far_as_it_goes()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[name]
        await as_far_as_it_goes()

    async def _one(self, name: str) -> None:
        async with self.lock.alone() if name.startswith("r") else self.lock.together():
            self.told.append(f"{name} in")
            await self._go_on[name].wait()
            self.told.append(f"{name} out")


async def as_far_as_it_goes() -> None:
    """Turns of the loop, and no time: each wakes the next, and a few turns later none is left to be woken."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_workers_are_brought_up_side_by_side() -> None:
    story = Story()
    for name in ("b1", "b2"):
        await story.begin(name)
    assert story.told == ["b1 in", "b2 in"]


async def test_a_rollout_waits_for_who_is_being_brought_up_and_holds_back_who_comes_later() -> None:
    story = Story()
    for name in ("b1", "r1", "b2"):
        await story.begin(name)
    assert story.told == ["b1 in"]
    await story.end("b1")
    assert story.told == ["b1 in", "b1 out", "r1 in"]
    await story.end("r1")
    assert story.told[-2:] == ["r1 out", "b2 in"]


async def test_rollouts_go_one_after_the_other() -> None:
    story = Story()
    for name in ("r1", "r2"):
        await story.begin(name)
    assert story.told == ["r1 in"]
    await story.end("r1")
    assert story.told == ["r1 in", "r1 out", "r2 in"]


async def test_a_rollout_given_up_while_it_waits_holds_nobody_back() -> None:
    story = Story()
    for name in ("b1", "r1", "b2"):
        await story.begin(name)
    await story.cancel("r1")
    assert story.told == ["b1 in", "b2 in"]
    await story.end("b1")
    await story.end("b2")
    await story.begin("r2")
    assert story.told[-1] == "r2 in"


async def test_who_fails_leaves_all_the_same() -> None:
    lock = RolloutLock()
    for way in (lock.alone, lock.together):
        with pytest.raises(ValueError, match="no"):
            async with way():
                raise ValueError("no")
    async with asyncio.timeout(PATIENCE), lock.alone():
        pass
