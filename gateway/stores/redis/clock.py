"""The store's time, which all nodes share. Stored lifetimes and limits follow it: a node with a wrong clock neither
lets people stay longer nor sends them away."""

import time
from collections.abc import Callable

# Seconds. Smaller differences may come from the answer's time on the way.
_NOTICED = 0.5


class StoreClock:
    """Counts on from the store's last time by the monotonic clock; before the first answer, from the machine's time."""

    def __init__(self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead = now() - monotonic()

    def now(self) -> int:
        """Unix seconds."""
        return int(self._monotonic() + self._ahead)

    def told(self, seconds: float, asked_at: float) -> None:
        """Takes over the store's time (Unix seconds) from an answer. `asked_at`: when the question was sent,
        monotonic."""
        ahead = seconds - (asked_at + self._monotonic()) / 2
        if abs(ahead - self._ahead) > _NOTICED:
            self._ahead = ahead
