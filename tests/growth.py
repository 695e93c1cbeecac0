"""How work grows with what it is given: counted in steps, or where C does it between two sizes on the same machine.

A limit in seconds would say how busy the machine is.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time
from types import FrameType
from typing import Any

_ROUNDS = 7
# So long a round is much longer than the clock is coarse.
_ROUND_SECONDS = 0.002

# Several times what linear work shows on a busy machine, and far from what quadratic work does between distant sizes.
_SLACK = 10


class Steps:
    """Lines of Python that this thread has run: the same at each time and on each machine."""

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        self.number += event == "line"
        return self._trace


def steps(work: Callable[[], object]) -> int:
    counting = Steps()
    with counting.counted():
        work()
    return counting.number


def is_linear(work: Callable[[int], Callable[[], object]], *, small: int, large: int) -> bool:
    """`work(size)` is the work for a size. Core time of this thread alone, the least of several rounds."""
    assert large >= 10 * small, "too near to each other to tell a line from a curve"
    most = _SLACK * large / small
    # A busy machine bends a line now and then; it straightens no curve.
    return any(_least_seconds(work(large)) < most * _least_seconds(work(small)) for _ in range(3))


def _least_seconds(work: Callable[[], object]) -> float:
    times = 1
    while (took := _round(work, times)) < _ROUND_SECONDS:
        times *= 2
    if took > 100 * _ROUND_SECONDS:
        return took / times
    return min(_round(work, times) for _ in range(_ROUNDS)) / times


def _round(work: Callable[[], object], times: int) -> float:
    began = thread_time()
    for _ in range(times):
        work()
    return thread_time() - began
