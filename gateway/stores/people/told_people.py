"""Directories' messages by SCIM, and the people they are about: kept for years, on every kind of store.

The active state of a person is a mark that only rises, even for an active person: concurrent writes of two workers
never end below either. Records are stored under keyed hashes of the directory's name and the person's name. The keys
are separate, because store keys are dropped when no session needs them.
"""

import asyncio
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.model.scim import NameAttribute, ScimClient
from gateway.ops.log import Log
from gateway.scim.user import ToldUser, UserState, compared
from gateway.stores.codec import Form
from gateway.stores.people.told_forms import SEEN_AS, SEEN_PERSON, TOLD_NAME, TOLD_USER, KeptUser, SeenPerson
from gateway.stores.records import MarkKey, RaiseEndMark, RaiseLastingMark, RaiseMark, RecordStore, UseOnce
from gateway.stores.sealing import StoreKeys, TokenBytes, shard_of
from gateway.stores.tickets.tickets import Bounds, Tickets, unix_now

ToldKeys = Sequence[tuple[str, bytes]]

# Seconds.
_FOR_EVER: Final = 50 * 365 * 86_400
# Users of one directory; with more, whoever was told of longest ago is shown to it no more. The marks are not bounded.
_MOST: Final = 1_000_000
_BOUNDS: Final = Bounds(_FOR_EVER, per_group=_MOST, in_all=4 * _MOST, longest=16 << 10)
# Subjects of one name that are found again. A provider that invents one for each sign-in has as many as those.
_MOST_SUBJECTS: Final = 1000
_AT_ONCE: Final = 50
# Places that one page looks into. Of those from the first on that are all empty it is kept, and none of them is looked
# into again; a user may still be written at one of the last.
_MOST_LOOKED: Final = 2000
_STILL_WRITTEN: Final = 1000

_Kept = TypeVar("_Kept")


