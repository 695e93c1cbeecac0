"""The right to speak of snapshots to the workers: for many bring-ups side by side, or for one rollout alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RolloutLock:
    """A rollout that waits goes before bring-ups that come after it: workers that die one by one cannot hold it off."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._together = 0
        self._alone = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            async with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            try:
                await self._changed.wait_for(lambda: not self._together)
            except BaseException:
                self._leave()
                raise
        try:
            yield
        finally:
            async with self._changed:
                self._leave()

    def _leave(self) -> None:
        self._alone = False
        self._changed.notify_all()
