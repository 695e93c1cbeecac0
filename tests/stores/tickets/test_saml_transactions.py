from dataclasses import replace

import pytest

from gateway.model.codes import limit_codes
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedAssertion, SamlLogin, SamlLogout, Served
from gateway.stores.records import RecordStore
from gateway.stores.tickets.tickets import LIFE, PARKED_LIFE, SAML_PARKED_BYTES, Transactions
from tests.stores.samples import JEANNE, KEYS, NOW, OTHER_KEYS, Clock, browser, login, transaction

NETWORK = "192.0.2.0/24"
LOGIN = SamlLogin(
    "departement", "_request", ("urn:a", "urn:b"), "minimum", True, browser("mine"), Served("t", transaction()), NOW
)
PARKED = ParkedAssertion(
    JEANNE, "reference", "_assertion", NOW + 300, NOW + 3600, ("n", None, "q", None, ""), "s", login=LOGIN
)


def of(store: RecordStore, clock: Clock, **bounds: int) -> Transactions:
    return Transactions(store, KEYS, now=clock.now, **bounds)


async def test_a_login_is_looked_at_then_taken_once_by_its_reference_in_any_worker(
    store: RecordStore, clock: Clock
) -> None:
    one, other = of(store, clock), of(store, clock)
    await one.saml_logins.put(LOGIN, NETWORK, "reference")
    assert await other.saml_logins.peek("another") is None
    assert await other.saml_logins.peek("reference") == LOGIN
    assert await other.saml_logins.take("reference") == LOGIN
    assert await one.saml_logins.take("reference") is None
    assert await one.saml_logins.peek("reference") is None


async def test_what_is_parked_in_one_worker_is_taken_once_in_another(store: RecordStore, clock: Clock) -> None:
    one, other = of(store, clock), of(store, clock)
    id = await one.saml_responses.put(PARKED, NETWORK)
    assert len(id) == 43
    assert await other.saml_logins.take(id) is None
    assert await other.saml_responses.peek("another") is None
    assert await other.saml_responses.spend("another") is False
    assert await other.saml_responses.peek(id) == PARKED
    assert [await one.saml_responses.spend(id), await other.saml_responses.spend(id)] == [True, False]
    assert await one.saml_responses.peek(id) is None


async def test_an_answer_nobody_asked_for_is_parked_as_such(store: RecordStore, clock: Clock) -> None:
    alone = replace(PARKED, reference=None, login=None, session_until=None, session_index=None)
    transactions = of(store, clock)
    assert await transactions.saml_responses.peek(await transactions.saml_responses.put(alone, NETWORK)) == alone


async def test_it_stays_parked_for_a_minute_and_a_login_for_ten(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock)
    id = await transactions.saml_responses.put(PARKED, NETWORK)
    await transactions.saml_logins.put(LOGIN, NETWORK, "reference")
    clock.pass_by(PARKED_LIFE)
    assert (await transactions.saml_responses.peek(id), await transactions.saml_responses.spend(id)) == (None, False)
    assert await transactions.saml_logins.peek("reference") == LOGIN
    clock.pass_by(LIFE - PARKED_LIFE)
    assert await transactions.saml_logins.peek("reference") is None
    assert PARKED_LIFE == 60


async def test_nothing_over_256_kb_is_parked(store: RecordStore, clock: Clock) -> None:
    large = replace(PARKED, identity=replace(JEANNE, attributes={"groups": ("x" * SAML_PARKED_BYTES,)}))
    with pytest.raises(GatewayError) as refused:
        await of(store, clock).saml_responses.put(large, NETWORK)
    assert refused.value.code is limit_codes.BODY


async def test_the_oldest_parked_go_first(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock, per_network=3, in_all=100)
    other = await transactions.saml_responses.put(PARKED, "198.51.100.0/24")
    ids = [await transactions.saml_responses.put(PARKED, NETWORK) for _ in range(5)]
    assert [await transactions.saml_responses.spend(id) for id in ids] == [False] * 2 + [True] * 3
    assert await transactions.saml_responses.spend(other)


async def test_a_logout_is_taken_once(store: RecordStore, clock: Clock) -> None:
    transactions = of(store, clock)
    await transactions.saml_logouts.put(
        SamlLogout("departement", "_request", "https://a.example/"), NETWORK, "reference"
    )
    assert await transactions.saml_logins.take("reference") is None
    assert await transactions.saml_logouts.take("reference") == SamlLogout(
        "departement", "_request", "https://a.example/"
    )
    assert await transactions.saml_logouts.take("reference") is None


async def test_another_stores_keys_open_nothing(store: RecordStore, clock: Clock) -> None:
    id = await of(store, clock).saml_responses.put(PARKED, NETWORK)
    assert await Transactions(store, OTHER_KEYS, now=clock.now).saml_responses.peek(id) is None


async def test_a_login_of_openid_is_none_of_saml(store: RecordStore, clock: Clock) -> None:

    await Transactions(store, KEYS, now=clock.now).openid_logins.put(login(), NETWORK, "state")
    assert await of(store, clock).saml_logins.take("state") is None
