"""The key under which tries are counted: one in all workers, and for longer than any store key."""

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.applications.counting_key import CountingKey
from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys
from tests.stores.samples import KEYS, OTHER_KEYS, Clock

YEAR = 365 * 86400


def of(store: RecordStore, clock: Clock, keys: StoreKeys | None = None) -> CountingKey:
    return CountingKey(store, keys or StoreKeys(KEYS), now=clock.now)


async def test_all_workers_have_one_and_it_goes_on_for_years(store: RecordStore, clock: Clock) -> None:
    first = await of(store, clock).read()
    assert (first.begun, first.lost) == (clock.now(), 0)
    for _ in range(3):
        clock.pass_by(YEAR)
        assert await of(store, clock).read() == first


async def test_it_outlives_the_store_key_that_it_began_under(store: RecordStore, clock: Clock) -> None:
    first = await of(store, clock).read()
    assert await of(store, clock, StoreKeys(OTHER_KEYS + KEYS)).read() == first
    assert await of(store, clock, StoreKeys(OTHER_KEYS)).read() == first


async def test_a_worker_that_knows_it_carries_it_over_a_key_that_is_gone(store: RecordStore, clock: Clock) -> None:
    keys = StoreKeys(KEYS)
    worker = of(store, clock, keys)
    first = await worker.read()
    keys.replace(OTHER_KEYS)
    assert await worker.read() == first
    assert await of(store, clock, StoreKeys(OTHER_KEYS)).read() == first


async def test_one_that_nobody_can_open_any_more_is_a_loss(store: RecordStore, clock: Clock) -> None:
    first = await of(store, clock).read()
    clock.pass_by(61)
    after = await of(store, clock, StoreKeys(OTHER_KEYS)).read()
    assert after.secret != first.secret
    assert after.lost == clock.now()
    clock.pass_by(5)
    assert await of(store, clock, StoreKeys(OTHER_KEYS)).read() == after


async def test_an_emptied_store_is_a_loss_to_all_that_have_one_of_their_own_to_tell_it_by(clock: Clock) -> None:
    store = MemoryStore()
    first, second = of(store, clock), of(store, clock)
    for worker in (first, second):
        await worker.read()
    clock.pass_by(61)
    store.__init__()  # type: ignore[misc]
    lost = await first.read()
    assert lost.lost == clock.now()
    clock.pass_by(5)
    assert await second.read() == lost
    assert await of(store, clock).read() == lost


async def test_a_store_that_another_worker_took_for_the_first_of_all_is_a_loss(clock: Clock) -> None:
    store = MemoryStore()
    known = of(store, clock)
    await known.read()
    clock.pass_by(61)
    store.__init__()  # type: ignore[misc]
    newcomer = of(store, clock)
    assert (await newcomer.read()).lost == 0
    clock.pass_by(5)
    assert (await known.read()).lost == clock.now()
    assert (await newcomer.read()).lost == clock.now()


async def test_workers_that_begin_together_are_one_beginning(clock: Clock) -> None:
    store = MemoryStore()
    first = of(store, clock)
    await first.read()
    store.__init__()  # type: ignore[misc]
    clock.pass_by(1)
    late = await of(store, clock).read()
    assert await first.read() == late
    assert late.lost == 0


async def test_the_store_has_it_under_seal(clock: Clock) -> None:
    store = MemoryStore()
    counting = await of(store, clock).read()
    kept = [ticket.sealed for of_kind in store._tickets.values() for ticket in of_kind.values()]
    assert len(kept) == 1
    assert counting.secret not in kept[0]
    assert counting.secret.hex() not in repr(counting)


async def test_a_store_that_cannot_say_counts_nothing(clock: Clock) -> None:
    class Away(MemoryStore):
        async def peek_ticket(self, *asked: object) -> bytes | None:
            raise GatewayError(store_codes.UNREACHABLE, "away")

    with pytest.raises(GatewayError) as away:
        await of(Away(), clock).read()
    assert away.value.code is store_codes.UNREACHABLE
