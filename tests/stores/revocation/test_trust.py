"""How long memory answers where the store cannot say (invariants 1, 9 and 12): within the grace, and no longer."""

import asyncio
from contextlib import suppress

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.memory import MemoryStore
from gateway.stores.records import SeatKey, SeatRecord, SessionRecord
from gateway.stores.revocation.list_of_ends import Cursor, Tail
from gateway.stores.revocation.revocations import Revocations
from gateway.stores.revocation.trust import TRUSTED_FOR
from tests.patience import until
from tests.stores.samples import PERMIS, PORTAL, Clock, Worker

GRACE = 10.0
BANK = "bank.localhost"


class Trouble(MemoryStore):
    """What it can no longer do, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.feed_alone = False
        self.reads = 0
        self.held_up: asyncio.Event | None = None

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        if self.held_up is not None:
            await self.held_up.wait()
        if self.away or self.feed_alone:
            raise GatewayError(store_codes.UNREACHABLE, "away")
        return await super().ended_since(cursor)

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
        self.reads += 1
        await asyncio.sleep(0.01)
        if self.away:
            raise GatewayError(store_codes.UNREACHABLE, "away")
        return await super().read_seat(key, now)


class Holding(Worker):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.sessions.trust.allow(GRACE, {BANK: 0.0})
        self.list = Revocations(self.store, self.sessions, monotonic=self.clock.monotonic)

    def is_held(self, cookie: bytes, host: str = PORTAL) -> bool:
        return self.sessions.cached(host, cookie) is not None


@pytest.fixture
def store() -> Trouble:
    return Trouble()


@pytest.fixture
async def worker(store: Trouble, clock: Clock) -> Holding:
    worker = Holding(store, clock)
    await worker.list.poll()
    return worker


async def test_people_whom_a_worker_holds_go_on_for_the_grace_and_no_longer(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    store.away = True
    worker.clock.pass_by(1)
    await worker.list.poll()
    assert worker.is_held(cookie)
    worker.clock.pass_by(GRACE - 1.001)
    assert worker.is_held(cookie)
    worker.clock.pass_by(0.001)
    assert not worker.is_held(cookie)
    with pytest.raises(GatewayError) as refused:
        await worker.sessions.load(PORTAL, cookie)
    assert refused.value.code is store_codes.UNREACHABLE


async def test_it_counts_from_what_was_known_last_and_not_from_what_failed_first(
    store: Trouble, worker: Holding
) -> None:
    cookie = await worker.sign_in()
    worker.clock.pass_by(GRACE - 1)
    store.away = True
    await worker.list.poll()
    assert worker.is_held(cookie)
    worker.clock.pass_by(1)
    await worker.list.poll()
    assert not worker.is_held(cookie)


async def test_an_application_may_say_that_it_has_none(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    seats = {host: await worker.enter(cookie, host=host) for host in (BANK, PERMIS)}
    store.away = True
    worker.clock.pass_by(TRUSTED_FOR)
    await worker.list.poll()
    assert not worker.is_held(seats[BANK], BANK)
    assert worker.is_held(seats[PERMIS], PERMIS)


async def test_so_may_one_that_has_every_name_below_another(store: Trouble, worker: Holding) -> None:
    worker.sessions.trust.allow(GRACE, {"*.localhost": 0.0, PERMIS: GRACE})
    cookie = await worker.sign_in()
    seats = {host: await worker.enter(cookie, host=host) for host in (BANK, PERMIS)}
    store.away = True
    worker.clock.pass_by(TRUSTED_FOR)
    await worker.list.poll()
    assert not worker.is_held(seats[BANK], BANK)
    assert worker.is_held(seats[PERMIS], PERMIS)


async def test_an_application_never_has_more_than_all_have(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    worker.sessions.trust.allow(2.0, {PORTAL: 60.0})
    store.away = True
    worker.clock.pass_by(2)
    await worker.list.poll()
    assert not worker.is_held(cookie)


async def test_who_stood_still_has_no_grace_until_the_store_is_known_to_be_away(
    store: Trouble, worker: Holding
) -> None:
    cookie = await worker.sign_in()
    worker.clock.pass_by(TRUSTED_FOR)
    assert not worker.is_held(cookie)


async def test_who_knew_nothing_yet_has_none(store: Trouble, clock: Clock) -> None:
    worker = Holding(store, clock)
    store.away = True
    await worker.list.poll()
    cookie = await worker.sign_in()
    assert not worker.is_held(cookie)


async def test_an_end_that_this_worker_hears_of_is_in_force_at_once(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    seat = worker.sessions.cached(PORTAL, cookie)
    assert seat is not None
    store.away = True
    worker.clock.pass_by(2)
    await worker.list.poll()
    worker.sessions.revoke([seat.session_id])
    assert not worker.is_held(cookie)


async def test_nor_does_it_lengthen_a_limit(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in(idle=5)
    store.away = True
    worker.clock.pass_by(5)
    await worker.list.poll()
    assert not worker.is_held(cookie)


async def test_a_list_of_ends_that_alone_cannot_be_read_counts_as_a_store_that_is_away(
    store: Trouble, worker: Holding
) -> None:
    cookie = await worker.sign_in()
    store.feed_alone = True
    worker.clock.pass_by(1)
    await worker.list.poll()
    assert worker.sessions.trust.in_grace
    worker.clock.pass_by(GRACE)
    await worker.list.poll()
    assert not worker.is_held(cookie)
    assert worker.sessions.trust.is_away
    # What it is asked itself is its own word.
    assert await worker.sessions.load(PORTAL, cookie) is not None


async def test_what_ended_meanwhile_is_known_with_the_first_reading(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    other = Worker(store, worker.clock)
    store.feed_alone = True
    worker.clock.pass_by(1)
    await worker.list.poll()
    await other.sessions.end_browser(PORTAL, cookie)
    assert worker.is_held(cookie), "the price of it"
    store.feed_alone = False
    await worker.list.poll()
    assert not worker.is_held(cookie)
    assert not worker.sessions.trust.is_away


async def test_it_is_told_once_with_what_is_left_and_when_it_is_over(store: Trouble, worker: Holding) -> None:
    store.away = True
    for seconds in (1, 1, GRACE, 1):
        worker.clock.pass_by(seconds)
        await worker.list.poll()
    store.away = False
    await worker.list.poll()
    store.away = True
    await worker.list.poll()
    told = [(event, fields["seconds"]) for event, fields in worker.log.events]
    assert told == [("store.grace", 9.0), ("store.grace_over", 0.0), ("store.grace", 10.0)]


async def test_without_a_grace_nothing_goes_on_and_nothing_is_told(store: Trouble, worker: Holding) -> None:
    worker.sessions.trust.allow(0.0, {})
    cookie = await worker.sign_in()
    store.away = True
    worker.clock.pass_by(TRUSTED_FOR)
    await worker.list.poll()
    assert not worker.is_held(cookie)
    assert not worker.sessions.trust.in_grace
    assert worker.log.names() == []


async def test_while_a_reading_takes_long_memory_goes_on(store: Trouble, worker: Holding) -> None:
    """A server that stands still is away before it has said so: nobody waits for its time-out."""
    cookie = await worker.sign_in()
    store.held_up = asyncio.Event()
    reading = asyncio.create_task(worker.list.poll())
    await asyncio.sleep(0)
    worker.clock.pass_by(2)
    assert not worker.is_held(cookie)
    await until(lambda: worker.is_held(cookie))
    store.held_up.set()
    await reading
    assert not worker.sessions.trust.is_away


async def test_all_who_ask_for_one_seat_at_once_are_one_reading(store: Trouble, worker: Holding) -> None:
    cookie = await worker.sign_in()
    cold = Worker(store, worker.clock)
    asking = [asyncio.create_task(cold.sessions.load_shared(PORTAL, cookie)) for _ in range(50)]
    await asyncio.sleep(0)
    # Who leaves takes nobody along.
    asking[0].cancel()
    found = await asyncio.gather(*asking[1:])
    with suppress(asyncio.CancelledError):
        await asking[0]
    assert None not in found
    assert store.reads == 1
    assert await cold.sessions.load_shared(PORTAL, cookie) is found[0]
    assert store.reads == 2
