"""The longest that a loop just stood still, by what it did itself: not while the machine gave the core to others."""

import os
import threading
from collections import deque


class Waited:
    """How long the calling thread has been ready to run without being let (Linux schedstat), in seconds in all.

    A page of ours that takes long, a write that blocks: these are stops. A core shared with other programs is not.
    """

    def __init__(self) -> None:
        try:
            path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def seconds(self) -> float:
        """0.0 where the kernel does not tell: all is then counted as ours."""
        if self._file < 0:
            return 0.0
        return int(os.pread(self._file, 100, 0).split()[1]) / 1e9


class Stops:
    """`kept`: seconds that a stop is told of. One figure a second is kept, however often the loop is looked at."""

    def __init__(self, kept: int = 10) -> None:
        self._worst: deque[tuple[int, float]] = deque(maxlen=kept + 1)
        self._kept = kept

    def add(self, now: float, seconds: float) -> None:
        """`now`: monotonic seconds."""
        second = int(now)
        if self._worst and self._worst[-1][0] == second:
            seconds = max(seconds, self._worst.pop()[1])
        self._worst.append((second, seconds))

    def longest(self, now: float) -> float:
        return max((stop for second, stop in self._worst if second >= int(now) - self._kept), default=0.0)
