"""Which source is fetched next. A value that knows no clock and no process, so that 5,000 sources can be tried on it.

One organisation's server must not hold up the others' (invariant 15): a source that needed more than is usual waits in
a lane of its own from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FetchLane = Literal["usual", "large", "slow"]

# How many are fetched at once. Each is a process: four keep two cores busy, for nearly all of it is waiting.
WIDTHS: Mapping[FetchLane, int] = {"usual": 4, "large": 1, "slow": 1}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The limits of one try; the kernel ends it there.

    `fetch_seconds`: until the document is here; `seconds`: until the end. `cpu_seconds`: of
    processor. `memory`: bytes of its own (RLIMIT_DATA).
    """

    fetch_seconds: float
    seconds: float
    cpu_seconds: int
    memory: int


# Measured: the worst entity that is not refused before it is canonicalised takes 0.8 s of processor and 194 MB, an
# aggregate of 106 MB takes 4 s and 64 MB. Ten sources that use up what they may in the usual lane are
# through it in 24 s, and ten aggregates in theirs in four minutes.
_USUAL = FetchLimits(fetch_seconds=6.0, seconds=8.0, cpu_seconds=4, memory=256 << 20)
_SLOW = FetchLimits(fetch_seconds=30.0, seconds=40.0, cpu_seconds=8, memory=256 << 20)
_LARGE = FetchLimits(fetch_seconds=20.0, seconds=24.0, cpu_seconds=20, memory=512 << 20)
_LARGE_AND_SLOW = FetchLimits(fetch_seconds=300.0, seconds=600.0, cpu_seconds=120, memory=512 << 20)
# A source that takes longer than this goes on in the slow lane, though it was within its limits.
QUICK_SECONDS = 4.0
QUICK_AGGREGATE_SECONDS = 16.0


def lane_of(*, aggregate: bool, overran: bool) -> FetchLane:
    if overran:
        return "slow"
    return "large" if aggregate else "usual"


def limits_of(lane: FetchLane, *, aggregate: bool) -> FetchLimits:
    if aggregate:
        return _LARGE_AND_SLOW if lane == "slow" else _LARGE
    return _SLOW if lane == "slow" else _USUAL


def is_slow(seconds: float, *, aggregate: bool) -> bool:
    return seconds > (QUICK_AGGREGATE_SECONDS if aggregate else QUICK_SECONDS)


class Lanes:
    """The sources that wait and those that are under way, by their ids; each is in one lane, once."""

    def __init__(self) -> None:
        self._waiting: dict[FetchLane, dict[str, None]] = {lane: {} for lane in WIDTHS}
        self._hurried: dict[FetchLane, dict[str, None]] = {lane: {} for lane in WIDTHS}
        self._running: dict[str, FetchLane] = {}

    def add(self, id: str, lane: FetchLane, *, hurried: bool = False) -> None:
        """`hurried`: a sign-in waits for it, so that it goes before all that are only due."""
        (self._hurried if hurried else self._waiting)[lane][id] = None

    def hurry(self, id: str) -> None:
        for lane, waiting in self._waiting.items():
            if id in waiting:
                del waiting[id]
                self._hurried[lane][id] = None

    def drop(self, id: str) -> bool:
        """Whether it waited. One that is under way goes on."""
        places = [*self._waiting.values(), *self._hurried.values()]
        found = [place for place in places if id in place]
        for place in found:
            del place[id]
        return bool(found)

    def start(self) -> list[tuple[str, FetchLane]]:
        """Those whose turn it is: under way from now on, until `ended`."""
        started: list[tuple[str, FetchLane]] = []
        for lane, width in WIDTHS.items():
            free = width - sum(running == lane for running in self._running.values())
            turns = (*self._hurried[lane], *self._waiting[lane])
            # One that was dropped while it was under way, and is back, waits for its end.
            for id in [id for id in turns if id not in self._running][: max(free, 0)]:
                self._hurried[lane].pop(id, None)
                self._waiting[lane].pop(id, None)
                self._running[id] = lane
                started.append((id, lane))
        return started

    def ended(self, id: str) -> None:
        del self._running[id]
