"""Sign-ins under way, on any record store. Their ids are the keys that open them: a dump of the store tells nothing."""

import os
from collections.abc import Callable, Sequence

from gateway.model.ports import Log, Write
from gateway.model.transaction import OidcLogin, SignOut, Transaction
from gateway.stores import codec
from gateway.stores.keys import StoreKeys
from gateway.stores.records import RaiseMark, RecordStore
from gateway.stores.tickets import Bounds, Tickets, TokenBytes, new_id, unix_now

# As long as a person may take to sign in at the provider. A state that is older is a stranger's or a forgotten tab's:
# it ends on a page that starts anew.
LIFE = 600
ROUND_WINDOW = 60
# A browser follows a redirect at once.
PARKED_LIFE = 60


class Transactions:
    """ports.Transactions. `keys`: the store keys of gateway.yaml; `now`: Unix seconds; `token_bytes`: random bytes."""

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
        bounds = Bounds(LIFE, per_network, in_all)
        parked = Bounds(PARKED_LIFE, per_network, in_all)
        kinds = {"transaction": bounds, "login": bounds, "sign_out": bounds, "response": parked}
        self._transactions, self._logins, self._sign_outs, self._parked = (
            Tickets(kind, store, self._keys, bounds, log=log, now=now, token_bytes=token_bytes)
            for kind, bounds in kinds.items()
        )

    async def put(self, transaction: Transaction, network: str) -> str:
        id = new_id(self._token_bytes)
        await self._transactions.put(id, codec.transaction_to_bytes(transaction), network)
        return id

    async def peek(self, id: str) -> Transaction | None:
        plain = await self._transactions.peek(id)
        return None if plain is None else codec.transaction_from_bytes(plain)

    async def spend(self, id: str, writes: Sequence[Write]) -> bool:
        return await self._transactions.spend(id, writes)

    async def put_login(self, login: OidcLogin, state: str, network: str) -> None:
        await self._logins.put(state, codec.login_to_bytes(login), network)

    async def take_login(self, state: str) -> OidcLogin | None:
        plain = await self._logins.take(state)
        return None if plain is None else codec.login_from_bytes(plain)

    async def put_sign_out(self, sign_out: SignOut, state: str, network: str) -> None:
        await self._sign_outs.put(state, codec.sign_out_to_bytes(sign_out), network)

    async def take_sign_out(self, state: str) -> SignOut | None:
        plain = await self._sign_outs.take(state)
        return None if plain is None else codec.sign_out_from_bytes(plain)

    async def park(self, parameters: Sequence[tuple[str, str]], network: str) -> str:
        id = new_id(self._token_bytes)
        await self._parked.put(id, codec.parameters_to_bytes(parameters), network)
        return id

    async def take_parked(self, id: str) -> list[tuple[str, str]] | None:
        plain = await self._parked.take(id)
        return None if plain is None else codec.parameters_from_bytes(plain)

    async def first_use(self, kind: str, *parts: str, until: int) -> bool:
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        uses = [await self._store.first_use(key, until, self._now()) for key in self._keys.indexes(kind, *parts)]
        return all(uses)

    async def rounds(self, binding: str, host: str) -> int:
        return await self._store.mark(self._keys.index("round", binding, host), self._now())

    async def count_round(self, binding: str, host: str, round: int, within: int = ROUND_WINDOW) -> None:
        await self._store.write([self.round_counted(binding, host, round, within)], self._now())

    def round_counted(self, binding: str, host: str, round: int, within: int = ROUND_WINDOW) -> RaiseMark:
        until = self._now() + min(within, ROUND_WINDOW)
        return RaiseMark(self._keys.index("round", binding, host), round + 1, until)

    async def clear_rounds(self, binding: str, host: str) -> None:
        await self._store.clear_mark(self._keys.index("round", binding, host), self._now())

    async def first_seat(self, session_id: str, host: str, *, ends_at: int, until: int) -> int:
        key, now = self._keys.index("first seat", session_id, host), self._now()
        known = await self._store.mark(key, now)
        if not known:
            await self._store.write([RaiseMark(key, ends_at, until)], now)
        return known or ends_at
