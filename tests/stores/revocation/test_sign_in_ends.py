"""Whose sign-ins have ended while a proven one may wait."""

from gateway.stores.records import RecordStore
from gateway.stores.tickets.tickets import Transactions
from tests.stores.samples import KEYS, NOW, Clock


async def test_an_end_is_of_what_was_before_it_and_of_nobody_else(store: RecordStore, clock: Clock) -> None:
    ends = Transactions(store, KEYS, now=clock.now).sign_in_ends
    assert not await ends.has_ended(NOW, "subject", "https://op", "alice")
    clock.pass_by(5)
    await ends.mark("192.0.2.1", "subject", "https://op", "alice")
    assert await ends.has_ended(NOW + 4, "subject", "https://op", "alice")
    assert not await ends.has_ended(NOW + 5, "subject", "https://op", "alice"), "signed in anew"
    assert not await ends.has_ended(NOW, "subject", "https://op", "bob")
    assert not await ends.has_ended(NOW, "subject", "https://other", "alice")
    assert not await ends.has_ended(NOW, "sid", "https://op", "alice")
    clock.pass_by(5)
    await ends.mark("192.0.2.1", "subject", "https://op", "alice")
    assert await ends.has_ended(NOW + 9, "subject", "https://op", "alice"), "the last one counts"


async def test_an_end_that_a_provider_tells_has_the_providers_time_and_never_falls(
    store: RecordStore, clock: Clock
) -> None:
    ends, alice = Transactions(store, KEYS, now=clock.now).sign_in_ends, ("https://op", "alice")
    assert not await ends.has_ended_at_provider(None, "subject", *alice)
    for issued in (NOW - 300, NOW - 900):
        await ends.mark_by_provider(issued, "subject", *alice)
    assert await ends.has_ended_at_provider(NOW - 300, "subject", *alice)
    assert not await ends.has_ended_at_provider(NOW - 299, "subject", *alice), (
        "issued after it, whatever our clock says"
    )
    assert await ends.has_ended_at_provider(None, "subject", *alice), "when it was issued is not known"
    assert not await ends.has_ended_at_provider(NOW - 300, "sid", *alice)
    assert not await ends.has_ended(NOW - 300, "subject", *alice)


async def test_gateways_that_use_two_keys_side_by_side_know_of_each_other(store: RecordStore, clock: Clock) -> None:
    newer = ("k2", b"n" * 32)
    here, there = (Transactions(store, keys, now=clock.now) for keys in ([newer, *KEYS], [*KEYS, newer]))
    clock.pass_by(1)
    await there.sign_in_ends.mark("192.0.2.1", "browser", "b")
    assert await here.sign_in_ends.has_ended(NOW, "browser", "b")
    await there.sign_in_ends.mark_by_provider(NOW, "sid", "s")
    assert await here.sign_in_ends.has_ended_at_provider(NOW, "sid", "s")
