"""Records that are taken once, each found and opened by its own random id alone."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from gateway.model.codes import LIMIT_BODY
from gateway.model.errors import GatewayError
from gateway.ops.log import Log
from gateway.stores.codec import Form, Kept
from gateway.stores.records import PutTicket, RecordStore, Spend, Ticket, TicketKey, Write
from gateway.stores.sealing import (
    NONCE_BYTES,
    SealBinding,
    StoreKeys,
    TokenBytes,
    key_id_of,
    lookup_of,
    new_id,
    open_sealed,
    seal,
    secret_of,
    shard_of,
)
from gateway.stores.unreadable import UnreadableRecords

_LONGEST_ID = 256


def unix_now() -> int:
    """Unix seconds."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Bounds:
    """`life`: seconds. At most `per_group` records of one group (a client), and `in_all`, are open at a time.

    `longest`: bytes of one, before it is sealed."""

    life: int
    per_group: int
    in_all: int
    longest: int | None = None


class Tickets(Generic[Kept]):
    """The tickets of one kind. `shard`: of the ids that are made for them (stores.sealing); random where there is none.

    Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say."""

    def __init__(
        self,
        form: Form[Kept],
        store: RecordStore,
        keys: StoreKeys,
        bounds: Bounds,
        *,
        log: Log | None,
        now: Callable[[], int],
        token_bytes: TokenBytes,
        shard: Callable[[Kept], str] | None = None,
    ) -> None:
        self._form = form
        self._store = store
        self._keys = keys
        self._bounds = bounds
        self._unreadable = UnreadableRecords(log)
        self._now = now
        self._token_bytes = token_bytes
        self._shard = shard

    async def put(self, value: Kept, bound_by: str, id: str = "") -> str:
        """`bound_by`: the group that bounds their number. The id that takes it: the one given, or one that is made.

        Raises GatewayError(LIMIT_BODY) for what is too long."""
        id = id or new_id(self._token_bytes, shard="" if self._shard is None else self._shard(value))
        await self._store.perform([self.sealed(id, value, bound_by)], self._now())
        return id

    def sealed(self, id: str, value: Kept, bound_by: str) -> PutTicket:
        """To be written with what else there is."""
        plain = self._form.write(value)
        if self._bounds.longest is not None and len(plain) > self._bounds.longest:
            raise GatewayError(LIMIT_BODY, f"{len(plain)} bytes to keep, over {self._bounds.longest}")
        secret, key_id = secret_of(id), self._keys.current
        key = TicketKey(shard_of(id), self._form.kind, lookup_of(secret))
        sealed = seal(
            plain,
            key=self._keys.drawn(secret, b"seal", key_id),
            key_id=key_id,
            nonce=self._token_bytes(NONCE_BYTES),
            binding=SealBinding(key.kind, key.lookup.hex()),
        )
        # The group is a client's network: kept as a keyed hash, for a network can be a person's.
        ticket = Ticket(key, sealed, self._keys.index("group", bound_by), self._now() + self._bounds.life)
        return PutTicket(ticket, self._bounds.per_group, self._bounds.in_all)

    async def peek(self, id: str) -> Kept | None:
        return await self._opened(id, self._store.peek_ticket)

    async def take(self, id: str) -> Kept | None:
        return await self._opened(id, self._store.take_ticket)

    async def spend(self, id: str, writes: Sequence[Write] = ()) -> bool:
        """Takes it unread, and then writes all of this. False, and nothing written, where it is gone.

        Where the store fails in between, it is spent and what was to follow may be missing: the person starts again."""
        if not 0 < len(id) <= _LONGEST_ID:
            return False
        return await self._store.perform([Spend(self._key(id)), *writes], self._now())

    async def _opened(self, id: str, read: Callable[[TicketKey, int], Awaitable[bytes | None]]) -> Kept | None:
        if not 0 < len(id) <= _LONGEST_ID:
            return None
        key = self._key(id)
        sealed = await read(key, self._now())
        if sealed is None:
            return None
        try:
            drawn = self._keys.drawn(secret_of(id), b"seal", key_id_of(sealed))
            return self._form.read(open_sealed(sealed, key=drawn, binding=SealBinding(key.kind, key.lookup.hex())))
        except GatewayError as error:
            self._unreadable.tell(self._form.kind, error)
            return None

    def _key(self, id: str) -> TicketKey:
        secret = secret_of(id)
        return TicketKey(shard_of(id), self._form.kind, lookup_of(secret))
