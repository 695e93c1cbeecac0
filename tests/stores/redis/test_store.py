"""A store on a server of its own: what it holds, and what becomes of it when the server ends, is emptied or is away."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import trustme

from deploy.demo.ports import free
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.transaction import ParkedResponse
from gateway.stores.records import AddSession, RevokeSession, SeatKey, UseOnce
from gateway.stores.redis.lacks import read_info
from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.tickets import unix_now
from tests.bench.round_trips import counted, nothing_at_hand, of_openid, of_saml
from tests.patience import PATIENCE
from tests.portal.flow.test_session_limit import allow
from tests.portal.installation import ACTES, Installation, installed
from tests.stores.redis.cluster import Cluster, TestedClusterStore
from tests.stores.redis.proxy import proxied
from tests.stores.redis.servers import TestedStore, leaves_no_socket, server, settings_of
from tests.stores.samples import (
    NOTHING,
    PORTAL,
    Clock,
    Heard,
    Worker,
    add_session,
    seat_record,
    session_record,
)
from tests.stores.sessions.test_session_limit import limit_of, made

pytestmark = pytest.mark.service


@pytest.fixture
async def shared(valkey: int) -> AsyncIterator[TestedStore]:
    made = TestedStore(settings_of(valkey))
    await made.open()
    yield made
    await made.close()


# --- what it holds


async def test_everything_but_the_list_of_ends_has_a_lifetime(shared: TestedStore) -> None:
    worker = Worker(shared, Clock(unix_now()))
    await shared.purge(worker.clock.now(), bury=True)
    cookie = await worker.sign_in()
    await worker.enter(cookie)
    await worker.code(cookie)
    await worker.transactions.first_use("assertion", "id", until=worker.clock.now() + 60)
    await worker.sessions.end_browser(PORTAL, await worker.sign_in("another"))
    lasting = [key for key in await shared.names() if await shared._connections.ask(["TTL", key], again=True) < 0]
    prefix = shared._server.prefix.encode()
    assert sorted(key.removeprefix(prefix) for key in lasting) == [b"{all}ended", b"{store}"]


async def test_a_dump_of_the_server_tells_no_name(shared: TestedStore) -> None:
    """Invariant 8."""
    worker = Worker(shared, Clock(unix_now()))
    cookie = await worker.sign_in()
    await worker.code(cookie)
    for key in await shared.names():
        dump = await shared._connections.ask(["DUMP", key], again=True)
        for text in (b"jdupont", b"jeanne", b"subject-of-jeanne", b"/dossiers", cookie.rpartition(b".")[2]):
            assert text not in key
            assert text not in dump


# --- round trips


async def test_a_warm_request_asks_nothing_a_cold_one_once_and_a_hand_over_three_times(valkey: int) -> None:
    async with proxied(valkey) as proxy:
        store = RedisStore(settings_of(proxy.port))
        await store.open()
        worker, cold = Worker(store, Clock(unix_now())), Worker(store, Clock(unix_now()))
        cookie = await worker.sign_in()
        before = proxy.requests
        assert worker.sessions.cached(PORTAL, cookie) is not None
        assert proxy.requests == before
        assert await cold.sessions.load(PORTAL, cookie) is not None
        assert proxy.requests == before + 1
        before = proxy.requests
        code = await worker.code(cookie)
        assert code is not None
        hand_over = await worker.sessions.hand_overs.take(code)
        assert hand_over is not None
        assert await worker.sessions.take_seat(hand_over, replaces=None) is not None
        assert proxy.requests == before + 3
        await store.close()


async def test_a_sign_in_waits_for_seven_round_trips(valkey: int) -> None:
    """From the first page to the seat on the application's host, through the provider."""
    async with counted(valkey) as (store, waits), installed(store=store) as here:
        for _ in range(2):
            before = waits.asked - waits.waited
            assert await of_openid(here, waits) == {
                "/dossier/7": 1,
                "/_ecluse/start": 2,
                # The last one: whether the browser was another person's.
                "/_ecluse/callback/metropole": 3,
                "/_ecluse/enter": 1,
            }
            # Beside the last one: whether the provider has signed the person, or its own session, out.
            assert waits.asked - waits.waited == before + 2


