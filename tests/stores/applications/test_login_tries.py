"""Counts of tries at accounts of applications, also by two workers on one file."""

import asyncio
from pathlib import Path

import pytest

from gateway.model.account import CountedLogin
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.stores.applications.login_tries import TURN, LoginTries
from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.samples import KEYS, OTHER_KEYS, Clock

HOUR = 3600
HELENE, PAUL = CountedLogin("grr", "helene", "helene"), CountedLogin("grr", "paul", "paul")
# One account to most applications, and two persons' to some.
ACCENTED = HELENE._replace(login="hélène")


@pytest.fixture
def tries(store: RecordStore, clock: Clock) -> LoginTries:
    return LoginTries(store, KEYS, now=clock.now)


async def failed(tries: LoginTries, of: CountedLogin = HELENE, *, most: int = 3, within: int = HOUR) -> bool:
    """Whether one more try began, of which nothing came."""
    return await tries.begin(of, most=most, within=within) is not None


async def worked(tries: LoginTries, of: CountedLogin = HELENE, *, clears: bool = False) -> None:
    tried = await tries.begin(of, most=3, within=HOUR)
    assert tried is not None
    await tries.succeeded(of, tried, clears=clears)


async def test_one_sign_in_of_an_account_at_a_time(tries: LoginTries, clock: Clock) -> None:
    turn = await tries.take_turn(HELENE)
    assert turn is not None
    assert await tries.take_turn(HELENE) is None
    assert await tries.take_turn(ACCENTED) is None, "however it is written"
    assert await tries.take_turn(PAUL) is not None
    assert await tries.take_turn(HELENE._replace(base="rh")) is not None
    await tries.end_turn(HELENE, turn)
    again = await tries.take_turn(HELENE)
    assert again not in (None, turn)


async def test_a_turn_whose_worker_is_gone_ends_by_itself(tries: LoginTries, clock: Clock) -> None:
    assert await tries.take_turn(HELENE) is not None
    clock.pass_by(TURN - 1)
    assert await tries.take_turn(HELENE) is None
    clock.pass_by(2)
    assert await tries.take_turn(HELENE) is not None


async def test_tries_count_until_their_time_is_over(tries: LoginTries, clock: Clock) -> None:
    assert [await failed(tries) for _ in range(5)] == [True, True, True, False, False]
    assert await failed(tries, PAUL)
    clock.pass_by(HOUR + 61)
    assert await failed(tries)


async def test_no_success_is_counted_and_none_ends_the_count(tries: LoginTries, clock: Clock) -> None:
    """An application may count on after one."""
    for _ in range(2):
        assert await failed(tries)
        for _ in range(12):
            await worked(tries)
    assert await failed(tries)
    assert not await failed(tries)
    clock.pass_by(HOUR + 61)
    assert [await failed(tries) for _ in range(4)] == [True, True, True, False]


async def test_a_success_ends_the_count_of_its_own_login_where_the_file_says_so(
    tries: LoginTries, clock: Clock
) -> None:
    for _ in range(3):
        assert [await failed(tries) for _ in range(2)] == [True, True]
        await worked(tries, clears=True)
    assert [await failed(tries, ACCENTED) for _ in range(2)] == [True, True]
    await worked(tries, clears=True)
    assert [await failed(tries), await failed(tries)] == [True, False], "another's failures may be of this account"


async def test_a_success_ends_no_count_of_the_login_that_took_its_places_since(tries: LoginTries, clock: Clock) -> None:
    """Whoever has the one of two accounts that are counted together would have more tries at the other."""
    assert [await failed(tries, ACCENTED) for _ in range(2)] == [True, True]
    clock.pass_by(HOUR + 61)
    assert [await failed(tries) for _ in range(2)] == [True, True]
    await worked(tries, ACCENTED, clears=True)
    assert [await failed(tries) for _ in range(3)] == [True, False, False]


async def test_what_failed_after_a_success_counts_for_its_whole_time(tries: LoginTries, clock: Clock) -> None:
    """The mark of the success would have ended before it, and the tries begun anew."""
    await worked(tries)
    clock.pass_by(HOUR - 60)
    begun = []
    for _ in range(6):
        begun.append(await failed(tries))
        clock.pass_by(9 * 60)
    assert begun == [True] * 3 + [False] * 3


async def test_where_the_application_forgets_nothing_tries_count_for_a_year(tries: LoginTries, clock: Clock) -> None:
    year, begun = 365 * 24 * HOUR, []
    for _ in range(12):
        begun.append(await failed(tries, within=year))
        clock.pass_by(30 * 24 * HOUR)
    assert begun == [True] * 3 + [False] * 9
    clock.pass_by(10 * 24 * HOUR)
    assert await failed(tries, within=year)


async def test_what_failed_long_after_a_success_counts_for_its_whole_year(tries: LoginTries, clock: Clock) -> None:
    """The mark of the success would have ended before it."""
    year = 365 * 24 * HOUR
    await worked(tries)
    clock.pass_by(200 * 24 * HOUR)
    assert [await failed(tries, within=year) for _ in range(3)] == [True] * 3
    clock.pass_by(170 * 24 * HOUR)
    assert not await failed(tries, within=year)


async def test_a_form_that_comes_late_counts_for_its_whole_time(tries: LoginTries, clock: Clock) -> None:
    """It is counted before it is sent, and the application counts it when it comes."""
    for _ in range(3):
        assert await failed(tries)
    clock.pass_by(HOUR + TURN)
    assert not await failed(tries)


