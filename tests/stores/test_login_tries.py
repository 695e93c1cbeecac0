"""What is counted of accounts at applications, on every kind of store, and by two workers on one file."""

import asyncio
from pathlib import Path

import pytest

from gateway.stores.login_tries import TURN, LoginTries
from gateway.stores.records import RecordStore
from gateway.stores.sqlite import SqliteStore
from tests.stores.samples import KEYS, OTHER_KEYS, Clock

HOUR = 3600


@pytest.fixture
def tries(store: RecordStore, clock: Clock) -> LoginTries:
    return LoginTries(store, KEYS, now=clock.now)


async def test_one_sign_in_of_an_account_at_a_time(tries: LoginTries, clock: Clock) -> None:
    turn = await tries.take_turn("grr", "helene")
    assert turn is not None
    assert await tries.take_turn("grr", "helene") is None
    assert await tries.take_turn("grr", "paul") is not None
    assert await tries.take_turn("rh", "helene") is not None
    await tries.end_turn("grr", "helene", turn)
    again = await tries.take_turn("grr", "helene")
    assert again not in (None, turn)


async def test_a_turn_whose_worker_is_gone_ends_by_itself(tries: LoginTries, clock: Clock) -> None:
    assert await tries.take_turn("grr", "helene") is not None
    clock.pass_by(TURN - 1)
    assert await tries.take_turn("grr", "helene") is None
    clock.pass_by(2)
    assert await tries.take_turn("grr", "helene") is not None


async def test_tries_are_counted_until_one_succeeds_or_the_time_is_over(tries: LoginTries, clock: Clock) -> None:
    async def begun(login: str = "helene") -> bool:
        return await tries.begin("grr", login, most=3, within=HOUR)

    assert [await begun() for _ in range(5)] == [True, True, True, False, False]
    assert await begun("paul")
    clock.pass_by(HOUR + 61)
    assert await begun()
    await tries.succeeded("grr", "helene", within=HOUR)
    assert [await begun() for _ in range(4)] == [True, True, True, False]
    clock.pass_by(HOUR + 61)
    assert await begun()


async def test_where_the_application_forgets_nothing_tries_count_until_one_succeeds(
    tries: LoginTries, clock: Clock
) -> None:
    year = 365 * 24 * HOUR
    begun = []
    for _ in range(12):
        begun.append(await tries.begin("grr", "helene", most=3, within=year))
        clock.pass_by(30 * 24 * HOUR)
    assert begun == [True] * 3 + [False] * 9
    await tries.succeeded("grr", "helene", within=year)
    assert await tries.begin("grr", "helene", most=3, within=year)


async def test_what_failed_after_a_success_counts_for_its_whole_time(tries: LoginTries, clock: Clock) -> None:
    """The mark of the success would have ended before it, and the tries begun anew."""
    await tries.succeeded("grr", "helene", within=HOUR)
    clock.pass_by(HOUR - 60)
    begun = []
    for _ in range(6):
        begun.append(await tries.begin("grr", "helene", most=3, within=HOUR))
        clock.pass_by(9 * 60)
    assert begun == [True] * 3 + [False] * 3


async def test_a_form_that_comes_late_counts_for_its_whole_time(tries: LoginTries, clock: Clock) -> None:
    """It is counted before it is sent, and the application counts it when it comes."""
    for _ in range(3):
        assert await tries.begin("grr", "helene", most=3, within=HOUR)
    clock.pass_by(HOUR + TURN)
    assert not await tries.begin("grr", "helene", most=3, within=HOUR)


async def test_a_new_store_key_forgets_no_success_and_no_refusal(
    store: RecordStore, tries: LoginTries, clock: Clock
) -> None:
    await tries.succeeded("grr", "helene", within=HOUR)
    for _ in range(2):
        assert await tries.begin("grr", "helene", most=3, within=HOUR)
    await tries.refused("grr", "helene", "old", within=HOUR)
    rotated = LoginTries(store, OTHER_KEYS + KEYS, now=clock.now)
    assert await rotated.is_refused("grr", "helene", "old", most=3)
    assert [await rotated.begin("grr", "helene", most=3, within=HOUR) for _ in range(2)] == [True, False]


async def test_successes_are_known_for_longer_than_what_came_before_them(tries: LoginTries, clock: Clock) -> None:
    for _ in range(3):
        await tries.begin("grr", "helene", most=4, within=HOUR)
        await tries.succeeded("grr", "helene", within=HOUR)
        clock.pass_by(HOUR // 2)
    assert [await tries.begin("grr", "helene", most=2, within=HOUR) for _ in range(3)] == [True, True, False]


async def test_a_secret_that_was_refused_is_known_and_another_one_is_not(tries: LoginTries, clock: Clock) -> None:
    await tries.refused("grr", "helene", "old", within=HOUR)
    assert await tries.is_refused("grr", "helene", "old", most=3)
    assert not await tries.is_refused("grr", "helene", "new", most=3)
    assert not await tries.is_refused("grr", "paul", "old", most=3)
    clock.pass_by(HOUR + 1)
    assert not await tries.is_refused("grr", "helene", "old", most=3)


async def test_a_secret_is_refused_so_often_and_no_more_however_long_it_takes(tries: LoginTries, clock: Clock) -> None:
    """Applications that never forget a wrong password lock at a number of them, in whatever time."""

    async def refused_each_hour(hours: int) -> int:
        sent = 0
        for _ in range(hours):
            if not await tries.is_refused("grr", "helene", "old", most=3):
                sent += 1
                await tries.refused("grr", "helene", "old", within=HOUR)
            clock.pass_by(HOUR + 1)
        return sent

    assert await refused_each_hour(2) == 2
    # The application takes it after all, and forgets with that.
    await tries.taken("grr", "helene", "old")
    assert await refused_each_hour(24) == 3
    clock.pass_by(300 * 86400)
    assert await tries.is_refused("grr", "helene", "old", most=3)
    assert not await tries.is_refused("grr", "helene", "old", most=4), "where the file has one more try"
    assert not await tries.is_refused("grr", "helene", "new", most=3)


async def test_two_workers_on_one_file_count_together(tmp_path: Path, clock: Clock) -> None:
    stores = [SqliteStore(tmp_path / "sessions.db") for _ in range(2)]
    for store in stores:
        await store.open()
    workers = [LoginTries(store, KEYS, now=clock.now) for store in stores]
    turns = await asyncio.gather(*(worker.take_turn("grr", "helene") for worker in workers * 5))
    assert len([turn for turn in turns if turn is not None]) == 1
    begun = await asyncio.gather(*(worker.begin("grr", "helene", most=3, within=HOUR) for worker in workers * 4))
    assert begun.count(True) == 3
    for store in stores:
        await store.close()


async def test_the_store_names_no_account_and_holds_no_secret(tmp_path: Path, clock: Clock) -> None:
    store = SqliteStore(tmp_path / "sessions.db")
    await store.open()
    tries = LoginTries(store, KEYS, now=clock.now)
    await tries.take_turn("grr", "helene")
    await tries.begin("grr", "helene", most=3, within=HOUR)
    await tries.refused("grr", "helene", "s3cret", within=HOUR)
    await store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"helene" not in content
    assert b"s3cret" not in content
