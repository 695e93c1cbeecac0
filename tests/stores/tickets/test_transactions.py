import asyncio
import random
from dataclasses import replace
from itertools import count

import pytest

from gateway.model.codes import limit_codes
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedResponse, SignOut
from gateway.stores.records import RecordStore, TicketKey
from gateway.stores.sealing import shard_of, shard_of_browser
from gateway.stores.tickets.tickets import LIFE, OPENID_PARKED_BYTES, PARKED_OF_ONE, ROUND_WINDOW, Transactions
from tests.stores.samples import KEYS, OTHER_KEYS, PERMIS, Around, Clock, Worker, browser, login, transaction

NETWORK = "192.0.2.0/24"


async def test_a_transaction_is_peeked_at_then_spent_once(worker: Worker) -> None:
    id = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    assert await worker.transactions.sign_ins.peek(id) == transaction()
    assert await worker.transactions.sign_ins.spend(id)
    assert not await worker.transactions.sign_ins.spend(id)
    assert await worker.transactions.sign_ins.peek(id) is None


async def test_ten_tabs_have_ten_transactions(worker: Worker) -> None:
    targets = [f"/page/{number}" for number in range(10)]
    ids = await asyncio.gather(
        *(worker.transactions.sign_ins.put(transaction(target=target), NETWORK) for target in targets)
    )
    found = await asyncio.gather(*(worker.transactions.sign_ins.peek(id) for id in reversed(ids)))
    assert [each.return_target for each in found if each is not None] == targets[::-1]
    assert all(await asyncio.gather(*(worker.transactions.sign_ins.spend(id) for id in ids)))


async def test_a_login_is_taken_once_by_its_state(worker: Worker) -> None:
    await worker.transactions.openid_logins.put(login(), NETWORK, "state-1")
    assert await worker.transactions.openid_logins.take("state-2") is None
    assert await worker.transactions.openid_logins.take("state-1") == login()
    assert await worker.transactions.openid_logins.take("state-1") is None


async def test_a_login_is_no_transaction(worker: Worker) -> None:
    id = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    assert await worker.transactions.openid_logins.take(id) is None
    assert await worker.sessions.hand_overs.take(id) is None
    assert await worker.transactions.sign_ins.spend(id)


async def test_both_end_with_their_time_though_nothing_cleans_up(worker: Worker, clock: Clock) -> None:
    # Attack K070.
    id = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    await worker.transactions.openid_logins.put(login(), NETWORK, "state-1")
    clock.pass_by(LIFE - 1)
    assert await worker.transactions.sign_ins.peek(id) is not None
    clock.pass_by(1)
    assert await worker.transactions.sign_ins.peek(id) is None
    assert not await worker.transactions.sign_ins.spend(id)
    assert await worker.transactions.openid_logins.take("state-1") is None


async def test_a_parked_response_is_taken_once_within_a_minute(worker: Worker, clock: Clock) -> None:
    response = ParkedResponse((("state", "s"), ("code", "é"), ("code", "\udc80")))
    id = await worker.transactions.openid_responses.put(response, "state-1")
    assert await worker.transactions.openid_logins.take(id) is None
    assert await worker.transactions.openid_responses.take(id) == response
    assert await worker.transactions.openid_responses.take(id) is None
    id = await worker.transactions.openid_responses.put(response, "state-1")
    clock.pass_by(60)
    assert await worker.transactions.openid_responses.take(id) is None


async def test_whether_a_login_is_there_is_told_without_taking_it(worker: Worker) -> None:
    await worker.transactions.openid_logins.put(login(), NETWORK, "state-1")
    assert await worker.transactions.openid_logins.peek("state-1") is not None
    assert await worker.transactions.openid_logins.peek("state-2") is None
    assert await worker.transactions.openid_logins.peek("") is None
    assert await worker.transactions.openid_logins.take("state-1") == login()


async def test_of_one_state_few_responses_are_parked_and_none_that_is_large(worker: Worker) -> None:
    responses, small = worker.transactions.openid_responses, ParkedResponse((("state", "s"),))
    ids = [await responses.put(small, "state-1") for _ in range(PARKED_OF_ONE + 1)]
    other = await responses.put(small, "state-2")
    kept = [await responses.take(id) is not None for id in (*ids, other)]
    assert kept == [False, *[True] * PARKED_OF_ONE, True]
    with pytest.raises(GatewayError) as refused:
        await responses.put(ParkedResponse((("code", "x" * OPENID_PARKED_BYTES),)), "state-1")
    assert refused.value.code is limit_codes.BODY


