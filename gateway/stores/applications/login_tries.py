"""The counts of an account at an application, across workers: the turn to sign in, the failed sign-ins, and the refused
secret. Stored under keyed hashes: the store names no account.

The counts are made of values that work once and of marks that only rise. A try takes a place of the account, for the
time that the file now gives. A successful try gives its own place back, and no place of another login, which may belong
to another person.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from typing import Final

from gateway.model.account import CountedLogin, CountedTry
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.stores.applications.counting_key import CountingKey
from gateway.stores.records import MarkKey, RaiseLastingMark, RaiseMark, RecordStore, UseOnce
from gateway.stores.sealing import StoreKeys, join, shard_of
from gateway.stores.tickets.tickets import unix_now

# Seconds. Longer than any sign-in takes: a turn whose worker is gone ends by itself.
TURN: Final = 40
_TURNS_KEPT: Final = 3600
# A form may come later than it was counted.
_SPARE: Final = 60
# The longest that a file may say, and more.
_KEPT: Final = 366 * 86400
# What an application has counted against an account it may never forget.
_REFUSALS_KEPT: Final = 365 * 86400
# A file may give ten tries at most. All ten places are looked at, since it may have given more before.
_PLACES: Final = range(10)


class LoginTries:
    """Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store cannot say. `keys`: the store keys of
    gateway.yaml; `now`: Unix seconds."""

    def __init__(
        self, store: RecordStore, keys: StoreKeys | Sequence[tuple[str, bytes]], *, now: Callable[[], int] = unix_now
    ) -> None:
        self._store = store
        self._key = CountingKey(store, StoreKeys.of(keys), now=now)
        self._now = now

    async def take_turn(self, of: CountedLogin) -> int | None:
        """Takes the turn for the account. Returns the number of the turn to one caller at a time; None while another
        caller has the turn."""
        counts = await self._counts()
        turn = await counts.mark("login turn", of.base, of.account)
        return turn if await counts.use(TURN, "login turn", of.base, of.account, str(turn)) else None

    async def end_turn(self, of: CountedLogin, turn: int) -> None:
        counts = await self._counts()
        await counts.raise_for_now(turn + 1, _TURNS_KEPT, "login turn", of.base, of.account)

    async def begin(self, of: CountedLogin, *, most: int, within: int) -> CountedTry | None:
        """Begins a try for this account; the caller has the account's turn. Returns None if `most` tries without
        success have begun in the last `within` seconds.

        Raises GatewayError(form_login_codes.TRIES) if the store has lost its counts in that time, because there may
        have been as many tries.
        """
        counts, life, now = await self._counts(), within + _SPARE, self._now()
        if counts.lost and now < counts.lost + life:
            raise GatewayError(form_login_codes.TRIES, f"the store has lost its counts: nothing is sent for {within} s")
        places = await asyncio.gather(*(_place(counts, of, number) for number in _PLACES))
        begun = await asyncio.gather(*(counts.mark(*_begun(of, each)) for each in places))
        free = [each for each, at in zip(places, begun, strict=True) if not at or now >= at + life]
        if len(places) - len(free) >= most:
            return None
        for each in free:
            if each.place < most and await _take(counts, of, each, now):
                return each
        return None

    async def succeeded(self, of: CountedLogin, tried: CountedTry, *, clears: bool) -> None:
        """Gives the try's place back, because the sign-in succeeded. `clears`: gives back the earlier failures of this
        very login too."""
        counts = await self._counts()
        await _give_back(counts, of, tried)
        for number in _PLACES if clears else ():
            each = await _place(counts, of, number)
            at = await counts.mark(*_begun(of, each))
            if at and await counts.mark(*_whose(of, each)) == at:
                await _give_back(counts, of, each)

    async def is_refused(self, of: CountedLogin, secret: str, *, most: int) -> bool:
        """Whether the application refused this secret of this login lately, or refused the secret `most` times for the
        account since it last accepted the secret."""
        counts = await self._counts()
        if await counts.mark("login refused", *of, secret):
            return True
        refusals, forgiven = await _refusals(counts, of.base, of.account, secret)
        return refusals - forgiven >= most

    async def refused(self, of: CountedLogin, secret: str, *, within: int) -> None:
        counts = await self._counts()
        await counts.raise_for_good(1, within, "login refused", *of, secret)
        for whose in _account_and_login(of, secret):
            refusals, forgiven = await _refusals(counts, *whose)
            await _count_refusals(counts, refusals + 1, forgiven, whose)

    async def taken(self, of: CountedLogin, secret: str) -> None:
        """Records that the application accepted this secret of this login. Earlier refusals of the secret no longer
        count; refusals of the account's other logins still count."""
        counts = await self._counts()
        account, login = _account_and_login(of, secret)
        refusals, forgiven = await _refusals(counts, *login)
        if refusals > forgiven:
            of_all, forgiven_of_all = await _refusals(counts, *account)
            await _count_refusals(counts, of_all, forgiven_of_all + refusals - forgiven, account)
            await _count_refusals(counts, refusals, refusals, login)

    async def _counts(self) -> "_Counts":
        counting = await self._key.read()
        return _Counts(self._store, counting.secret, counting.lost, self._now)