async def test_a_sign_in_by_saml_waits_for_seven_round_trips(valkey: int) -> None:
    """The worker that put the login and the response has them at hand; another worker reads each of them first."""
    async with counted(valkey) as (store, waits):
        assert await of_saml(store, waits) == 7
        # The marks of the person and of the provider's session are read beside another question.
        assert waits.asked == waits.waited + 2
        with nothing_at_hand():
            assert await of_saml(store, waits) == 9


async def test_where_people_are_limited_a_sign_in_looks_once_more_and_what_goes_is_another(valkey: int) -> None:
    async with counted(valkey) as (store, waits):
        async with installed(store=store) as here:
            allow(here, 1)
            assert (await of_openid(here, waits))["/_ecluse/callback/metropole"] == 4
        worker = Worker(store, Clock(unix_now()))
        await made(worker, "home")
        worker.clock.pass_by(1)
        for where, asked in (("home", 1), ("work", 2)):
            session, before = await made(worker, where), waits.asked
            await limit_of(worker).end_oldest(session, 1, buried=False)
            assert waits.asked == before + asked


async def test_in_a_cluster_a_sign_in_has_two_tags_and_asks_once_more(nodes: Cluster) -> None:
    store = TestedClusterStore(nodes.settings())
    await store.open()
    asked, ask = 0, store._asked

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        asked += 1
        return await ask(*args, **kwargs)

    store._asked = counted  # type: ignore[method-assign]
    async with installed(store=store) as here:
        counts = await asked_by(here, lambda: asked)
        assert counts.pop("the page") == 1
        # One less where chance has given both browsers' bindings one tag. Two read the provider's marks.
        assert sum(counts.values()) in (9, 10)
    await store.close()


async def asked_by(here: Installation, so_far: Callable[[], int]) -> dict[str, int]:
    """What each address of ours asked the store, of a sign-in in a new browser."""
    asked: dict[str, int] = {}
    browser, url = here.browser(), here.url(ACTES, "/dossier/7")
    while True:
        before = so_far()
        reply = await browser.get(url, follow=False)
        path = urlsplit(url).path
        if so_far() > before:
            asked["the page" if path in asked else path] = so_far() - before
        if reply.status != 303:
            assert reply.text == "actes for alice"
            return asked
        url = urljoin(url, reply.location)


# --- never somebody else's reply


@pytest.mark.slow
async def test_ten_thousand_cancelled_commands_leave_no_reply_for_another(valkey: int) -> None:
    chance = random.Random(7)
    async with proxied(valkey, lambda: chance.uniform(0, 0.002)) as proxy:
        store = RedisStore(settings_of(proxy.port))
        await store.open()
        now, ids = unix_now(), [f"s{number}" for number in range(20)]
        for id in ids:
            await add_session(store, session_record(id, now=now), seat_record(id, now=now), NOTHING, now)
        cancelled = answered = 0

        async def asks(share: int) -> None:
            nonlocal cancelled, answered
            while cancelled < 10_000:
                id = chance.choice(ids)
                asking = asyncio.create_task(store.read_seat(SeatKey(id, b"l1"), now))
                if chance.random() < 0.9:
                    await asyncio.sleep(chance.uniform(0, 0.004))
                    asking.cancel()
                try:
                    found = await asking
                except asyncio.CancelledError:
                    cancelled += 1
                    continue
                answered += 1
                assert found is not None
                assert found[0].id == id
                assert found[0].sealed == b"sealed " + id.encode()

        await asyncio.gather(*(asks(share) for share in range(12)))
        assert answered > 500
        # Nothing is lost for good: every connection is free again.
        await asyncio.gather(*(store.read_session(id, now) for id in ids * 5))
        # People who leave cost no new connection.
        assert proxy.connections <= settings_of(proxy.port).connections
        await store.close()


# --- a server that ends, is emptied, or is away


