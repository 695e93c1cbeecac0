"""What is remembered, so that the next request like it costs less: bounded, and one goes for each that comes.

Strangers can ask for any number of paths, queries and spellings of hosts. So what is new is a newcomer first, of which
a worker has few; it is kept for longer only where somebody signed in asked for it meanwhile. A flood of strangers
pushes out what strangers asked for, and nothing else.
"""

from collections import deque
from typing import Any, Final, Generic, Protocol, TypeVar

_NEWCOMERS: Final = 8192
_KEPT: Final = 16_384
# What an application may keep in each of its tables, also where others have taken all the room.
_OWN_ROOM: Final = 32


class Memorable(Protocol):
    """`let_in`: somebody signed in asked for it."""

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
    """`values` is what is looked up. At most `most` of it are kept for longer than a newcomer is; the oldest goes
    first, and where there is no room in the worker any more, it is one of this table's own."""

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
        """It is no newcomer any more."""
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
