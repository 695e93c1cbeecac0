"""Decides which source is fetched next. Knows no clock and no process, so that a test can run 5,000 sources.

One organisation's server must not delay the sources of other organisations (invariant 15): a source that took longer
than usual waits in a separate lane, until a try is quick again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FetchLane = Literal["usual", "large", "slow"]

# Concurrent fetches per lane, a process each. Four keep two cores busy, since a fetch mostly waits.
WIDTHS: Mapping[FetchLane, int] = {"usual": 4, "large": 1, "slow": 1}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The limits of one try. The kernel kills a try at its limits.

    `fetch_seconds`: time until the document has been fetched.
    `seconds`: time of the whole try.
    `cpu_seconds`: processor time.
    `memory`: bytes of private memory (RLIMIT_DATA).
    """

    fetch_seconds: float
    seconds: float
    cpu_seconds: int
    memory: int


# Measured: the worst entity not refused before canonicalisation takes 0.8 s of processor and 194 MB; an aggregate of
# 106 MB takes 4 s and 64 MB. Ten sources that use up their limits pass the usual lane in 24 s; ten such aggregates pass
# the large lane in four minutes.
_USUAL = FetchLimits(fetch_seconds=6.0, seconds=8.0, cpu_seconds=4, memory=256 << 20)
_SLOW = FetchLimits(fetch_seconds=30.0, seconds=40.0, cpu_seconds=8, memory=256 << 20)
_LARGE = FetchLimits(fetch_seconds=20.0, seconds=24.0, cpu_seconds=20, memory=512 << 20)
_LARGE_AND_SLOW = FetchLimits(fetch_seconds=300.0, seconds=600.0, cpu_seconds=120, memory=512 << 20)
# Seconds. A source that takes longer moves to the slow lane, even within its limits.
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
    """The waiting and the running sources, by id. A source stands in one lane only, once."""

    def __init__(self) -> None:
        self._waiting: dict[FetchLane, dict[str, None]] = {lane: {} for lane in WIDTHS}
        self._hurried: dict[FetchLane, dict[str, None]] = {lane: {} for lane in WIDTHS}
        self._running: dict[str, FetchLane] = {}

    def add(self, id: str, lane: FetchLane, *, hurried: bool = False) -> None:
        """Queues a source. `hurried`: a sign-in waits for the source, which then goes ahead of all sources that are
        merely due.
        """
        (self._hurried if hurried else self._waiting)[lane][id] = None

    def hurry(self, id: str) -> None:
        for lane, waiting in self._waiting.items():
            if id in waiting:
                del waiting[id]
                self._hurried[lane][id] = None

    def drop(self, id: str) -> bool:
        """Removes a waiting source. Returns whether the source waited. A running source goes on."""
        places = [*self._waiting.values(), *self._hurried.values()]
        found = [place for place in places if id in place]
        for place in found:
            del place[id]
        return bool(found)

    def start(self) -> list[tuple[str, FetchLane]]:
        """Returns the sources whose turn has come. A returned source is running until `ended`."""
        started: list[tuple[str, FetchLane]] = []
        for lane, width in WIDTHS.items():
            free = width - sum(running == lane for running in self._running.values())
            turns = (*self._hurried[lane], *self._waiting[lane])
            # A source that was dropped while running and then added again waits for the end of its run.
            for id in [id for id in turns if id not in self._running][: max(free, 0)]:
                self._hurried[lane].pop(id, None)
                self._waiting[lane].pop(id, None)
                self._running[id] = lane
                started.append((id, lane))
        return started

    def ended(self, id: str) -> None:
        del self._running[id]
