"""Copies of the tickets that a worker has just put into the store. A read may use the copy; only the store decides
whether a ticket is taken."""

from typing import Final, Generic, NamedTuple

from gateway.stores.codec import Kept
from gateway.stores.records import Ticket
from gateway.stores.sealing import StoreKeys

# Copies of each kind in one worker. Strangers can displace other people's copies, which are then read from the store.
_MOST: Final = 128
# Bytes under seal. Larger tickets are read from the store: 128 copies take some megabytes.
_LONGEST: Final = 16 << 10


class _Value(NamedTuple, Generic[Kept]):
    kept: Kept
    expires_at: int
    generation: int


class AtHand(Generic[Kept]):
    """The latest tickets of one kind, in this worker's memory. Another worker may have taken a ticket since: only the
    step that takes the ticket shows whether it was still in the store."""

    def __init__(self) -> None:
        self._values: dict[str, _Value[Kept]] = {}

    def keep(self, id: str, ticket: Ticket, value: Kept, keys: StoreKeys) -> None:
        self.forget(id)
        if len(ticket.sealed) > _LONGEST:
            return
        self._values[id] = _Value(value, ticket.expires_at, keys.generation)
        if len(self._values) > _MOST:
            self.forget(next(iter(self._values)))

    def find(self, id: str, now: int, keys: StoreKeys) -> Kept | None:
        """The copy of a ticket. `now`: Unix seconds. None if the store keys changed since the copy was kept: then the
        store decides whether the ticket opens."""
        found = self._values.get(id)
        if found is None or now >= found.expires_at or found.generation != keys.generation:
            return None
        return found.kept

    def forget(self, id: str) -> None:
        self._values.pop(id, None)
