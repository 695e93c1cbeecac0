"""Sign-ins under way, on any record store. Their ids are the keys that open them: a dump of the store tells nothing."""

import os
from collections.abc import Callable, Sequence
from hashlib import sha256

from gateway.model.codes import LIMIT_BODY
from gateway.model.errors import GatewayError
from gateway.model.transaction import OidcLogin, SignOut, Transaction
from gateway.ops.log import Log
from gateway.stores import codec
from gateway.stores.keys import StoreKeys
from gateway.stores.records import RaiseMark, RecordStore, Write
from gateway.stores.tickets import Bounds, Kept, Tickets, TokenBytes, new_id, unix_now

# As long as a person may take to sign in at the provider. A state that is older is a stranger's or a forgotten tab's:
# it ends on a page that starts anew.
LIFE = 600
ROUND_WINDOW = 60
# A browser follows a redirect at once.
PARKED_LIFE = 60
# Sent twice by an impatient person. Sign-ins under way are bounded by client, and so is what is parked for them.
PARKED_OF_ONE = 3
MOST_PARKED = 10_000
# A signed and encrypted response (JARM) has some thousands.
PARKED_BYTES = 32 << 10


class Transactions:
    """Sign-ins under way. `network` bounds them per client (an address or prefix); the oldest go first.

    Ids are random secrets: the store is keyed by their hash and holds values sealed under them.
    Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say.
    `keys`: the store keys of gateway.yaml; `now`: Unix seconds; `token_bytes`: random bytes.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: Sequence[tuple[str, bytes]],
        *,
        per_network: int = 1000,
        in_all: int = 100_000,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._keys = StoreKeys(keys)
        self._now = now
        self._token_bytes = token_bytes
        under_way = Bounds(LIFE, per_network, in_all)
        parked = Bounds(PARKED_LIFE, PARKED_OF_ONE, min(in_all, MOST_PARKED))

        def tickets(kind: str, read: Callable[[bytes], Kept], bounds: Bounds) -> Tickets[Kept]:
            return Tickets(kind, read, store, self._keys, bounds, log=log, now=now, token_bytes=token_bytes)

        self._transactions = tickets("transaction", codec.transaction_from_bytes, under_way)
        self._logins = tickets("login", codec.login_from_bytes, under_way)
        self._sign_outs = tickets("sign_out", codec.sign_out_from_bytes, under_way)
        self._parked = tickets("response", codec.parameters_from_bytes, parked)
        self._clean_starts = tickets("clean_start", bytes, Bounds(ROUND_WINDOW, per_network, in_all))

    async def put(self, transaction: Transaction, network: str) -> str:
        id = new_id(self._token_bytes)
        await self._transactions.put(id, codec.transaction_to_bytes(transaction), network)
        return id

    async def peek(self, id: str) -> Transaction | None:
        return await self._transactions.peek(id)

    async def spend(self, id: str, writes: Sequence[Write]) -> bool:
        """Ends this transaction and writes all of this in the same step; False, and nothing written, if it is gone."""
        return await self._transactions.spend(id, writes)

    async def put_login(self, login: OidcLogin, state: str, network: str) -> None:
        await self._logins.put(state, codec.login_to_bytes(login), network)

    async def take_login(self, state: str) -> OidcLogin | None:
        return await self._logins.take(state)

    async def knows_login(self, state: str) -> bool:
        """Whether there is one to take."""
        return await self._logins.peek(state) is not None

    async def put_sign_out(self, sign_out: SignOut, state: str, network: str) -> None:
        await self._sign_outs.put(state, codec.sign_out_to_bytes(sign_out), network)

    async def take_sign_out(self, state: str) -> SignOut | None:
        return await self._sign_outs.take(state)

    async def park(self, parameters: Sequence[tuple[str, str]], state: str) -> str:
        """A response that came without its browser's cookie, for 60 s; the id that takes it. Of one `state` few are
        kept. Raises GatewayError(LIMIT_BODY) for more than 32 KB."""
        plain = codec.parameters_to_bytes(parameters)
        if len(plain) > PARKED_BYTES:
            raise GatewayError(LIMIT_BODY, f"a response of {len(plain)} bytes, over {PARKED_BYTES}")
        id = new_id(self._token_bytes)
        await self._parked.put(id, plain, state)
        return id

    async def take_parked(self, id: str) -> list[tuple[str, str]] | None:
        return await self._parked.take(id)

    async def first_use(self, kind: str, *parts: str, issued: int | None = None, until: int) -> bool:
        """True to the first caller only, across all workers, until `until`: what works once.

        `issued`: when its sender wrote it, where it answers nothing of ours; it may then have been used in a store that
        was before this one (Unix seconds, both)."""
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        keys, now = self._keys.indexes(kind, *parts), self._now()
        return all([await self._store.first_use(key, until, now, issued) for key in keys])

    async def rounds(self, binding: str, host: str) -> int:
        """How many hand-overs this browser finished on this host in the last 60 s without a seat coming back."""
        return await self._store.mark(self._keys.index("round", binding, host), self._now())

    def round_counted(self, binding: str, host: str, round: int, within: int = ROUND_WINDOW) -> Write:
        """A hand-over was given for a transaction of this round: `rounds` says at least round + 1 for `within` s, 60 at
        most: who comes back when the seat may have ended by its own limits has not gone round.

        A maximum, not a sum: ten tabs that sign in at once are all of round 0 and make one round together.
        """
        until = self._now() + min(within, ROUND_WINDOW)
        return RaiseMark(self._keys.index("round", binding, host), round + 1, until)

    async def clear_rounds(self, binding: str, host: str) -> None:
        await self._store.clear_mark(self._keys.index("round", binding, host), self._now())

    async def start_cleanly(self, binding: str, host: str, network: str) -> bool:
        """False where this browser did so on this host in the last 60 s, and was not cleared since."""
        # Not a mark: anybody may ask, under any binding, and these are bounded by client.
        id = _clean_start(binding, host)
        first = await self._clean_starts.peek(id) is None
        if first:
            await self._clean_starts.put(id, b"", network)
        return first

    async def clear_clean_start(self, binding: str, host: str) -> None:
        id = _clean_start(binding, host)
        if await self._clean_starts.peek(id) is not None:
            await self._clean_starts.take(id)

    async def first_seat(self, session_id: str, host: str, *, ends_at: int, until: int) -> int:
        """When this session's first seat on this host may have ended: the `ends_at` of the first call, which is kept
        `until` (Unix seconds, both)."""
        key, now = self._keys.index("first seat", session_id, host), self._now()
        known = await self._store.mark(key, now)
        if not known:
            await self._store.write([RaiseMark(key, ends_at, until)], now)
        return known or ends_at


def _clean_start(binding: str, host: str) -> str:
    return f"{binding} {sha256(host.encode()).hexdigest()}"
