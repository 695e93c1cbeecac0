"""What applications are told at the end of a session, on any record store.

Sealed under a store key alone, for it is read without a cookie. It is little, and of applications that ask for it.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence

from gateway.model.errors import GatewayError
from gateway.model.ports import Log
from gateway.model.session import SignOutNote
from gateway.stores.keys import StoreKeys
from gateway.stores.records import RecordStore, SealedNote
from gateway.stores.sealing import NONCE_BYTES, Binding, key_id_of, open_sealed, seal
from gateway.stores.tickets import TokenBytes, unix_now


class SignOutNotes:
    """ports.SignOutNotes. Parameters as those of stores.transactions.Transactions."""

    def __init__(
        self,
        store: RecordStore,
        keys: Sequence[tuple[str, bytes]],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._keys = StoreKeys(keys)
        self._log = log
        self._now = now
        self._token_bytes = token_bytes

    async def keep(self, notes: Sequence[SignOutNote]) -> None:
        await self._store.write([self._sealed(note) for note in notes], self._now())

    async def take(self, most: int) -> tuple[SignOutNote, ...]:
        taken = await self._store.take_notes(most, self._now())
        opened = (self._opened(record) for record in taken)
        return tuple(note for note in opened if note is not None)

    def _sealed(self, note: SignOutNote) -> SealedNote:
        key_id = self._keys.current
        plain = {"app": note.app, "login": _text(note.login), "cookies": _text(note.cookies)}
        sealed = seal(
            json.dumps(plain, separators=(",", ":")).encode(),
            key=self._keys.note_key(key_id),
            key_id=key_id,
            nonce=self._token_bytes(NONCE_BYTES),
            binding=_binding(note.session_id, note.host),
        )
        return SealedNote(note.session_id, note.host, sealed)

    def _opened(self, record: SealedNote) -> SignOutNote | None:
        try:
            key = self._keys.note_key(key_id_of(record.sealed))
            plain = open_sealed(record.sealed, key=key, binding=_binding(record.session_id, record.host))
        except GatewayError as error:
            if self._log is not None:
                self._log.event("store.unreadable", kind="note", detail=error.detail)
            return None
        told = json.loads(plain)
        login, cookies = b64decode(told["login"]), b64decode(told["cookies"])
        return SignOutNote(record.session_id, record.host, told["app"], login, cookies)


def _binding(session_id: str, host: str) -> Binding:
    return Binding("note", session_id, host)


def _text(value: bytes) -> str:
    return b64encode(value).decode("ascii")
