"""The store's time, which all nodes share. Stored lifetimes and limits use it: a node with a wrong clock neither
lets people stay longer nor sends them away."""

import time
from collections.abc import Callable

# Seconds. What the answer took on its way is not known any better.
_NOTICED = 0.5


class StoreClock:
    """Counts on by the monotonic clock from what the store has said last; by the machine's own before it has."""

    def __init__(self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead = now() - monotonic()

    def now(self) -> int:
        """Unix seconds."""
        return int(self._monotonic() + self._ahead)

    def told(self, seconds: float, asked_at: float) -> None:
        """The store's time, in an answer to what was asked at that moment (monotonic)."""
        ahead = seconds - (asked_at + self._monotonic()) / 2
        if abs(ahead - self._ahead) > _NOTICED:
            self._ahead = ahead