async def test_a_server_that_was_started_again_refuses_what_others_made_before(tmp_path: Path) -> None:
    (port,) = free(1)
    store = RedisStore(settings_of(port))
    with server("valkey", tmp_path, port=port):
        await store.open()
        now = unix_now()
        late = UseOnce(b"assertion", now + 600, issued=now)
        await add_session(store, session_record(now=now), seat_record(now=now), NOTHING, now)
        cursor = (await store.ended_since(None)).cursor
        assert (await store.ended_since(cursor)).complete
        assert not await store.is_used(late, now)
        assert await store.perform([UseOnce(b"first", now + 600, issued=now)], now)
        await asyncio.sleep(2)
    with pytest.raises(GatewayError) as away:
        await store.read_session("s1", now)
    assert away.value.code is store_codes.UNREACHABLE
    assert not store.reachable
    with server("valkey", tmp_path, port=port):
        assert await store.read_session("s1", now) is not None
        assert store.reachable
        assert await store.is_used(late, now)
        assert not await store.perform([late], now)
        assert await store.perform([UseOnce(b"assertion", now + 600, issued=unix_now() + 1)], now)
        born = int(await store._connections.ask(["HGET", store._keys.store, "born"], again=True))
        for skew in (60, 180):
            ahead = UseOnce(b"%d s ahead" % skew, now + 600, born + skew, skew)
            assert await store.is_used(ahead, now)
            assert not await store.perform([ahead], now), "its clock may be ahead: it may be of before"
            assert await store.perform([replace(ahead, issued=born + skew + 1)], now)
        assert not (await store.ended_since(cursor)).complete, "the last entries may be missing"
    await store.close()


async def test_an_end_that_is_not_as_we_write_it_is_none_that_is_known(shared: TestedStore) -> None:
    """A worker forgets what it had in memory, and goes on to ask."""
    cursor = (await shared.ended_since(None)).cursor
    list_of_ends = shared._keys._key("all", b"ended")
    for entry in (b"xx", b"\0" * 8 + b"\0\0\0\2\xff\xff"):
        await shared._connections.ask(["RPUSH", list_of_ends, entry], again=False)
        tail = await shared.ended_since(cursor)
        assert (tail.ended, tail.complete) == ((), False)
        cursor = tail.cursor
    assert await shared.perform([RevokeSession("s1")], unix_now())
    tail = await shared.ended_since(cursor)
    assert tail.complete
    assert [end.session_id for end in tail.ended] == ["s1"]


async def test_a_server_that_was_emptied_counts_as_new(shared: TestedStore) -> None:
    now, log = unix_now(), Heard()
    shared._log = log
    cursor = (await shared.ended_since(None)).cursor
    await add_session(shared, session_record(now=now), seat_record(now=now), NOTHING, now)
    await asyncio.sleep(1.1)
    for key in await shared.names():
        await shared._connections.ask(["DEL", key], again=True)
    with pytest.raises(GatewayError) as refused:
        await shared.perform([UseOnce(b"assertion", now + 600, issued=now)], now)
    assert refused.value.code is store_codes.UNREACHABLE
    assert not (await shared.ended_since(cursor)).complete
    assert "store.replaced" in log.names()
    assert not await shared.perform([UseOnce(b"assertion", now + 600, issued=now)], now)
    # Not by the clock: its second may be another by now.
    born = int(await shared._connections.ask(["HGET", shared._keys.store, "born"], again=True))
    assert not await shared.perform([UseOnce(b"ahead", now + 600, born + 60, 60)], now)
    assert await shared.read_session("s1", now) is None


async def test_what_the_very_second_of_a_restart_brought_may_have_been_used_before(tmp_path: Path) -> None:
    (port,) = free(1)
    store = RedisStore(settings_of(port))
    with server("valkey", tmp_path, port=port):
        await store.open()
    with server("valkey", tmp_path, port=port):
        await store.probe()
        born = int(await store._connections.ask(["HGET", store._keys.store, "born"], again=True))
        assert not await store.perform([UseOnce(b"assertion", born + 600, born)], born)
        assert await store.perform([UseOnce(b"assertion", born + 600, born + 1)], born)
    await store.close()


