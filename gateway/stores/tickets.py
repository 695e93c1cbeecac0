"""Records that are taken once, each found and opened by its own random id alone."""

import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.model.errors import GatewayError
from gateway.ops.log import Log
from gateway.stores.keys import StoreKeys
from gateway.stores.records import PutTicket, RecordStore, Ticket, Write
from gateway.stores.sealing import NONCE_BYTES, Binding, draw_key, key_id_of, lookup_of, open_sealed, seal
from gateway.stores.unreadable import Unreadable

TokenBytes = Callable[[int], bytes]
Kept = TypeVar("Kept")

ID_BYTES = 32
_LONGEST_ID = 256


def unix_now() -> int:
    """Unix seconds."""
    return int(time.time())


def new_id(token_bytes: TokenBytes = os.urandom, size: int = ID_BYTES) -> str:
    """Random, base64url: 32 bytes give 43 characters, 16 give 22."""
    return urlsafe_b64encode(token_bytes(size)).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Bounds:
    """`life`: seconds. At most `per_group` records of one group (a client), and `in_all`, are open at a time."""

    life: int
    per_group: int
    in_all: int


class Tickets(Generic[Kept]):
    """The tickets of one kind. `read`: what is inside one, or GatewayError(STORE_UNREADABLE)."""

    def __init__(
        self,
        kind: str,
        read: Callable[[bytes], Kept],
        store: RecordStore,
        keys: StoreKeys,
        bounds: Bounds,
        *,
        log: Log | None,
        now: Callable[[], int],
        token_bytes: TokenBytes,
    ) -> None:
        self._kind = kind
        self._read = read
        self._store = store
        self._keys = keys
        self._bounds = bounds
        self._unreadable = Unreadable(log)
        self._now = now
        self._token_bytes = token_bytes

    async def put(self, id: str, plain: bytes, group: str) -> None:
        await self._store.write([self.sealed(id, plain, group)], self._now())

    def sealed(self, id: str, plain: bytes, group: str) -> PutTicket:
        """To be written with what else there is."""
        lookup, key_id = _lookup(id), self._keys.current
        sealed = seal(
            plain,
            key=self._key(id, key_id),
            key_id=key_id,
            nonce=self._token_bytes(NONCE_BYTES),
            binding=self._binding(lookup),
        )
        expires_at = self._now() + self._bounds.life
        # The group is a client's network: kept as a keyed hash, for a network can be a person's.
        ticket = Ticket(self._kind, lookup, sealed, self._keys.index("group", group), expires_at)
        return PutTicket(ticket, self._bounds.per_group, self._bounds.in_all)

    async def peek(self, id: str) -> Kept | None:
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        lookup = _lookup(id)
        return self._open(id, lookup, await self._store.peek_ticket(self._kind, lookup, self._now()))

    async def spend(self, id: str, writes: Sequence[Write]) -> bool:
        """Taken, by whoever knows what is in it; all of this is written in the same step, or nothing if it is gone."""
        if not 0 < len(id) <= _LONGEST_ID:
            return False
        return await self._store.spend_ticket(self._kind, _lookup(id), writes, self._now())

    async def take(self, id: str) -> Kept | None:
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        lookup = _lookup(id)
        return self._open(id, lookup, await self._store.take_ticket(self._kind, lookup, self._now()))

    def _open(self, id: str, lookup: bytes, sealed: bytes | None) -> Kept | None:
        if sealed is None:
            return None
        try:
            plain = open_sealed(sealed, key=self._key(id, key_id_of(sealed)), binding=self._binding(lookup))
            return self._read(plain)
        except GatewayError as error:
            self._unreadable.tell(self._kind, error)
            return None

    def _key(self, id: str, key_id: str) -> bytes:
        return draw_key(_secret(id), b"seal", self._keys.salt(key_id))

    def _binding(self, lookup: bytes) -> Binding:
        return Binding(self._kind, lookup.hex())


def _lookup(id: str) -> bytes:
    return lookup_of(_secret(id))


def _secret(id: str) -> bytes:
    return id.encode("utf-8", "surrogatepass")
