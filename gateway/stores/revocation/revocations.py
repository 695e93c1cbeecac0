"""Reads the tail of the store's revocation list into a worker's memory of seats."""

import asyncio
from collections.abc import Callable

from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.stores.records import RecordStore
from gateway.stores.revocation.list_of_ends import Cursor
from gateway.stores.revocation.trust import TRUSTED_FOR
from gateway.stores.sessions.sessions import Sessions

# Seconds. A reading unanswered after this time counts as failed. It is shorter than TRUSTED_FOR, so that the grace
# begins before the trust in memory ends.
_LATE = TRUSTED_FOR / 2


class Revocations:
    """Follows the revocation list for one worker.

    `monotonic`: seconds, by the clock of `sessions`.
    """

    def __init__(self, store: RecordStore, sessions: Sessions, *, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._sessions = sessions
        self._monotonic = monotonic
        self._cursor: Cursor | None = None
        sessions.trust.begin()

    async def poll(self) -> tuple[Seat, ...]:
        """Reads the new entries. Returns this worker's seats that ended by them. Raises no error for an unreachable
        store."""
        began, trust = self._monotonic(), self._sessions.trust
        late = asyncio.get_running_loop().call_later(_LATE, trust.late)
        try:
            tail = await self._store.ended_since(self._cursor)
        except GatewayError:
            trust.away()
            return ()
        finally:
            late.cancel()
        killed = self._sessions.apply(tail.ended) if tail.complete else self._sessions.forget()
        self._cursor = tail.cursor
        trust.known(began)
        return killed
