"""The revocation list. Each worker reads on from its cursor (RecordStore.ended_since)."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Ended:
    """An entry of the revocation list: a session, or only the seat with this `lookup`, ends `at` (Unix seconds)."""

    session_id: str
    lookup: bytes | None
    at: int


class Cursor(NamedTuple):
    """A place in the revocation list of one store.

    `epoch`: random, drawn when the store was made.
    `lists`: the cursors of a store with a list for each tag, in the order of sealing.SHARDS.
    """

    epoch: str
    position: int
    lists: "tuple[Cursor, ...]" = ()


@dataclass(frozen=True, slots=True)
class Tail:
    """The entries after a cursor. Not `complete`: entries may be missing, or the store was replaced."""

    cursor: Cursor
    ended: tuple[Ended, ...]
    complete: bool
