"""What directories tell of people lasts, on every store, and is of their own people alone."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.model.scim import ScimClient
from gateway.scim.user import UserState
from gateway.stores.people import told_people
from gateway.stores.people.told_forms import SeenPerson
from gateway.stores.people.told_people import ToldPeople
from gateway.stores.records import RecordStore
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.samples import KEYS, OTHER_KEYS, Clock

VILLE = ScimClient("ville", "entra", (b"v" * 32,))
METROPOLE = replace(VILLE, name="metropole")
ANNE = UserState("anne@ville.example", "a1", active=True)
SEEN = SeenPerson("https://op.example", "subject-of-anne")
TEN_YEARS = 10 * 365 * 86_400


def told_by(store: RecordStore, clock: Clock, keys: object = KEYS) -> ToldPeople:
    return ToldPeople(store, lambda: keys, now=clock.now)  # type: ignore[arg-type, return-value]


@pytest.fixture
def told(store: RecordStore, clock: Clock) -> ToldPeople:
    return told_by(store, clock)


async def test_who_is_inactive_is_so_until_their_directory_says_otherwise(told: ToldPeople, clock: Clock) -> None:
    assert not await told.is_inactive(VILLE, "anne")
    await told.set_active(VILLE, "anne", active=False)
    await told.set_active(VILLE, "anne", active=False)
    clock.pass_by(TEN_YEARS)
    assert await told.is_inactive(VILLE, "anne")
    assert await told.is_inactive(VILLE, "ANNE"), "userName knows no case"
    await told.set_active(VILLE, "anne", active=True)
    await told.set_active(VILLE, "anne", active=True)
    assert not await told.is_inactive(VILLE, "anne")
    await told.set_active(VILLE, "anne", active=False)
    assert await told.is_inactive(VILLE, "anne")


async def test_it_is_of_its_own_people_alone(told: ToldPeople) -> None:
    await told.set_active(VILLE, "anne", active=False)
    user = await told.add(VILLE, ANNE)
    await told.saw(VILLE, "anne", SEEN)
    assert not await told.is_inactive(METROPOLE, "anne")
    assert await told.user(METROPOLE, user.id) is None
    assert await told.find(METROPOLE, "userName", ANNE.user_name) is None
    assert await told.page(METROPOLE, 1, 100) == ([], 0)
    assert not await told.remove(METROPOLE, user)
    assert await told.seen(METROPOLE, "anne") == ()


async def test_a_user_is_found_by_both_names(told: ToldPeople, clock: Clock) -> None:
    user = await told.add(VILLE, ANNE)
    assert (user.state, user.created) == (ANNE, clock.now())
    assert await told.user(VILLE, user.id) == user
    assert await told.find(VILLE, "userName", "Anne@Ville.example") == user
    assert await told.find(VILLE, "externalId", "a1") == user
    assert await told.find(VILLE, "externalId", "A1") is None
    await told.set_active(VILLE, ANNE.user_name, active=False)
    assert await told.user(VILLE, user.id) == replace(user, state=replace(ANNE, active=False))


async def test_a_name_is_one_users(told: ToldPeople) -> None:
    first = await told.add(VILLE, ANNE)
    for state in (replace(ANNE, external_id="a2"), UserState("other", "a1", active=True)):
        with pytest.raises(GatewayError) as caught:
            await told.add(VILLE, state)
        assert caught.value.code is scim_codes.TAKEN
    second = await told.add(VILLE, UserState("other", "a2", active=True))
    with pytest.raises(GatewayError):
        await told.replace(VILLE, second, replace(second.state, user_name="ANNE@ville.example"))
    renamed = await told.replace(VILLE, first, replace(ANNE, user_name="anne.dupont@ville.example"))
    assert await told.find(VILLE, "userName", ANNE.user_name) is None
    assert await told.find(VILLE, "userName", "anne.dupont@ville.example") == renamed
    await told.replace(VILLE, second, replace(second.state, user_name=ANNE.user_name))


async def test_users_who_are_deleted_leave_their_names_and_their_places(told: ToldPeople) -> None:
    users = [await told.add(VILLE, UserState(f"user {number}", None, active=True)) for number in range(5)]
    assert await told.remove(VILLE, users[1])
    assert not await told.remove(VILLE, users[1])
    assert await told.user(VILLE, users[1].id) is None
    assert await told.find(VILLE, "userName", "user 1") is None
    assert await told.page(VILLE, 1, 2) == ([users[0], users[2]], 5)
    assert await told.page(VILLE, 4, 100) == (users[3:], 5)
    assert await told.page(VILLE, 6, 100) == ([], 5)
    assert await told.page(VILLE, 1, 0) == ([], 5)
    again = await told.add(VILLE, UserState("user 1", None, active=True))
    assert again.id not in {user.id for user in users}


async def test_a_page_looks_into_so_many_places_and_never_again_into_empty_ones_at_the_front(
    told: ToldPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_AT_ONCE", 2), ("_MOST_LOOKED", 4), ("_STILL_WRITTEN", 2)):
        monkeypatch.setattr(told_people, name, value)
    users = [await told.add(VILLE, UserState(f"user {number}", None, active=True)) for number in range(14)]
    for user in users[:9]:
        await told.remove(VILLE, user)
    looked: list[str] = []
    own = ToldPeople.user

    async def user(self: ToldPeople, client: ScimClient, id: str) -> object:
        looked.append(id)
        return await own(self, client, id)

    monkeypatch.setattr(ToldPeople, "user", user)
    for expected in (["1", "2", "3", "4"], ["5", "6", "7", "8"]):
        with pytest.raises(GatewayError) as caught:
            await told.page(VILLE, 1, 100)
        assert (caught.value.code, looked) == (scim_codes.TOO_MANY, expected)
        looked.clear()
    assert await told.page(VILLE, 1, 2) == (users[9:11], 14)
    assert looked == ["9", "10", "11", "12"]
    # Those in the middle are looked into each time, and what may still be written too.
    for one in users[10:]:
        await told.remove(VILLE, one)
    assert await told.page(VILLE, 1, 100) == ([users[9]], 14)
    assert await told.page(VILLE, 11, 100) == ([], 14)
    looked.clear()
    assert await told.page(VILLE, 1, 0) == ([], 14)
    assert looked == []


async def test_users_who_are_told_of_at_once_are_apart(told: ToldPeople) -> None:
    states = [UserState(f"user {number}", None, active=True) for number in range(10)]
    users = await asyncio.gather(*(told.add(VILLE, state) for state in states))
    assert len({user.id for user in users}) == 10
    found, places = await told.page(VILLE, 1, 100)
    assert sorted(user.state.user_name for user in found) == sorted(state.user_name for state in states)
    assert places == 10


async def test_everybody_who_was_seen_under_a_name_is_known(told: ToldPeople) -> None:
    assert await told.seen(VILLE, "anne") == ()
    subjects = [SeenPerson(SEEN.issuer, f"transient {number}") for number in range(60)]
    for person in (SEEN, SEEN, *subjects, SEEN):
        await told.saw(VILLE, "Anne", person)
    assert set(await told.seen(VILLE, "anne")) == {SEEN, *subjects}
    at_once = [SeenPerson(SEEN.issuer, f"at once {number}") for number in range(10)]
    await asyncio.gather(*(told.saw(VILLE, "anne", person) for person in at_once))
    assert set(await told.seen(VILLE, "anne")) == {SEEN, *subjects, *at_once}


async def test_by_what_a_person_was_seen_last(told: ToldPeople, clock: Clock) -> None:
    assert await told.seen_as(VILLE, SEEN) == ()
    await told.saw_as(VILLE, SEEN, ("anne@ville.example", "a.durand"))
    clock.pass_by(TEN_YEARS)
    assert await told.seen_as(VILLE, SEEN) == ("anne@ville.example", "a.durand")
    await told.saw_as(VILLE, SEEN, ("a.martin",))
    assert await told.seen_as(VILLE, SEEN) == ("a.martin",)
    assert await told.seen_as(METROPOLE, SEEN) == ()
    assert await told.seen_as(VILLE, replace(SEEN, issuer="https://other.example")) == ()


async def test_a_new_key_leaves_all_of_it_readable(store: RecordStore, told: ToldPeople, clock: Clock) -> None:
    user = await told.add(VILLE, ANNE)
    await told.set_active(VILLE, ANNE.user_name, active=False)
    await told.saw(VILLE, "anne", SEEN)
    newer = told_by(store, clock, (*OTHER_KEYS, *KEYS))
    assert await newer.is_inactive(VILLE, ANNE.user_name)
    assert await newer.user(VILLE, user.id) == replace(user, state=replace(ANNE, active=False))
    assert await newer.seen(VILLE, "anne") == (SEEN,)
    await newer.set_active(VILLE, ANNE.user_name, active=True)
    assert not await newer.is_inactive(VILLE, ANNE.user_name)
    assert (await newer.add(VILLE, UserState("other", None, active=True))).id != user.id
    assert await newer.remove(VILLE, user)
    assert await newer.user(VILLE, user.id) is None


async def test_keys_change_while_it_serves(store: RecordStore, clock: Clock) -> None:
    keys = [KEYS]
    told = ToldPeople(store, lambda: keys[0], now=clock.now)
    await told.set_active(VILLE, "anne", active=False)
    keys[0] = OTHER_KEYS
    assert not await told.is_inactive(VILLE, "anne"), "its key is gone"
    keys[0] = (*OTHER_KEYS, *KEYS)
    assert await told.is_inactive(VILLE, "anne")


async def test_it_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    for inactive in (False, True):
        store = SqliteStore(tmp_path / "sessions.db")
        await store.open()
        told = told_by(store, clock)
        assert await told.is_inactive(VILLE, "anne") is inactive
        await told.set_active(VILLE, "anne", active=False)
        await store.purge(clock.now() + TEN_YEARS)
        await store.close()
        clock.pass_by(TEN_YEARS)


async def test_what_says_that_somebody_is_inactive_outlives_a_loss_of_power(clock: Clock) -> None:
    written: list[bool] = []

    class Watched:
        async def mark(self, key: object, now: int) -> int:
            return 0

        async def perform(self, writes: list[object], now: int) -> bool:
            written.extend(getattr(write, "durable") for write in writes)  # noqa: B009
            return True

    await told_by(Watched(), clock).set_active(VILLE, "anne", active=False)  # type: ignore[arg-type]
    assert written == [True]