async def test_a_first_store_refuses_nobody_for_the_clocks_until_somebody_knew_another(shared: TestedStore) -> None:
    now = unix_now()
    assert await shared.perform([UseOnce(b"first", now + 600, now + 1, 180)], now)
    for key in await shared.names():
        await shared._connections.ask(["DEL", key], again=True)
    newcomer = RedisStore(shared._server)
    await newcomer.open()
    assert await newcomer.perform([UseOnce(b"second", now + 600, unix_now() + 1, 180)], now)
    # Who was there before comes by, on a connection that is new.
    await shared._connections._pool.disconnect()
    await shared.probe()
    assert not await newcomer.perform([UseOnce(b"third", now + 600, unix_now() + 1, 180)], now)
    await newcomer.close()


async def test_a_sign_in_under_way_ends_with_its_server(tmp_path: Path) -> None:
    """Nobody knows whether what is taken once was taken: the last that a server wrote may be lost."""
    (port,) = free(1)
    store = RedisStore(settings_of(port))
    worker = Worker(store, Clock(unix_now()))
    with server("valkey", tmp_path, port=port):
        await store.open()
        code = await worker.code(await worker.sign_in())
        logins = worker.transactions.openid_responses
        id = await logins.put(ParkedResponse((("code", "c"),)), "192.0.2.1")
        assert await logins.peek(id) is not None
    with server("valkey", tmp_path, port=port):
        assert await logins.peek(id) is None
        assert not await logins.spend(id)
        assert code is not None
        assert await worker.sessions.hand_overs.take(code) is None
        again = await logins.put(ParkedResponse((("code", "c"),)), "192.0.2.1")
        assert await logins.take(again) is not None
    await store.close()


async def test_an_address_where_nothing_listens_is_away_and_not_absent() -> None:
    log = Heard()
    store = RedisStore(settings_of(*free(1)), log=log)
    await store.open()
    for _ in range(3):
        with pytest.raises(GatewayError) as away:
            await store.read_session("s1", unix_now())
        assert away.value.code is store_codes.UNREACHABLE
    assert log.names() == ["store.unreachable"]
    await store.close()


