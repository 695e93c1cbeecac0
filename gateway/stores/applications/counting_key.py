"""The key under which tries are counted. It outlives the store keys, because a count may live for a year. The store
keeps the key sealed under the current store key. After a change of store keys, the key is sealed under the new one.

The record also has the time when this store began to count. So a store that has lost its counts is not mistaken for a
store without failures.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.model.errors import GatewayError
from gateway.stores.codec import Form, understood
from gateway.stores.records import PutTicket, RecordStore, Ticket, TicketKey
from gateway.stores.sealing import (
    KEY_BYTES,
    NONCE_BYTES,
    SHARDS,
    SealBinding,
    StoreKeys,
    TokenBytes,
    draw_key,
    key_id_of,
    lookup_of,
    open_sealed,
    seal,
)

_KIND: Final = "counting_key"
_AT: Final = TicketKey(SHARDS[0], _KIND, lookup_of(_KIND.encode()))
_BINDING: Final = SealBinding(_KIND, "")
_TIME_BYTES: Final = 8
# Ten years, which begin anew whenever it is sealed.
_KEPT: Final = 10 * 365 * 86400
# Workers that begin at the same moment are one beginning.
_AT_ONCE: Final = 60


@dataclass(frozen=True, slots=True)
class Counting:
    """The counting of one store.

    `begun`: when the store began to count, Unix seconds.
    `lost`: when the loss of an earlier store's counts was noticed, Unix seconds; 0 without a loss.
    """

    secret: bytes = field(repr=False)
    begun: int
    lost: int = 0


def _bytes_of(counting: Counting) -> bytes:
    times = [time.to_bytes(_TIME_BYTES, "big") for time in (counting.begun, counting.lost)]
    return counting.secret + b"".join(times)


@understood
def _counting_of(plain: bytes) -> Counting:
    if len(plain) != KEY_BYTES + 2 * _TIME_BYTES:
        raise ValueError(len(plain))
    begun, lost = plain[KEY_BYTES:-_TIME_BYTES], plain[-_TIME_BYTES:]
    return Counting(plain[:KEY_BYTES], int.from_bytes(begun, "big"), int.from_bytes(lost, "big"))


COUNTING: Final = Form(_KIND, _bytes_of, _counting_of)


class CountingKey:
    """One worker's view of the counting key. The worker recognises a store in which it has counted before."""

    def __init__(
        self, store: RecordStore, keys: StoreKeys, *, now: Callable[[], int], token_bytes: TokenBytes = os.urandom
    ) -> None:
        self._store = store
        self._keys = keys
        self._now = now
        self._token_bytes = token_bytes
        self._known: Counting | None = None

    async def read(self) -> Counting:
        """Raises GatewayError(store_codes.UNREACHABLE)."""
        now, known = self._now(), self._known
        record = await self._store.peek_ticket(_AT, now)
        found = None if record is None else self._opened(record)
        if found is None:
            # Its store key may have been retired while nobody counted, or the store is another one.
            found = known if record is not None and known is not None else Counting(self._drawn(), now)
            if found is not known and (record is not None or known is not None):
                found = replace(found, lost=now)
        elif known is not None and found.begun > known.begun + _AT_ONCE and found.lost < found.begun:
            # Another worker began anew, for which it was the first of all.
            found = replace(found, lost=now)
        elif record is not None and key_id_of(record) == self._keys.current:
            self._known = found
            return found
        await self._keep(found, now)
        self._known = found
        return found

    def _opened(self, record: bytes) -> Counting | None:
        try:
            key = self._keys.note_key(key_id_of(record))
            return COUNTING.read(open_sealed(record, key=key, binding=_BINDING))
        except GatewayError:
            return None

    async def _keep(self, counting: Counting, now: int) -> None:
        id = self._keys.current
        key, nonce = self._keys.note_key(id), self._token_bytes(NONCE_BYTES)
        sealed = seal(COUNTING.write(counting), key=key, key_id=id, nonce=nonce, binding=_BINDING)
        ticket = Ticket(_AT, sealed, b"", now + _KEPT)
        await self._store.perform([PutTicket(ticket, per_group=1, in_all=1)], now)

    def _drawn(self) -> bytes:
        """A secret that is equal in all workers, so that several workers can begin at once."""
        return draw_key(self._keys.note_key(self._keys.current), _KIND.encode())