class _Counts:
    """The store's counts, by keyed hashes. `lost`: when counts were lost, Unix seconds; 0 without a loss."""

    def __init__(self, store: RecordStore, secret: bytes, lost: int, now: Callable[[], int]) -> None:
        self._store = store
        self._secret = secret
        self.lost = lost
        self._now = now

    async def mark(self, *parts: str) -> int:
        return await self._store.mark(self._mark_key(parts), self._now())

    async def raise_for_now(self, number: int, life: int, *parts: str) -> None:
        now = self._now()
        await self._store.perform([RaiseMark(self._mark_key(parts), number, now + life)], now)

    async def raise_for_good(self, number: int, life: int, *parts: str) -> None:
        """Also beyond a loss of power: the application counts on."""
        now = self._now()
        await self._store.perform([RaiseLastingMark(self._mark_key(parts), number, now + life)], now)

    async def use(self, life: int, *parts: str) -> bool:
        """Whether the place was free."""
        now = self._now()
        return await self._store.perform([UseOnce(self._index(parts), now + life)], now)

    def _mark_key(self, parts: Sequence[str]) -> MarkKey:
        index = self._index(parts)
        return MarkKey(shard_of(index.hex()), index)

    def _index(self, parts: Sequence[str]) -> bytes:
        return hmac.digest(self._secret, join(*[part.encode("utf-8", "surrogatepass") for part in parts]), "sha256")


# --- the places of an account


async def _place(counts: _Counts, of: CountedLogin, number: int) -> CountedTry:
    return CountedTry(number, await counts.mark(*_given_back(of, number)))


async def _take(counts: _Counts, of: CountedLogin, tried: CountedTry, now: int) -> bool:
    # Of callers at the same moment it is the first one's.
    if not await counts.use(TURN, "login try", of.base, of.account, *map(str, tried)):
        return False
    if tried.used:
        # It outlives what is counted under it, or that would be forgotten and begin anew.
        await counts.raise_for_good(tried.used, _KEPT + _SPARE, *_given_back(of, tried.place))
    await counts.raise_for_good(now, _KEPT, *_whose(of, tried))
    await counts.raise_for_good(now, _KEPT, *_begun(of, tried))
    return True


async def _give_back(counts: _Counts, of: CountedLogin, tried: CountedTry) -> None:
    # Longer than what was counted before it, which would count again.
    await counts.raise_for_good(tried.used + 1, _KEPT + _SPARE, *_given_back(of, tried.place))


def _begun(of: CountedLogin, tried: CountedTry) -> tuple[str, ...]:
    """When the try began, in Unix seconds."""
    return ("login try begun", of.base, of.account, str(tried.place), str(tried.used))


def _whose(of: CountedLogin, tried: CountedTry) -> tuple[str, ...]:
    """The name of the mark with the time when this login last took the place. A different time shows that another login
    took the place."""
    return ("login try of", *of, str(tried.place), str(tried.used))


def _given_back(of: CountedLogin, number: int) -> tuple[str, ...]:
    return ("login tries given back", of.base, of.account, str(number))


# --- what was refused


def _account_and_login(of: CountedLogin, secret: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (of.base, of.account, secret), (*of, secret)


async def _refusals(counts: _Counts, *whose: str) -> tuple[int, int]:
    """(refusals so far, forgiven refusals among them). An account has one sign-in under way at a time, so no count is
    lost."""
    return await counts.mark("login refusals", *whose), await counts.mark("login refusals forgiven", *whose)


async def _count_refusals(counts: _Counts, refusals: int, forgiven: int, whose: Sequence[str]) -> None:
    # Both anew: neither outlives the other.
    await counts.raise_for_good(refusals, _REFUSALS_KEPT, "login refusals", *whose)
    if forgiven:
        await counts.raise_for_good(forgiven, _REFUSALS_KEPT, "login refusals forgiven", *whose)
