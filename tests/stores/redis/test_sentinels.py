"""A primary, its replicas and the Sentinels: what becomes of sessions and of what works once when the primary is lost.

One trio for all of it: the second test kills the primary, the third does with what is left."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from deploy.demo.ports import free
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.store_server import Sentinels, StoreServer
from gateway.model.transaction import ParkedResponse
from gateway.stores.records import RevokeSession, UseOnce
from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.tickets import unix_now
from tests.patience import until
from tests.stores.redis.servers import settings_of
from tests.stores.redis.trio import NAME, Trio, trio, until_done
from tests.stores.samples import PORTAL, Clock, Heard, Worker

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    with trio(tmp_path_factory.mktemp("trio")) as here:
        yield here


@pytest.fixture
async def nodes(three: Trio) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    """Two gateways on one prefix."""
    settings = three.settings(replicas=1, timeout=3.0)
    one, other = (RedisStore(settings, log=Heard()) for _ in range(2))
    for node in (one, other):
        await node.open()
    yield one, other
    for node in (one, other):
        await node.close()


async def test_too_few_replicas_is_cannot_say_and_who_is_signed_in_goes_on(
    three: Trio, nodes: tuple[RedisStore, RedisStore]
) -> None:
    one, other = nodes
    worker = Worker(one, Clock(unix_now()))
    cookie = await worker.sign_in()
    primary = three.primary()
    replicas = [three.process(port) for port in three.servers if port != primary]
    for process in replicas:
        process.send_signal(signal.SIGSTOP)
    try:
        now = unix_now()
        for writes in ([UseOnce(b"assertion", now + 600, now)], [RevokeSession("s1")]):
            with pytest.raises(GatewayError) as refused:
                await one.perform(writes, now)
            assert refused.value.code is store_codes.UNREACHABLE
            assert "0 of 1 replicas" in str(refused.value.detail)
        with pytest.raises(GatewayError):
            await worker.sign_in("another")
        assert await Worker(other, Clock(now)).sessions.load(PORTAL, cookie) is not None
        # What is not said to be done may be so all the same, and works no second time.
        assert await one.is_used(UseOnce(b"assertion", now + 600, now), now)
    finally:
        for process in replicas:
            process.send_signal(signal.SIGCONT)
    await until_done(lambda: worker.sign_in("another"))


async def test_when_the_primary_is_killed_all_go_on_and_nothing_works_twice(
    three: Trio, nodes: tuple[RedisStore, RedisStore]
) -> None:
    one, other = nodes
    now = unix_now()
    worker, elsewhere = Worker(one, Clock(now)), Worker(other, Clock(now))
    cookie, ended = await worker.sign_in("one"), await worker.sign_in("two")
    await worker.sessions.end_browser(PORTAL, ended)
    assertion = UseOnce(b"assertion", now + 600, now + 1)
    assert await one.perform([assertion], now)
    parked = await worker.transactions.openid_responses.put(ParkedResponse((("code", "c"),)), "192.0.2.1")
    cursor = (await other.ended_since(None)).cursor

    old = three.primary()
    three.process(old).kill()
    with pytest.raises(GatewayError) as away:
        await one.perform([assertion], now)
    assert away.value.code is store_codes.UNREACHABLE
    # How long the Sentinels take to agree is theirs, and the machine's.
    await until(lambda: three.primary() != old)
    await until_done(lambda: elsewhere.sign_in("three"))
    for node in nodes:
        await until_done(node.probe)
        # It was used; and whatever else of before may have been.
        for used in (assertion, UseOnce(b"another", now + 600, now), UseOnce(b"ahead", now + 600, now + 60, 60)):
            assert await node.is_used(used, now)
            assert not await node.perform([used], now)
    assert await worker.transactions.openid_responses.take(parked) is None
    assert not (await other.ended_since(cursor)).complete, "every worker reads its seats anew"
    later = Worker(other, Clock(now))
    assert await later.sessions.load(PORTAL, cookie) is not None
    assert await later.sessions.load(PORTAL, ended) is None
    assert await other.perform([UseOnce(b"new", now + 600, unix_now() + 1)], now)
    assert isinstance(other._log, Heard)
    assert "store.replaced" in other._log.names()


async def test_a_primary_that_stood_still_and_goes_on_is_no_second_one(
    three: Trio,
) -> None:
    """It still has what was open to it, and knows nothing of what was used up and ended meanwhile; nor is there a
    replica whose word is waited for."""
    settings = three.settings(timeout=3.0)
    nodes = one, other = [RedisStore(settings) for _ in range(2)]
    for node in nodes:
        await node.open()
    worker = Worker(one, Clock(unix_now()))
    cookie = await worker.sign_in()
    old = three.primary()
    process = three.process(old)
    process.send_signal(signal.SIGSTOP)
    try:
        await until_done(lambda: Worker(other, Clock(unix_now())).sign_in("another"))
        used = UseOnce(b"between", unix_now() + 600, unix_now() + 1)
        await until_done(lambda: other.perform([used], unix_now()))
        await until_done(lambda: Worker(other, Clock(unix_now())).sessions.end_browser(PORTAL, cookie))
        await until_done(one.probe)
    finally:
        process.send_signal(signal.SIGCONT)
    for node in nodes:
        for _ in range(20):
            with suppress(GatewayError):
                assert not await node.perform([used], unix_now())
                assert await Worker(node, Clock(unix_now())).sessions.load(PORTAL, cookie) is None
            await asyncio.sleep(0.02)
    # Who knows the new one believes the old one in nothing, whoever leads to it.
    astray = RedisStore(replace(settings, addresses=(("127.0.0.1", old),), sentinels=None))
    astray._epoch = one._epoch
    await astray.open()
    with pytest.raises(GatewayError):
        await astray.perform([used], unix_now())
    for node in (astray, *nodes):
        await node.close()


async def test_where_no_sentinel_knows_the_group_the_store_is_away() -> None:
    addresses = tuple(("127.0.0.1", port) for port in free(2))
    for settings in (settings_at(addresses), settings_at(addresses[:1])):
        store = RedisStore(settings)
        await store.open()
        with pytest.raises(GatewayError) as away:
            await store.probe()
        assert away.value.code is store_codes.UNREACHABLE
        assert NAME in str(away.value.detail)
        await store.close()


def settings_at(addresses: tuple[tuple[str, int], ...]) -> StoreServer:
    return settings_of(0, addresses=addresses, sentinels=Sentinels(NAME), timeout=0.5)
