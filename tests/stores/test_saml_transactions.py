from dataclasses import replace

import pytest

from gateway.model.codes import LIMIT_BODY
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedAnswer, SamlLogin, SamlLogout, Served
from gateway.stores.records import RecordStore
from gateway.stores.saml_transactions import PARKED_BYTES, SamlTransactions
from gateway.stores.transactions import LIFE, PARKED_LIFE, Transactions
from tests.stores.samples import JEANNE, KEYS, NOW, OTHER_KEYS, Clock, browser, login, transaction

NETWORK = "192.0.2.0/24"
LOGIN = SamlLogin(
    "departement", "_request", ("urn:a", "urn:b"), "minimum", True, browser("mine"), Served("t", transaction()), NOW
)
PARKED = ParkedAnswer(JEANNE, "reference", "_assertion", NOW + 300, NOW + 3600, ("n", None, "q", None, ""), "s")


def of(store: RecordStore, clock: Clock, **bounds: int) -> SamlTransactions:
    return SamlTransactions(store, KEYS, now=clock.now, **bounds)


async def test_a_login_is_looked_at_then_taken_once_by_its_reference_in_any_worker(
    store: RecordStore, clock: Clock
) -> None:
    one, other = of(store, clock), of(store, clock)
    await one.put_login(LOGIN, "reference", NETWORK)
    assert await other.peek_login("another") is None
    assert await other.peek_login("reference") == LOGIN
    assert await other.take_login("reference") == LOGIN
    assert await one.take_login("reference") is None
    assert await one.peek_login("reference") is None


async def test_what_is_parked_in_one_worker_is_taken_once_in_another(store: RecordStore, clock: Clock) -> None:
    one, other = of(store, clock), of(store, clock)
    id = await one.park(PARKED, NETWORK)
    assert len(id) == 43
    assert await other.take_login(id) is None
    assert await other.peek_parked("another") is None
    assert await other.spend_parked("another") is False
    assert await other.peek_parked(id) == PARKED
    assert [await one.spend_parked(id), await other.spend_parked(id)] == [True, False]
    assert await one.peek_parked(id) is None


async def test_an_answer_nobody_asked_for_is_parked_as_such(store: RecordStore, clock: Clock) -> None:
    alone = replace(PARKED, reference=None, session_until=None, session_index=None)
    transactions = of(store, clock)
    assert await transactions.peek_parked(await transactions.park(alone, NETWORK)) == alone


async def test_it_stays_parked_for_a_minute_and_a_login_for_ten(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock)
    id = await transactions.park(PARKED, NETWORK)
    await transactions.put_login(LOGIN, "reference", NETWORK)
    clock.pass_by(PARKED_LIFE)
    assert (await transactions.peek_parked(id), await transactions.spend_parked(id)) == (None, False)
    assert await transactions.peek_login("reference") == LOGIN
    clock.pass_by(LIFE - PARKED_LIFE)
    assert await transactions.peek_login("reference") is None
    assert PARKED_LIFE == 60


async def test_nothing_over_256_kb_is_parked(store: RecordStore, clock: Clock) -> None:
    large = replace(PARKED, identity=replace(JEANNE, attributes={"groups": ("x" * PARKED_BYTES,)}))
    with pytest.raises(GatewayError) as refused:
        await of(store, clock).park(large, NETWORK)
    assert refused.value.code is LIMIT_BODY


async def test_the_oldest_parked_go_first(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock, per_network=3, in_all=100)
    other = await transactions.park(PARKED, "198.51.100.0/24")
    ids = [await transactions.park(PARKED, NETWORK) for _ in range(5)]
    assert [await transactions.spend_parked(id) for id in ids] == [False] * 2 + [True] * 3
    assert await transactions.spend_parked(other)


async def test_a_logout_is_taken_once(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock)
    await transactions.put_logout(SamlLogout("departement", "_request", "https://a.example/"), "reference", NETWORK)
    assert await transactions.take_login("reference") is None
    assert await transactions.take_logout("reference") == SamlLogout("departement", "_request", "https://a.example/")
    assert await transactions.take_logout("reference") is None


async def test_another_stores_keys_open_nothing(store: RecordStore, clock: Clock) -> None:
    id = await of(store, clock).park(PARKED, NETWORK)
    assert await SamlTransactions(store, OTHER_KEYS, now=clock.now).peek_parked(id) is None


async def test_a_login_of_openid_is_none_of_saml(store: RecordStore, clock: Clock) -> None:

    await Transactions(store, KEYS, now=clock.now).put_login(login(), "state", NETWORK)
    assert await of(store, clock).take_login("state") is None