async def test_fewer_tries_than_the_file_gave_before_hold_at_once(tries: LoginTries, clock: Clock) -> None:
    for _ in range(6):
        assert await failed(tries, most=6)
        clock.pass_by(HOUR // 8)
    clock.pass_by(HOUR // 4 + 90)
    # Of the first ones the time is over.
    assert not await failed(tries, most=3)


async def test_another_time_of_the_file_holds_at_once_for_what_was_counted_before(
    tries: LoginTries, clock: Clock
) -> None:
    await worked(tries)
    for _ in range(3):
        assert await failed(tries)
    clock.pass_by(12 * HOUR)
    assert not await failed(tries, within=24 * HOUR)
    assert await failed(tries, within=HOUR)


async def test_a_new_store_key_forgets_no_try_and_no_refusal(store: RecordStore, clock: Clock) -> None:
    keys = StoreKeys(KEYS)
    tries = LoginTries(store, keys, now=clock.now)
    await worked(tries)
    for _ in range(2):
        assert await failed(tries)
    await tries.refused(HELENE, "old", within=HOUR)
    for rotated in (OTHER_KEYS + KEYS, OTHER_KEYS):
        # Another worker's, and then one that began later still.
        later = LoginTries(store, rotated, now=clock.now)
        assert await later.is_refused(HELENE, "old", most=3)
    assert [await failed(later) for _ in range(2)] == [True, False]


async def test_a_secret_that_was_refused_is_known_and_another_one_is_not(tries: LoginTries, clock: Clock) -> None:
    await tries.refused(HELENE, "old", within=HOUR)
    assert await tries.is_refused(HELENE, "old", most=3)
    assert not await tries.is_refused(HELENE, "new", most=3)
    assert not await tries.is_refused(PAUL, "old", most=3)
    clock.pass_by(HOUR + 1)
    assert not await tries.is_refused(HELENE, "old", most=3)


async def test_a_secret_is_refused_so_often_and_no_more_however_long_it_takes(tries: LoginTries, clock: Clock) -> None:
    """Applications that never forget a wrong password lock at a number of them, in whatever time."""

    async def refused_each_hour(hours: int, *logins: CountedLogin) -> int:
        sent = 0
        for number in range(hours):
            login = logins[number % len(logins)]
            if not await tries.is_refused(login, "old", most=3):
                sent += 1
                await tries.refused(login, "old", within=HOUR)
            clock.pass_by(HOUR + 1)
        return sent

    assert await refused_each_hour(2, HELENE) == 2
    # The application takes it after all, and forgets with that.
    await tries.taken(HELENE, "old")
    assert await refused_each_hour(2, HELENE, ACCENTED) == 2
    await tries.taken(HELENE, "old")
    assert await refused_each_hour(24, HELENE, ACCENTED) == 2, "that of the other login counts on"
    clock.pass_by(300 * 86400)
    assert await tries.is_refused(HELENE, "old", most=3)
    assert not await tries.is_refused(HELENE, "old", most=4), "where the file has one more try"
    assert not await tries.is_refused(HELENE, "new", most=3)


async def test_what_counts_no_more_counts_no_more_for_as_long_as_what_it_is_taken_off(
    tries: LoginTries, clock: Clock
) -> None:
    for _ in range(3):
        await tries.refused(HELENE, "old", within=HOUR)
    await tries.taken(HELENE, "old")
    clock.pass_by(200 * 86400)
    await tries.refused(HELENE, "old", within=HOUR)
    clock.pass_by(200 * 86400)
    assert not await tries.is_refused(HELENE, "old", most=3)


async def test_a_store_that_has_lost_its_counts_sends_nothing_for_as_long_as_they_would_have_counted(
    clock: Clock,
) -> None:
    store = MemoryStore()
    first, second = (LoginTries(store, KEYS, now=clock.now) for _ in range(2))
    assert await failed(first)
    clock.pass_by(2 * 61)
    store.__init__()  # type: ignore[misc]
    # To the second one it is the first of all stores, until the first one has looked.
    assert await failed(second)
    for tries in (first, second):
        with pytest.raises(GatewayError) as lost:
            await failed(tries)
        assert lost.value.code is form_login_codes.TRIES
        assert "lost its counts" in lost.value.detail
    clock.pass_by(HOUR + 61)
    assert await failed(first)


async def test_two_workers_on_one_file_count_together(tmp_path: Path, clock: Clock) -> None:
    stores = [SqliteStore(tmp_path / "sessions.db") for _ in range(2)]
    for store in stores:
        await store.open()
    workers = [LoginTries(store, KEYS, now=clock.now) for store in stores]
    turns = await asyncio.gather(*(worker.take_turn(HELENE) for worker in workers * 5))
    assert len([turn for turn in turns if turn is not None]) == 1
    begun = await asyncio.gather(*(failed(worker) for worker in workers * 4))
    assert begun.count(True) == 3
    for store in stores:
        await store.close()


async def test_the_store_names_no_account_and_holds_no_secret(tmp_path: Path, clock: Clock) -> None:
    store = SqliteStore(tmp_path / "sessions.db")
    await store.open()
    tries = LoginTries(store, KEYS, now=clock.now)
    await tries.take_turn(HELENE)
    await failed(tries)
    await tries.refused(HELENE, "s3cret", within=HOUR)
    await store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"helene" not in content
    assert b"s3cret" not in content