class ToldPeople:
    """Users as directories reported them. Every coroutine raises GatewayError(store_codes.UNREACHABLE) when the store
    cannot answer.

    `keys`: `scim.keys` of gateway.yaml, as currently loaded; without keys the store is not asked.
    `now`: Unix seconds.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: Callable[[], ToldKeys],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._live_keys = keys
        self._log = log
        self._now = now
        self._token_bytes = token_bytes
        self._taken: ToldKeys = ()
        self._made: StoreKeys | None = None

    # --- whether somebody is active

    async def is_inactive(self, client: ScimClient, name: str) -> bool:
        """Whether the directory calls this person inactive, also by a name that the user had before: the provider may
        use the old name long after the directory. If the user is gone, the name counts as inactive until the directory
        names a user by it again."""
        if await self._is_marked(client, name):
            return True
        id, now = await self._called_now(client, name)
        return id is not None and (now is None or await self._is_marked(client, now))

    async def _is_marked(self, client: ScimClient, name: str) -> bool:
        return await self._generation(client, name) % 2 == 1

    async def _called_now(self, client: ScimClient, name: str) -> tuple[str | None, str | None]:
        """(id, name): the user who has this name, or had it last, and the name by which the directory calls the user
        now. An unknown id or name is None."""
        id = await self._read(TOLD_NAME, client, client.named_by, compared(client.named_by, name))
        if id is None or (kept := await self._read(TOLD_USER, client, id)) is None:
            return id, None
        return id, kept.user_name if client.named_by == "userName" else kept.external_id

    async def set_active(self, client: ScimClient, name: str, *, active: bool) -> None:
        """Sets whether the person is active. The change survives a loss of power once the method returns."""
        generation = await self._generation(client, name)
        if (generation % 2 == 0) is active:
            return
        made = RaiseLastingMark if active else RaiseEndMark
        await self._raise(made, client, generation + 1, "active", compared(client.named_by, name))

    async def _generation(self, client: ScimClient, name: str) -> int:
        return await self._mark(client, "active", compared(client.named_by, name))

    # --- the users of a directory

    async def user(self, client: ScimClient, id: str) -> ToldUser | None:
        kept = await self._read(TOLD_USER, client, id)
        if kept is None:
            return None
        state = UserState(kept.user_name, kept.external_id, active=True)
        inactive = await self._is_marked(client, state.named(client.named_by) or "")
        return ToldUser(kept.id, replace(state, active=not inactive), kept.created, kept.modified)

    async def find(self, client: ScimClient, attribute: NameAttribute, value: str) -> ToldUser | None:
        id = await self._read(TOLD_NAME, client, attribute, compared(attribute, value))
        user = None if id is None else await self.user(client, id)
        # What led there may be older than the user's name.
        is_it = user is not None and compared(attribute, user.state.named(attribute) or "") == compared(
            attribute, value
        )
        return user if is_it else None

    async def page(self, client: ScimClient, start: int, count: int) -> tuple[list[ToldUser], int]:
        """(users, number of places): `count` users from place `start` (counted from 1), in the order in which the
        directory first named them. The places of deleted users stay empty.

        Raises GatewayError(scim_codes.TOO_MANY) after a very long run of empty places. If the run is at the beginning,
        the next call starts behind it.
        """
        places, empty = await asyncio.gather(self._mark(client, "users"), self._mark(client, "users gone"))
        begin = max(start, empty + 1)
        end = min(begin + _MOST_LOOKED, places + 1) if count else begin
        found: list[ToldUser] = []
        for first in range(begin, end, _AT_ONCE):
            ids = range(first, min(first + _AT_ONCE, end))
            users = await asyncio.gather(*(self.user(client, str(id)) for id in ids))
            found += [user for user in users if user is not None]
            if len(found) >= count:
                break
        gone = min(int(found[0].id) - 1 if found else end - 1, places - _STILL_WRITTEN)
        if start <= empty + 1 <= gone:
            await self._raise(RaiseMark, client, gone, "users gone")
        if not found and count and end <= places:
            raise GatewayError(
                scim_codes.TOO_MANY, f"over {_MOST_LOOKED} users that were deleted: ask for one by a filter"
            )
        return found[:count], places

    async def add(self, client: ScimClient, state: UserState) -> ToldUser:
        """Raises GatewayError(scim_codes.TAKEN)."""
        await self.require_free(client, None, state)
        place = await self._mark(client, "users") + 1
        while not await self._first(client, "place", str(place)):
            place += 1
        await self._raise(RaiseMark, client, place, "users")
        now = self._now()
        return await self._write(client, ToldUser(str(place), state, now, now))

    async def replace(self, client: ScimClient, before: ToldUser, state: UserState) -> ToldUser:
        """Raises GatewayError(scim_codes.TAKEN)."""
        if state == before.state:
            return before
        await self.require_free(client, before, state)
        return await self._write(client, replace(before, state=state, modified=self._now()))

    async def remove(self, client: ScimClient, user: ToldUser) -> bool:
        """Deletes the user's record. Leaves the mark for active or inactive as it is."""
        ids = self._ids(TOLD_USER, client, user.id)
        taken = await asyncio.gather(*(self._tickets(TOLD_USER).take(id) for id in ids))
        return any(one is not None for one in taken)

    async def require_free(self, client: ScimClient, before: ToldUser | None, state: UserState) -> None:
        """Raises GatewayError(scim_codes.TAKEN) if a user other than `before` has one of the names."""
        for attribute in _ATTRIBUTES:
            name = state.named(attribute)
            other = None if name is None else await self.find(client, attribute, name)
            if other is not None and (before is None or other.id != before.id):
                raise GatewayError(scim_codes.TAKEN, f"the user {other.id} has this {attribute}")

    async def _write(self, client: ScimClient, user: ToldUser) -> ToldUser:
        state = user.state
        kept = KeptUser(user.id, state.user_name, state.external_id, user.created, user.modified)
        await self._put(TOLD_USER, kept, client, user.id)
        for attribute in _ATTRIBUTES:
            if (name := state.named(attribute)) is not None:
                await self._put(TOLD_NAME, user.id, client, attribute, compared(attribute, name))
        return user

    # --- who has signed in

    async def saw(self, client: ScimClient, name: str, person: SeenPerson) -> None:
        """Notes a person's sign-in. Call before the session is made: from then on the directory can end the session, by
        this name or by the user's current name."""
        await self._saw(client, name, person)
        _, now = await self._called_now(client, name)
        if now is not None and compared(client.named_by, now) != compared(client.named_by, name):
            await self._saw(client, now, person)

    async def renamed(self, client: ScimClient, before: str, name: str) -> None:
        """Makes people who signed in under the old name findable by the new name."""
        for person in await self.seen(client, before):
            await self._saw(client, name, person)

    async def saw_as(self, client: ScimClient, person: SeenPerson, names: tuple[str, ...]) -> None:
        """Keeps the names from the provider's attributes at the last sign-in: an access token may lack them."""
        if await self.seen_as(client, person) != names:
            await self._put(SEEN_AS, names, client, person.issuer, person.subject)

    async def seen_as(self, client: ScimClient, person: SeenPerson) -> tuple[str, ...]:
        """Empty for an unknown person."""
        return await self._read(SEEN_AS, client, person.issuer, person.subject) or ()

    async def _saw(self, client: ScimClient, name: str, person: SeenPerson) -> None:
        name = compared(client.named_by, name)
        number = await self._mark(client, "seen", name)
        if number and await self._person(client, name, number) == person:
            return
        if person in await self._seen(client, name, number):
            return
        number += 1
        while not await self._first(client, "seen", name, str(number)):
            number += 1
        await self._put(SEEN_PERSON, person, client, name, str(number))
        await self._raise(RaiseMark, client, number, "seen", name)

    async def seen(self, client: ScimClient, name: str) -> tuple[SeenPerson, ...]:
        """The people who have signed in under this name; only the latest if there were very many."""
        name = compared(client.named_by, name)
        return tuple(await self._seen(client, name, await self._mark(client, "seen", name)))

    async def _seen(self, client: ScimClient, name: str, last: int) -> dict[SeenPerson, None]:
        found: dict[SeenPerson, None] = {}
        for first in range(max(1, last - _MOST_SUBJECTS + 1), last + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, last + 1))
            some = await asyncio.gather(*(self._person(client, name, one) for one in numbers))
            found.update(dict.fromkeys(person for person in some if person is not None))
        return found

    async def _person(self, client: ScimClient, name: str, number: int) -> SeenPerson | None:
        return await self._read(SEEN_PERSON, client, name, str(number))

    # --- under the keys

    def _keys(self) -> StoreKeys:
        live = self._live_keys()
        if self._made is None:
            self._made, self._taken = StoreKeys(live), live
        elif live != self._taken:
            self._made.replace(live)
            self._taken = live
        return self._made

    def _tickets(self, form: Form[_Kept]) -> Tickets[_Kept]:
        return Tickets(
            form, self._store, self._keys(), _BOUNDS, log=self._log, now=self._now, token_bytes=self._token_bytes
        )

    def _ids(self, form: Form[_Kept], client: ScimClient, *parts: str) -> list[str]:
        found = self._keys().indexes(form.kind, client.name, *parts)
        return [urlsafe_b64encode(one).rstrip(b"=").decode("ascii") for one in found]

    async def _put(self, form: Form[_Kept], value: _Kept, client: ScimClient, *parts: str) -> None:
        await self._tickets(form).put(value, client.name, self._ids(form, client, *parts)[0])

    async def _read(self, form: Form[_Kept], client: ScimClient, *parts: str) -> _Kept | None:
        """Reads the record under the newest store key that has it."""
        tickets = self._tickets(form)
        for id in self._ids(form, client, *parts):
            if (found := await tickets.peek(id)) is not None:
                return found
        return None

    async def _mark(self, client: ScimClient, kind: str, *parts: str) -> int:
        now = self._now()
        marks = [_key(index) for index in self._keys().indexes(f"told {kind}", client.name, *parts)]
        return max(await asyncio.gather(*(self._store.mark(mark, now) for mark in marks)))

    async def _raise(self, made: type[RaiseMark], client: ScimClient, number: int, kind: str, *parts: str) -> None:
        now, key = self._now(), _key(self._keys().index(f"told {kind}", client.name, *parts))
        await self._store.perform([made(key, number, now + _FOR_EVER)], now)

    async def _first(self, client: ScimClient, kind: str, *parts: str) -> bool:
        # Under every key: while a new one comes into use, workers may differ in which is the first.
        now = self._now()
        uses = [UseOnce(key, now + _FOR_EVER) for key in self._keys().indexes(f"told {kind}", client.name, *parts)]
        return all(await asyncio.gather(*(self._store.perform([use], now) for use in uses)))


_ATTRIBUTES: Final[tuple[NameAttribute, ...]] = ("userName", "externalId")


def _key(index: bytes) -> MarkKey:
    return MarkKey(shard_of(index.hex()), index)
