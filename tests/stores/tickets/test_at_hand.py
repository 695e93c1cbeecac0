"""What a worker has put into the store and reads at hand: as long as the store would have it, and no longer."""

from dataclasses import replace

from gateway.model.transaction import ParkedAssertion
from gateway.stores.memory import MemoryStore
from gateway.stores.sealing import StoreKeys
from gateway.stores.tickets.tickets import LIFE, Transactions
from tests.stores.samples import KEYS, OTHER_KEYS, Clock
from tests.stores.tickets.test_saml_transactions import LOGIN, NETWORK, PARKED

MOST = 128


class Read(MemoryStore):
    """`reads`: how often a ticket was looked at here."""

    reads = 0

    async def peek_ticket(self, *asked: object) -> bytes | None:
        self.reads += 1
        return await super().peek_ticket(*asked)  # type: ignore[arg-type]


def made(clock: Clock, keys: StoreKeys | None = None) -> tuple[Read, Transactions]:
    store = Read()
    return store, Transactions(store, keys or KEYS, now=clock.now)


async def test_what_a_worker_put_it_reads_at_hand_until_it_takes_it() -> None:
    store, here = made(Clock())
    login, parked = await here.saml_logins.put(LOGIN, NETWORK), await here.saml_responses.put(PARKED, NETWORK)
    assert await here.saml_logins.peek(login) == LOGIN
    assert await here.saml_responses.peek(parked) == PARKED
    assert store.reads == 0
    assert await here.saml_logins.take(login) == LOGIN
    assert await here.saml_responses.spend(parked)
    assert await here.saml_logins.peek(login) is None
    assert await here.saml_responses.peek(parked) is None


async def test_it_is_there_no_longer_than_in_the_store() -> None:
    clock = Clock()
    _, here = made(clock)
    login = await here.saml_logins.put(LOGIN, NETWORK)
    clock.pass_by(LIFE)
    assert await here.saml_logins.peek(login) is None


async def test_under_a_store_key_that_is_no_more_nothing_is_at_hand() -> None:
    keys = StoreKeys(KEYS)
    _, here = made(Clock(), keys)
    login = await here.saml_logins.put(LOGIN, NETWORK)
    keys.replace(OTHER_KEYS)
    assert await here.saml_logins.peek(login) is None


async def test_so_many_are_at_hand_and_none_that_is_large() -> None:
    """Whoever is put out is read from the store."""
    store, here = made(Clock())
    ids = [await here.saml_logins.put(LOGIN, NETWORK) for _ in range(MOST + 1)]
    assert [await here.saml_logins.peek(id) for id in ids] == [LOGIN] * (MOST + 1)
    assert store.reads == 1
    large: ParkedAssertion = replace(PARKED, session_index="x" * 20_000)
    assert await here.saml_responses.peek(await here.saml_responses.put(large, NETWORK)) == large
    assert store.reads == 2
