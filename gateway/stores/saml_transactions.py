"""SAML sign-ins and sign-outs under way, on any record store, and what is parked until a browser brings its cookie."""

import os
from collections.abc import Callable, Sequence

from gateway.model.codes import LIMIT_BODY
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedAnswer, SamlLogin, SamlLogout
from gateway.ops.log import Log
from gateway.stores import codec
from gateway.stores.keys import StoreKeys
from gateway.stores.records import RecordStore
from gateway.stores.tickets import Bounds, Kept, Tickets, TokenBytes, new_id, unix_now
from gateway.stores.transactions import LIFE, PARKED_LIFE

PARKED_BYTES = 256 << 10
# One network's share is a tenth: a ministry behind one address signs in at once.
MOST_PARKED = 10_000


class SamlTransactions:
    """SAML sign-ins and sign-outs under way, as stores.transactions.Transactions, with the same parameters."""

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
        self._token_bytes = token_bytes
        under_way = Bounds(LIFE, per_network, in_all)
        parked = Bounds(PARKED_LIFE, min(per_network, MOST_PARKED // 10), min(in_all, MOST_PARKED))

        def tickets(kind: str, read: Callable[[bytes], Kept], bounds: Bounds) -> Tickets[Kept]:
            return Tickets(kind, read, store, StoreKeys(keys), bounds, log=log, now=now, token_bytes=token_bytes)

        self._logins = tickets("saml_login", codec.saml_login_from_bytes, under_way)
        self._logouts = tickets("saml_logout", codec.saml_logout_from_bytes, under_way)
        self._parked = tickets("saml_parked", codec.parked_from_bytes, parked)

    async def put_login(self, login: SamlLogin, reference: str, network: str) -> None:
        """`reference`: its RelayState."""
        await self._logins.put(reference, codec.saml_login_to_bytes(login), network)

    async def peek_login(self, reference: str) -> SamlLogin | None:
        return await self._logins.peek(reference)

    async def take_login(self, reference: str) -> SamlLogin | None:
        return await self._logins.take(reference)

    async def park(self, answer: ParkedAnswer, network: str) -> str:
        """For 60 s; the id that finds it. Raises GatewayError(LIMIT_BODY) for more than 256 KB."""
        plain = codec.parked_to_bytes(answer)
        if len(plain) > PARKED_BYTES:
            raise GatewayError(LIMIT_BODY, f"{len(plain)} bytes about one person, over {PARKED_BYTES}")
        id = new_id(self._token_bytes)
        await self._parked.put(id, plain, network)
        return id

    async def peek_parked(self, id: str) -> ParkedAnswer | None:
        return await self._parked.peek(id)

    async def spend_parked(self, id: str) -> bool:
        """False where it is gone: somebody else has spent it."""
        return await self._parked.spend(id, [])

    async def put_logout(self, logout: SamlLogout, reference: str, network: str) -> None:
        await self._logouts.put(reference, codec.saml_logout_to_bytes(logout), network)

    async def take_logout(self, reference: str) -> SamlLogout | None:
        return await self._logouts.take(reference)
