"""One timer for all connections of a worker: deadlines are plain attributes, looked at in turns.

Setting a deadline costs one assignment on the fast lane; there is no timer object per request.
"""

import asyncio
import math
from typing import Final, Protocol

NEVER: Final = math.inf

# Each connection is looked at every TURNS * tick seconds: 20,000 of them cost about 0.2 ms per tick.
_TURNS: Final = 4
_TICK: Final = 0.125


class Timed(Protocol):
    """`deadline`: seconds on the loop's clock, or NEVER."""

    deadline: float

    def expired(self) -> None: ...


class Timers:
    """`now`: the loop's clock at the last tick; exact enough for deadlines, and costs nothing to read."""

    __slots__ = ("_handle", "_next", "_shares", "_smallest", "_tick", "loop", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: float = _TICK) -> None:
        self.loop = loop
        self._tick = tick
        self._shares: tuple[set[Timed], ...] = tuple(set() for _ in range(_TURNS))
        self._smallest = 0
        self._next = 0
        self._handle: asyncio.TimerHandle | None = None
        self.now = loop.time()

    def start(self) -> None:
        self._handle = self.loop.call_later(self._tick, self._turn)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def watch(self, item: Timed) -> int:
        """The share to give back to `forget`."""
        self._smallest = (self._smallest + 1) % _TURNS
        self._shares[self._smallest].add(item)
        return self._smallest

    def forget(self, item: Timed, share: int) -> None:
        self._shares[share].discard(item)

    def _turn(self) -> None:
        self._handle = self.loop.call_later(self._tick, self._turn)
        now = self.now = self.loop.time()
        self._next = (self._next + 1) % _TURNS
        late = [item for item in self._shares[self._next] if item.deadline <= now]
        for item in late:
            item.expired()
