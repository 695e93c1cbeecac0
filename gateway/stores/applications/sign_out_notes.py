"""The messages to applications at the end of a session, on any record store.

A note is sealed under a store key alone, because it is read without a cookie. Notes are small, and only for
applications that ask for them.
"""

import os
import time
from collections.abc import Callable, Sequence

from gateway.model.errors import GatewayError
from gateway.model.session import SignOutNote
from gateway.ops.log import Log
from gateway.stores import codec
from gateway.stores.clocks import Horizon
from gateway.stores.records import RecordStore, SealedNote
from gateway.stores.sealing import NONCE_BYTES, SealBinding, StoreKeys, TokenBytes, key_id_of, open_sealed, seal
from gateway.stores.tickets.tickets import unix_now
from gateway.stores.unreadable import UnreadableRecords

_UNTOLD = "its application is not told of the end of that session"


class SignOutNotes:
    """Keeps, with each session, the sign-out messages for applications that name an address for sign-outs.

    Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store cannot answer. Parameters as in
    stores.tickets.tickets.Transactions.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        monotonic: Callable[[], float] = time.monotonic,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._keys = StoreKeys.of(keys)
        self._token_bytes = token_bytes
        self._unreadable = UnreadableRecords(log, monotonic, what_follows=_UNTOLD)
        self._now = now
        # Like the purge: a clock that jumps ahead must not send applications a false sign-out.
        self._horizon = Horizon(now, monotonic)

    async def keep(self, notes: Sequence[SignOutNote]) -> None:
        """Adds notes. A note replaces the note of the same session and host. It also replaces notes of this browser's
        older sessions on the host with the same owner (`whose`), because their cookies may be the same. The next `take`
        gives out notes of another owner, whose seat was replaced. A note for an ended session is left out."""
        await self._store.perform([self._sealed(note) for note in notes], self._now())

    async def take(self, most: int) -> tuple[SignOutNote, ...]:
        """Takes notes of replaced seats and of ended sessions, whatever the cause. Only one caller gets a note, across
        all workers."""
        taken = await self._store.take_notes(most, self._horizon.look())
        opened = (self._opened(record) for record in taken)
        return tuple(note for note in opened if note is not None)

    def _sealed(self, note: SignOutNote) -> SealedNote:
        key_id, binding = self._keys.current, SealBinding("note", note.session_id, note.host)
        plain, nonce = codec.note_to_bytes(note), self._token_bytes(NONCE_BYTES)
        sealed = seal(plain, key=self._keys.note_key(key_id), key_id=key_id, nonce=nonce, binding=binding)
        whose = self._keys.index("note", *note.whose) if note.whose else b""
        return SealedNote(note.session_id, note.host, sealed, whose)

    def _opened(self, record: SealedNote) -> SignOutNote | None:
        try:
            key = self._keys.note_key(key_id_of(record.sealed))
            plain = open_sealed(record.sealed, key=key, binding=SealBinding("note", record.session_id, record.host))
            return codec.note_from_bytes(plain, record.session_id, record.host)
        except GatewayError as error:
            self._unreadable.tell("note", error)
            return None
