"""Caches that make repeated requests cheaper: bounded, with one entry dropped for each new entry.

Strangers can request any number of paths, queries and spellings of hosts. A new entry is therefore a newcomer first,
and a worker has few newcomers. An entry is kept for longer only if a signed-in person requested it meanwhile. A flood
of strangers pushes out only strangers' entries.
"""

from collections import deque
from typing import Any, Final, Generic, Protocol, TypeVar

_NEWCOMERS: Final = 8192
_KEPT: Final = 16_384
# What an application may keep in each of its tables, also where others have taken all the room.
_OWN_ROOM: Final = 32


class Memorable(Protocol):
    """`let_in`: a signed-in person requested the entry."""

    let_in: bool


_Key = TypeVar("_Key")
_Value = TypeVar("_Value", bound=Memorable)


class Newcomers:
    """Of all tables of one snapshot in a worker together, the oldest first. `kept`: how many the tables have kept."""

    __slots__ = ("kept", "most", "most_kept", "queue")

    def __init__(self, most: int = _NEWCOMERS, most_kept: int = _KEPT) -> None:
        self.queue: deque[tuple[Remembered[Any, Any], Any]] = deque()
        self.most = most
        self.kept = 0
        self.most_kept = most_kept


class Remembered(Generic[_Key, _Value]):
    """`values`: the cached values. At most `most` are kept beyond newcomers. The oldest is dropped first; if the worker
    has no room left, an entry of this table is dropped.
    """

    __slots__ = ("_kept", "_most", "_newcomers", "values")

    def __init__(self, newcomers: Newcomers, most: int) -> None:
        self.values: dict[_Key, _Value] = {}
        self._newcomers = newcomers
        self._most = most
        # Of many applications nothing is ever kept.
        self._kept: deque[_Key] | None = None

    def add(self, key: _Key, value: _Value) -> None:
        if key in self.values:
            return
        self.values[key] = value
        newcomers = self._newcomers
        queue = newcomers.queue
        queue.append((self, key))
        if len(queue) > newcomers.most:
            table, oldest = queue.popleft()
            table.settle(oldest)

    def settle(self, key: _Key) -> None:
        """Ends the entry's time as a newcomer."""
        if not self.values[key].let_in:
            del self.values[key]
            return
        newcomers = self._newcomers
        if self._kept is None:
            self._kept = deque()
        kept = self._kept
        kept.append(key)
        newcomers.kept += 1
        if len(kept) > self._most or (newcomers.kept > newcomers.most_kept and len(kept) > _OWN_ROOM):
            del self.values[kept.popleft()]
            newcomers.kept -= 1