async def test_a_clean_start_is_one_by_browser_and_host_and_their_number_is_bounded_by_client(
    worker: Worker, clock: Clock
) -> None:
    starts, mine = worker.transactions.start_cleanly, browser("mine")
    assert await starts(mine, PERMIS, NETWORK)
    assert not await starts(mine, PERMIS, NETWORK)
    assert await starts(mine, "paie.localhost", NETWORK)
    assert await starts(browser("other"), PERMIS, NETWORK)
    await worker.transactions.clear_clean_start(mine, PERMIS)
    assert await starts(mine, PERMIS, NETWORK)
    clock.pass_by(ROUND_WINDOW)
    assert await starts(mine, PERMIS, NETWORK)
    few = Transactions(worker.store, KEYS, per_network=2, now=clock.now)
    for number in range(4):
        assert await few.start_cleanly(browser(str(number)), PERMIS, "198.51.100.7")
    again = [await few.start_cleanly(browser(str(number)), PERMIS, "203.0.113.9") for number in range(4)]
    assert again == [True, True, False, False]


def test_none_lives_longer_than_ten_minutes() -> None:
    # Attack CS01.4.
    assert LIFE == 600


async def test_ids_are_random_but_for_their_shard_and_never_come_twice(worker: Worker) -> None:
    # Attack K050.
    state = random.getstate()
    ids = []
    for _ in range(200):
        random.seed(1)
        ids.append(await worker.transactions.sign_ins.put(transaction(), NETWORK))
    random.setstate(state)
    assert len({*ids}) == 200
    assert {len(id) for id in ids} == {43}
    assert {shard_of(id) for id in ids} == {shard_of_browser(transaction().binding)}


async def test_ids_and_seals_are_drawn_from_the_source_that_was_given(store: RecordStore) -> None:
    numbers = count()
    transactions = Transactions(store, KEYS, token_bytes=lambda size: next(numbers).to_bytes(size, "big"))
    assert await transactions.openid_logouts.put(SignOut("metropole", ""), NETWORK) == "A" * 43
    assert next(numbers) == 2


@pytest.mark.parametrize(
    "id", ["", "A" * 43, "x" * 1_000_000, "é\ud800", "*", "{t}", "a\r\nb", "\x00", "'; DROP TABLE tickets;"]
)
async def test_a_made_up_id_is_nothing(worker: Worker, id: str) -> None:
    # Attack K112.
    kept = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    assert await worker.transactions.sign_ins.peek(id) is None
    assert not await worker.transactions.sign_ins.spend(id)
    assert await worker.transactions.openid_logins.take(id) is None
    assert await worker.transactions.sign_ins.peek(kept) is not None


async def test_an_id_that_is_too_long_costs_nothing(store: RecordStore) -> None:
    class Silent(Around):
        async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None:
            raise AssertionError

        take_ticket = peek_ticket

    transactions = Worker(Silent(store), Clock()).transactions
    assert await transactions.sign_ins.peek("x" * 257) is None
    assert not await transactions.sign_ins.spend("x" * 257)
    assert not await transactions.sign_ins.spend("")


async def test_a_client_that_opens_many_loses_its_own_oldest_and_nobody_elses(store: RecordStore, clock: Clock) -> None:
    transactions = Transactions(store, KEYS, per_network=5, in_all=100, now=clock.now)
    other = await transactions.sign_ins.put(transaction(), "198.51.100.0/24")
    ids = [await transactions.sign_ins.put(transaction(), NETWORK) for _ in range(8)]
    assert [await transactions.sign_ins.peek(id) is not None for id in ids] == [False] * 3 + [True] * 5
    assert await transactions.sign_ins.peek(other) is not None


async def test_many_clients_together_are_bounded_too(store: RecordStore, clock: Clock) -> None:
    transactions = Transactions(store, KEYS, per_network=5, in_all=20, now=clock.now)
    ids = [await transactions.sign_ins.put(transaction(), f"2001:db8:{number}::/64") for number in range(30)]
    assert [await transactions.sign_ins.peek(id) is not None for id in ids] == [False] * 10 + [True] * 20


async def test_under_another_stores_key_nothing_opens_and_what_was_tried_is_burnt(
    store: RecordStore, clock: Clock
) -> None:
    await Worker(store, clock).transactions.openid_logins.put(login(), NETWORK, "state-1")
    other = Worker(store, clock, keys=OTHER_KEYS)
    assert await other.transactions.openid_logins.take("state-1") is None
    assert other.log.names() == ["store.unreadable"]
    assert await Worker(store, clock).transactions.openid_logins.take("state-1") is None


