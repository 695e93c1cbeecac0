"""The longest that a loop just stood still."""

from collections import deque


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
