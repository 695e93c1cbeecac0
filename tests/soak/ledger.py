"""What a soak has seen: answers by kind, what was wrong, and what the workers held as time went by."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic

from tests.bench.processes import rss_of

_KEPT = 20
# A request that was under way when its application died is told of it a moment later.
_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """Of one worker, in megabytes and in open files."""

    resident: float
    descriptors: int

    @classmethod
    def by(cls, pid: int) -> "Held":
        return cls(rss_of(pid), len(os.listdir(Path(f"/proc/{pid}/fd"))))


@dataclass
class Ledger:
    """`done`: how often each thing was done and went as it has to. `wrong`: the first answers that nobody should get;
    `wrongs`: how many."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    wrongs: int = 0
    held: list[list[Held]] = field(default_factory=list)
    _away: list[tuple[float, float]] = field(default_factory=list)

    def right(self, what: str) -> None:
        self.done[what] += 1

    def mistaken(self, what: str) -> None:
        self.wrongs += 1
        if len(self.wrong) < _KEPT:
            self.wrong.append(what)

    def judge(self, what: str, holds: object, otherwise: object) -> None:
        """`otherwise`: what is shown where it does not hold."""
        self.right(what) if holds else self.mistaken(f"{what}: {otherwise}")

    @contextmanager
    def away(self) -> Iterator[None]:
        """The application is not there."""
        began = monotonic()
        self._away.append((began, float("inf")))
        try:
            yield
        finally:
            self._away[-1] = (began, monotonic() + _AFTER)

    def may_fail(self, began: float) -> bool:
        """Whether the application was away at some time since `began`."""
        return any(began <= end for _, end in self._away[-2:])

    def look(self, pids: Sequence[int]) -> None:
        self.held.append([Held.by(pid) for pid in pids])

    def growth(self) -> list[float]:
        """Megabytes of each worker, from the second quarter of the time to the last: the first is of workers that
        warm up."""
        quarter = len(self.held) // 4
        before, after = self.held[quarter : 2 * quarter], self.held[-quarter:]
        return [
            round(median(_resident(after, worker)) - median(_resident(before, worker)), 1)
            for worker in range(len(self.held[0]))
        ]


def _resident(looks: Sequence[Sequence[Held]], worker: int) -> list[float]:
    return [each[worker].resident for each in looks]
