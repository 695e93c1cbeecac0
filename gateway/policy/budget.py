"""A bound on the work of one decision: while a decision runs, every other request of the worker waits."""

from typing import Final

MOST_STEPS: Final = 2_000_000
"""A step is some 5 ns, so a decision takes some 10 ms at most."""


class Budget:
    """The steps that are left for the conditions of one decision.

    Conditions are evaluated in the order of the files. A condition that costs more than the rest of the budget is
    unknown, and so is every later condition."""

    __slots__ = ("_left",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int) -> bool:
        """Whether so many steps were left."""
        self._left -= steps
        return self._left >= 0

    @property
    def is_exceeded(self) -> bool:
        return self._left < 0
