"""What is counted of an account at an application, across workers: whose turn it is to sign in, how many sign-ins have
failed, and which secret the application refused. Kept under keyed hashes: the store names no account.

It is made of what works once and of marks that only rise: a turn, or a try, is a number that one caller uses up.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from gateway.stores.records import MarkKey, RaiseMark, RecordStore, UseOnce
from gateway.stores.sealing import StoreKeys, shard_of
from gateway.stores.tickets import unix_now

# Seconds. Longer than any sign-in takes: a turn whose worker is gone ends by itself.
TURN: Final = 40
_TURNS_KEPT: Final = 3600
_SPARE: Final = 60
# What an application has counted against an account it may never forget.
_REFUSALS_KEPT: Final = 365 * 86400


class LoginTries:
    """Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say. `keys`: the store keys of
    gateway.yaml; `now`: Unix seconds."""

    def __init__(
        self, store: RecordStore, keys: StoreKeys | Sequence[tuple[str, bytes]], *, now: Callable[[], int] = unix_now
    ) -> None:
        self._store = store
        self._keys = StoreKeys.of(keys)
        self._now = now

    async def take_turn(self, app: str, login: str) -> int | None:
        """The number of the turn, for one caller at a time; None where it is another's."""
        turn = await self._highest("login turn", app, login)
        return turn if await self._first("login turn", app, login, turn, TURN) else None

    async def end_turn(self, app: str, login: str, turn: int) -> None:
        await self._raise(self._mark("login turn", app, login), turn + 1, _TURNS_KEPT)

    async def begin(self, app: str, login: str, *, most: int, within: int, account: str = "") -> bool:
        """One more try of this account. False where `most` have begun `within` so many seconds, none of which came to
        anything. `account`: one for all logins that may be written for it; the login where this is empty.

        A success counts for its own `login` alone, whose tries are apart from then on: to some applications another one
        of this account is another person's, and who signs in with theirs has no more tries at that one."""
        successes = await self._highest("login successes", app, login)
        # A form may come later than it was counted.
        life = within + _SPARE
        if successes:
            # It outlives what is counted under it, or that would be forgotten and begin anew.
            await self._raise(self._mark("login successes", app, login), successes, life + _SPARE)
        whose = login if successes else account or login
        for number in range(most):
            if await self._first(f"login try {number}", app, whose, successes, life):
                return True
        return False

    async def succeeded(self, app: str, login: str, *, within: int) -> None:
        """Those of this login before it count no more."""
        successes = await self._highest("login successes", app, login)
        await self._raise(self._mark("login successes", app, login), successes + 1, within + 2 * _SPARE)

    async def is_refused(self, app: str, login: str, secret: str, *, most: int) -> bool:
        """Whether the application refused this secret of this account lately, or `most` times since it last took it."""
        if await self._highest("login refused", app, login, secret):
            return True
        refusals = await self._refusals(app, login, secret)
        return (
            refusals >= most and refusals - await self._highest("login refusals forgiven", app, login, secret) >= most
        )

    async def refused(self, app: str, login: str, secret: str, *, within: int) -> None:
        await self._raise(self._mark("login refused", app, login, secret), 1, within)
        refusals = await self._refusals(app, login, secret)
        await self._raise(self._mark("login refusals", app, login, secret), refusals + 1, _REFUSALS_KEPT)

    async def taken(self, app: str, login: str, secret: str) -> None:
        """The application took this secret of this account: what it refused before counts no more."""
        refusals = await self._refusals(app, login, secret)
        if refusals:
            # Both anew: the count outlives what is taken off it.
            for kind in ("login refusals", "login refusals forgiven"):
                await self._raise(self._mark(kind, app, login, secret), refusals + 1, _REFUSALS_KEPT)

    async def _refusals(self, app: str, login: str, secret: str) -> int:
        """Ever: of one account one sign-in is under way at a time, so that none is lost."""
        return await self._highest("login refusals", app, login, secret)

    async def _highest(self, kind: str, *parts: str) -> int:
        """The highest of the marks under every store key: a new key forgets no count of the one before."""
        now = self._now()
        keys = [MarkKey(shard_of(index.hex()), index) for index in self._keys.indexes(kind, *parts)]
        return max(await asyncio.gather(*(self._store.mark(key, now) for key in keys)))

    async def _first(self, kind: str, app: str, login: str, number: int, life: int) -> bool:
        # Under every store key: while a new one comes into use, workers may differ in which is the first.
        now = self._now()
        uses = [UseOnce(key, now + life) for key in self._keys.indexes(kind, app, login, str(number))]
        return all(await asyncio.gather(*(self._store.perform([use], now) for use in uses)))

    async def _raise(self, key: MarkKey, number: int, life: int) -> None:
        now = self._now()
        await self._store.perform([RaiseMark(key, number, now + life)], now)

    def _mark(self, kind: str, *parts: str) -> MarkKey:
        key = self._keys.index(kind, *parts)
        return MarkKey(shard_of(key.hex()), key)
