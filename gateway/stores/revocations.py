"""The tail of the store's revocation list, read into a worker's memory of seats."""

import time
from collections.abc import Callable

from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.stores.records import Cursor, RecordStore
from gateway.stores.sessions import Sessions

# Invariant 12: after this long without a reading (the store is out of reach, this process stood still), what has
# ended elsewhere is not known here, and memory answers no more.
TRUSTED_FOR = 1.0


class Revocations:
    def __init__(
        self, store: RecordStore, sessions: Sessions, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._monotonic = monotonic
        self._cursor: Cursor | None = None
        sessions.trust(float("-inf"))

    async def poll(self) -> tuple[Seat, ...]:
        """The seats of this worker that died of what was read. An unreachable store raises nothing here."""
        began = self._monotonic()
        try:
            tail = await self._store.ended_since(self._cursor)
        except GatewayError:
            return ()
        killed = self._sessions.apply(tail.ended) if tail.complete else self._sessions.forget()
        self._cursor = tail.cursor
        self._sessions.trust(began + TRUSTED_FOR)
        return killed
