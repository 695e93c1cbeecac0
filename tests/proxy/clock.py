"""The data plane's loop with a time of its own: it stands still until a test lets some pass.

So no deadline runs out because the machine is slow, and none has to be waited for.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any


class _Later:
    def __init__(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        self._callback = callback
        self._args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        if not self.cancelled:
            self._callback(*self._args)


class Clock:
    """In all but its time it is the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._now = loop.time()
        self._later: list[tuple[float, int, _Later]] = []
        self._numbers = count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> _Later:
        later = _Later(callback, args)
        heappush(self._later, (self._now + delay, next(self._numbers), later))
        return later

    async def passes(self, seconds: float) -> None:
        """What is due in these seconds is called, in its order, each in a turn of the loop."""
        end = self._now + seconds
        while self._later and self._later[0][0] <= end:
            self._now, _, later = heappop(self._later)
            later.run()
            await asyncio.sleep(0)
        self._now = end
