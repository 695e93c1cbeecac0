"""Addresses from which somebody who is signed in was seen lately: a flood of strangers costs these nothing."""

from collections.abc import Iterable
from typing import Final

# Seen within ten minutes; of one that is seen all the time, note is taken once a minute.
_REMEMBERED: Final = 660.0
_NOTED_EVERY: Final = 60.0
_MOST: Final = 65_536
# What is told to the other workers at a time; beyond, the next minute tells.
_TOLD_AT_ONCE: Final = 2_000


class Known:
    """At most so many, the one that was noted least lately goes first. Times are monotonic seconds."""

    __slots__ = ("_at", "_fresh", "_most")

    def __init__(self, most: int = _MOST) -> None:
        self._at: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._most = most

    def seen(self, address: str, now: float) -> None:
        """Here, so that it is news to the other workers."""
        if now - self._at.get(address, float("-inf")) >= _NOTED_EVERY:
            self._note(address, now)
            if len(self._fresh) < _TOLD_AT_ONCE:
                self._fresh.add(address)

    def learn(self, addresses: Iterable[str], now: float) -> None:
        """From another worker."""
        for address in addresses:
            self._note(address, now)

    def news(self) -> list[str]:
        """What was seen here since this was last asked."""
        fresh, self._fresh = self._fresh, set()
        return sorted(fresh)

    def holds(self, address: str, now: float) -> bool:
        return now - self._at.get(address, float("-inf")) < _REMEMBERED

    def _note(self, address: str, now: float) -> None:
        self._at.pop(address, None)
        while len(self._at) >= self._most:
            del self._at[next(iter(self._at))]
        self._at[address] = now