async def test_a_retired_store_key_still_opens_while_it_is_listed(store: RecordStore, clock: Clock) -> None:
    id = await Worker(store, clock).transactions.sign_ins.put(transaction(), NETWORK)
    assert await Worker(store, clock, keys=OTHER_KEYS + KEYS).transactions.sign_ins.peek(id) == transaction()


async def test_every_field_comes_back_as_it_went(worker: Worker) -> None:
    odd = replace(transaction(), return_target="/é?q=\ud800\x00\"'", not_before=1_700_000_000, round=2)
    odd = replace(odd, hints=(("login_hint", "é@m.example"), ("siret_hint", "21590350100017")))
    assert await worker.transactions.sign_ins.peek(await worker.transactions.sign_ins.put(odd, NETWORK)) == odd
    alone = replace(login(), serves=None)
    await worker.transactions.openid_logins.put(alone, NETWORK, "state-1")
    assert await worker.transactions.openid_logins.take("state-1") == alone


async def test_rounds_are_counted_by_browser_and_host(worker: Worker, clock: Clock) -> None:
    transactions, mine = worker.transactions, browser("mine")
    assert await transactions.rounds(mine, PERMIS) == 0
    await worker.store.perform([transactions.round_counted(mine, PERMIS, 0)], clock.now())
    await worker.store.perform([transactions.round_counted(mine, PERMIS, 1)], clock.now())
    assert await transactions.rounds(mine, PERMIS) == 2
    assert await transactions.rounds(mine, "paie.localhost") == 0
    assert await transactions.rounds(browser("other"), PERMIS) == 0
    await transactions.clear_rounds(mine, PERMIS)
    assert await transactions.rounds(mine, PERMIS) == 0
    await worker.store.perform([transactions.round_counted(mine, PERMIS, 0)], clock.now())
    clock.pass_by(ROUND_WINDOW)
    assert await transactions.rounds(mine, PERMIS) == 0


async def test_a_round_is_forgotten_as_early_as_is_asked_and_never_later_than_usual(
    worker: Worker, clock: Clock
) -> None:
    transactions, mine = worker.transactions, browser("mine")
    await worker.store.perform([transactions.round_counted(mine, PERMIS, 0, 5)], clock.now())
    clock.pass_by(4)
    assert await transactions.rounds(mine, PERMIS) == 1
    clock.pass_by(1)
    assert await transactions.rounds(mine, PERMIS) == 0
    await worker.store.perform([transactions.round_counted(mine, PERMIS, 0, 500)], clock.now())
    clock.pass_by(ROUND_WINDOW)
    assert await transactions.rounds(mine, PERMIS) == 0


async def test_the_end_of_a_first_seat_is_kept_as_it_was_told_first(worker: Worker, clock: Clock) -> None:
    now, other = clock.now(), Worker(worker.store, clock).transactions
    until = now + 1000
    assert await worker.transactions.first_seat("s", PERMIS, ends_at=now + 100, until=until) == now + 100
    assert await other.first_seat("s", PERMIS, ends_at=now + 700, until=until + 900) == now + 100
    assert await other.first_seat("s", "paie.localhost", ends_at=now + 700, until=until) == now + 700
    assert await other.first_seat("t", PERMIS, ends_at=now + 700, until=until) == now + 700
    clock.pass_by(1000)
    assert await other.first_seat("s", PERMIS, ends_at=now + 1700, until=now + 2000) == now + 1700


async def test_ten_tabs_of_one_round_make_one_round_together(worker: Worker, clock: Clock) -> None:
    for _ in range(10):
        await worker.store.perform([worker.transactions.round_counted(browser("mine"), PERMIS, 0)], clock.now())
    assert await worker.transactions.rounds(browser("mine"), PERMIS) == 1


async def test_what_works_once_works_once_across_workers_until_its_time(store: RecordStore, clock: Clock) -> None:
    """Invariant 6: of many at the same moment, one."""
    one, other = (Worker(store, clock).transactions for _ in range(2))
    until = clock.now() + 60
    uses = await asyncio.gather(*(each.first_use("logout", "iss", "j1", until=until) for each in (one, other) * 8))
    assert sorted(uses) == [False] * 15 + [True]
    assert await one.first_use("logout", "is", "sj1", until=until)
    assert await one.first_use("assertion", "iss", "j1", until=until)
    clock.pass_by(60)
    assert await other.first_use("logout", "iss", "j1", until=clock.now() + 60)


async def test_a_new_store_key_gives_no_second_use(store: RecordStore, clock: Clock) -> None:
    until = clock.now() + 60
    assert await Worker(store, clock).transactions.first_use("logout", "j1", until=until)
    renewed = Worker(store, clock, keys=(*OTHER_KEYS, *KEYS)).transactions
    assert not await renewed.first_use("logout", "j1", until=until)
