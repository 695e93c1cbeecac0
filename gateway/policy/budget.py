"""A bound on the work of one decision: while a decision runs, every other request of the worker waits.

Steps are counted before the work: the same rules, person and request get the same decision on every machine. A count
may be too low, for an expression above all. So a clock ends a decision that takes far longer than its steps.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

MOST_STEPS: Final = 2_000_000
"""A step is some 5 ns, so a decision takes some 10 ms at most."""
_BETWEEN_LOOKS: Final = 20_000
"""Steps. A usual decision never looks at the clock."""
_BY_THE_WALL: Final = 0.03
_BY_THE_THREAD: Final = 0.02
"""Seconds by the clock on the wall, then seconds of the thread alone: a machine busy with other work ends no
decision."""


class Clocks(NamedTuple):
    """Both return seconds."""

    wall: Callable[[], float]
    """Monotonic."""
    thread: Callable[[], float]
    """The time for which a processor ran this thread."""


class Budget:
    """The steps and the time that are left for the conditions of one decision.

    Conditions are evaluated in the order of the files. A condition that costs more than the rest of the budget is
    unknown, and so is every later condition. The time begins with the first look at the clocks.
    """

    __slots__ = ("_busy_until", "_clocks", "_left", "_look_below", "_wall_until")

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._left = MOST_STEPS
        self._look_below = MOST_STEPS - _BETWEEN_LOOKS
        self._wall_until = self._busy_until = 0.0

    def renew(self) -> "Budget":
        """Gives the next part of the same decision all steps. The time goes on."""
        self._left = MOST_STEPS
        self._look_below = MOST_STEPS - _BETWEEN_LOOKS
        return self

    def spend(self, steps: int) -> bool:
        """Whether so many steps were left, and time."""
        self._left = left = self._left - steps
        if left >= self._look_below:
            return True
        self._look_below = max(0, left - _BETWEEN_LOOKS)
        return not self.is_exceeded

    @property
    def is_exceeded(self) -> bool:
        if self._left >= 0 and self._is_late():
            self._left = -1
        return self._left < 0

    def _is_late(self) -> bool:
        now = self._clocks.wall()
        if not self._wall_until:
            self._wall_until = now + _BY_THE_WALL
        if now < self._wall_until:
            return False
        busy = self._clocks.thread()
        if not self._busy_until:
            self._busy_until = busy + _BY_THE_THREAD
        return busy >= self._busy_until
