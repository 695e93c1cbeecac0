"""Sessions of people at applications that have a login form. The key needs the person's own session: after its end the
record opens no more, and a dump of the store reveals no secret."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.formlogin.spec import ApplicationSession
from gateway.model.session import Entry, Seat
from gateway.ops.log import Log
from gateway.stores.codec import APPLICATION_SESSION
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys, TokenBytes, draw_key, shard_of
from gateway.stores.tickets.tickets import Bounds, Tickets, unix_now

# Seconds; then the person is signed in again. Applications are behind one gateway by the hundred at most.
_BOUNDS: Final = Bounds(life=86_400, per_group=200, in_all=200_000, longest=32 * 1024)


class Entries(Protocol):
    """The part of stores.sessions.sessions.Sessions that ApplicationSessions uses."""

    async def entry(self, host: str, cookie: bytes) -> Entry | None: ...


class ApplicationSessions:
    """Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store cannot say. `keys`: the store keys of
    gateway.yaml; `now`: Unix seconds."""

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        sessions: Entries,
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._sessions = sessions
        self._tickets = Tickets(
            APPLICATION_SESSION, store, StoreKeys.of(keys), _BOUNDS, log=log, now=now, token_bytes=token_bytes
        )

    async def read(self, seat: Seat, app: str) -> ApplicationSession | None:
        """Reads the person's session at the application. None without a record, or where the person's own session has
        ended."""
        entry = await self._sessions.entry(seat.host, seat.cookie)
        return None if entry is None else await self._tickets.peek(_id(entry, app))

    async def keep(self, seat: Seat, app: str, session: ApplicationSession) -> None:
        """Replaces the earlier record."""
        entry = await self._sessions.entry(seat.host, seat.cookie)
        if entry is not None:
            await self._tickets.put(session, entry.session_id, _id(entry, app))


def _id(entry: Entry, app: str) -> str:
    """The id that finds and opens the record, drawn from the session's key: only a holder of the key can compute the
    id."""
    secret = draw_key(entry.session_key, b"application session " + app.encode())
    return shard_of(entry.session_id) + urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")