async def test_nobody_waits_for_a_server_that_stands_still_and_all_go_on_when_it_does(tmp_path: Path) -> None:
    now = unix_now()
    with server("valkey", tmp_path) as port:
        store = RedisStore(settings_of(port))
        await store.open()
        await add_session(store, session_record(now=now), seat_record(now=now), NOTHING, now)
        pid = int(read_info(await store._connections.ask(["INFO", "server"], again=True))["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(GatewayError):
                await store.read_session("s1", now)
            began, waits = time.monotonic(), list[float]()

            async def asks() -> None:
                with pytest.raises(GatewayError) as away:
                    await store.read_session("s1", now)
                assert away.value.code is store_codes.UNREACHABLE
                waits.append(time.monotonic() - began)

            await asyncio.gather(*(asks() for _ in range(200)))
            assert sorted(waits)[198] < store._server.timeout, "one asks, the others do not wait"
            assert await store_is_back_after(store, lambda: os.kill(pid, signal.SIGCONT))
            assert len(await asyncio.gather(*(store.read_session("s1", now) for _ in range(50)))) == 50
        finally:
            os.kill(pid, signal.SIGCONT)
        await store.close()


async def store_is_back_after(store: RedisStore, mended: Callable[[], None]) -> bool:
    mended()
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(GatewayError):
                await store.probe()
                return store.reachable


async def test_a_server_that_is_full_takes_no_session_and_still_reads(tmp_path: Path) -> None:
    now = unix_now()
    with server("valkey", tmp_path) as port:
        store = RedisStore(settings_of(port))
        await store.open()
        await add_session(store, session_record(now=now), seat_record(now=now), NOTHING, now)
        await store._connections.ask(["CONFIG", "SET", "maxmemory", "1"], again=True)
        with pytest.raises(GatewayError) as full:
            await store.perform([AddSession(session_record("s2", now=now), seat_record("s2"), NOTHING)], now)
        assert full.value.code is store_codes.UNREACHABLE
        assert await store.read_session("s1", now) is not None
        with pytest.raises(GatewayError):
            await store.probe()
        await store._connections.ask(["CONFIG", "SET", "maxmemory", "0"], again=True)
        await store.probe()
        await store.close()


async def test_an_end_is_heard_of_by_another_store_at_once(shared: TestedStore, valkey: int) -> None:
    other = RedisStore(shared._server)
    await other.open()
    await asyncio.wait_for(other.wait_for_ends(), PATIENCE)
    cursor = (await other.ended_since(None)).cursor
    heard = asyncio.create_task(other.wait_for_ends())
    await asyncio.sleep(0.1)
    assert not heard.done()
    await shared.perform([RevokeSession("s1")], unix_now())
    await asyncio.wait_for(heard, PATIENCE)
    assert [each.session_id for each in (await other.ended_since(cursor)).ended] == ["s1"]
    await other.close()


async def test_where_the_word_is_lost_the_list_is_read_again(tmp_path: Path) -> None:
    (port,) = free(1)
    store = RedisStore(settings_of(port))
    with server("valkey", tmp_path, port=port):
        await store.open()
        await asyncio.wait_for(store.wait_for_ends(), PATIENCE)
    heard = asyncio.create_task(store.wait_for_ends())
    with server("valkey", tmp_path, port=port):
        await asyncio.wait_for(heard, PATIENCE)
    await store.close()


# --- who may, and by which way


async def test_with_tls_an_authority_of_ones_own_and_an_acl_user(tmp_path: Path) -> None:
    authority, (port,) = trustme.CA(), free(1)
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "users.acl").write_text(
        "user default off ~* &* +@all\nuser ecluse on >a-password ~test-* &test-* +@all -@admin -@dangerous +info\n"
    )
    own = str(tmp_path / "own.pem")
    tls = ("--tls-port", str(port), "--port", "0", "--tls-cert-file", own, "--tls-key-file", own)
    more = ("--tls-ca-cert-file", str(tmp_path / "ca.pem"), "--tls-auth-clients", "no")
    users = ("--aclfile", str(tmp_path / "users.acl"))
    who = {"username": "ecluse", "password": b"a-password"}
    good = settings_of(port, addresses=(("localhost", port),), tls=True, ca=authority.cert_pem.bytes(), **who)
    with server("valkey", tmp_path, *tls, *more, *users, port=port):
        store = RedisStore(good)
        await store.open()
        worker = Worker(store, Clock(unix_now()))
        cookie = await worker.sign_in()
        await worker.enter(cookie)
        await worker.sessions.end_browser(PORTAL, cookie)
        await store.close()
        for wrong in (
            replace(good, password=b"another"),
            replace(good, ca=trustme.CA().cert_pem.bytes()),
            replace(good, tls=False),
        ):
            async with leaves_no_socket():
                log = Heard()
                store = RedisStore(wrong, log=log)
                await store.open()
                assert log.names() == ["store.unreachable"], wrong
                await store.close()


async def test_what_a_server_lacks_is_a_warning_or_where_told_a_refusal(tmp_path: Path) -> None:
    with server("valkey", tmp_path, "--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as port:
        log = Heard()
        store = RedisStore(settings_of(port), log=log)
        await store.open()
        assert log.names() == ["store.lacks", "store.lacks"]
        await store.close()
        strict = RedisStore(settings_of(port, strict=True))
        with pytest.raises(GatewayError) as refused:
            await strict.open()
        assert refused.value.code is store_codes.UNREADABLE
        await strict.close()


async def test_a_store_of_a_newer_release_is_not_read(shared: TestedStore) -> None:
    await shared._connections.ask(["HSET", shared._keys.store, "version", 2], again=True)
    newer = RedisStore(shared._server)
    with pytest.raises(GatewayError) as refused:
        await newer.open()
    assert refused.value.code is store_codes.UNREADABLE
    await newer.close()
