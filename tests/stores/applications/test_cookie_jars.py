"""Jars of an application's cookies: sealed with the session, gone with it, and never written over each other."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.records import JarKey, RecordStore
from gateway.wire.cookie_jar import CookieJar, JarCookie
from tests.stores.samples import KEYS, NOW, OTHER_KEYS, PERMIS, PORTAL, Around, Clock, Heard, Worker


@pytest.fixture
def jars(worker: Worker) -> CookieJars:
    return jars_of(worker)


def jars_of(worker: Worker, keys: Sequence[tuple[str, bytes]] = KEYS) -> CookieJars:
    return CookieJars(worker.store, worker.sessions, keys, log=worker.log, now=worker.clock.now)


def cookie(name: bytes, value: bytes = b"v", at: float = NOW) -> JarCookie:
    return JarCookie(name, value, b"/", False, at, at)


def key_of(seat: bytes, host: str = PORTAL) -> JarKey:
    return JarKey(seat.partition(b".")[0].decode(), host)


async def test_it_is_kept_for_a_session_on_a_host(worker: Worker, jars: CookieJars) -> None:
    seat, other = await worker.sign_in(), await worker.sign_in("another browser")
    assert await jars.read(PORTAL, seat) == CookieJar()
    assert await jars.keep(PORTAL, seat, [cookie(b"a")]) == CookieJar((cookie(b"a"),))
    permis = await worker.enter(seat)
    assert await jars.read(PORTAL, seat) == CookieJar((cookie(b"a"),))
    assert await jars.read(PERMIS, permis) == CookieJar()
    assert await jars.read(PORTAL, other) == CookieJar()
    assert await jars.read(PERMIS, seat) is None


async def test_a_new_seat_of_the_same_session_finds_it(worker: Worker, jars: CookieJars) -> None:
    portal = await worker.sign_in()
    await jars.keep(PERMIS, await worker.enter(portal), [cookie(b"a")])
    assert await jars.read(PERMIS, await worker.enter(portal)) == CookieJar((cookie(b"a"),))


async def test_it_ends_with_the_session(worker: Worker, jars: CookieJars, store: RecordStore, clock: Clock) -> None:
    seat = await worker.sign_in()
    await jars.keep(PORTAL, seat, [cookie(b"a")])
    await worker.sessions.end([key_of(seat).session_id])
    assert await jars.read(PORTAL, seat) is None
    assert await jars.keep(PORTAL, seat, [cookie(b"b")]) is None
    assert await store.read_jar(key_of(seat), clock.now()) is None
    assert not await store.replace_jar(key_of(seat), None, b"sealed", clock.now())


@pytest.mark.parametrize("others", [0, 1])
async def test_time_ends_it_too(worker: Worker, jars: CookieJars, clock: Clock, others: int) -> None:
    seat = await worker.sign_in()
    await jars.keep(PORTAL, seat, [cookie(b"a")])
    clock.pass_by(1800)
    for number in range(others):
        await worker.sign_in(f"browser {number}")
    assert await jars.read(PORTAL, seat) is None
    await worker.store.purge(clock.now())
    assert await worker.store.read_jar(key_of(seat), 0) is None


async def test_what_is_set_at_once_is_all_kept(worker: Worker, jars: CookieJars, clock: Clock) -> None:
    """Two workers, and several answers in each."""
    seat, elsewhere = await worker.sign_in(), jars_of(Worker(worker.store, clock))
    await asyncio.gather(
        *((jars if number % 2 else elsewhere).keep(PORTAL, seat, [cookie(b"n%d" % number)]) for number in range(8))
    )
    found = await jars.read(PORTAL, seat)
    assert found is not None
    assert {one.name for one in found.cookies} == {b"n%d" % number for number in range(8)}


async def test_what_was_set_later_counts_whoever_writes_first(worker: Worker, jars: CookieJars) -> None:
    seat = await worker.sign_in()
    await jars.keep(PORTAL, seat, [cookie(b"a", b"later", NOW + 0.2)])
    assert await jars.keep(PORTAL, seat, [cookie(b"a", b"earlier", NOW + 0.1)]) == CookieJar(
        (cookie(b"a", b"later", NOW + 0.2),)
    )


async def test_a_jar_that_never_holds_still_is_given_up(worker: Worker) -> None:
    class Restless(Around):
        async def replace_jar(self, *_: object) -> bool:
            return False

    seat = await worker.sign_in()
    jars = CookieJars(Restless(worker.store), worker.sessions, KEYS, now=worker.clock.now)  # type: ignore[arg-type]
    with pytest.raises(GatewayError) as failed:
        await jars.keep(PORTAL, seat, [cookie(b"a")])
    assert failed.value.code is store_codes.UNREACHABLE


async def test_the_store_reads_nothing_of_it_and_moves_it_nowhere(
    worker: Worker, jars: CookieJars, store: RecordStore, clock: Clock
) -> None:
    """Invariant 8: only ciphertext, which opens with the session and in its place alone."""
    seat, other = await worker.sign_in(), await worker.sign_in("another browser")
    await jars.keep(PORTAL, seat, [cookie(b"PHPSESSID", b"of jeanne")])
    sealed = await store.read_jar(key_of(seat), clock.now())
    assert sealed is not None
    assert b"PHPSESSID" not in sealed
    assert b"jeanne" not in sealed
    permis = await worker.enter(seat)
    await store.replace_jar(key_of(other), None, sealed, clock.now())
    await store.replace_jar(key_of(seat, PERMIS), None, sealed, clock.now())
    assert await jars.read(PORTAL, other) == CookieJar()
    assert await jars.read(PERMIS, permis) == CookieJar()
    assert set(worker.log.names()) == {"store.unreadable"}


async def test_under_a_store_key_that_is_gone_it_opens_no_more(worker: Worker, clock: Clock) -> None:
    """The session of the same key opens no more either, so that there is no seat to ask with."""
    seat = await worker.sign_in()
    await jars_of(worker).keep(PORTAL, seat, [cookie(b"a")])
    after = Worker(worker.store, clock, OTHER_KEYS + KEYS)
    assert await jars_of(after, OTHER_KEYS + KEYS).read(PORTAL, seat) == CookieJar((cookie(b"a"),))
    assert await jars_of(after, OTHER_KEYS).read(PORTAL, seat) == CookieJar()


async def test_a_form_of_another_release_is_told_of_and_begins_anew(
    worker: Worker, jars: CookieJars, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await worker.sign_in()
    with monkeypatch.context() as later:
        later.setattr("gateway.stores.applications.cookie_jars._to_bytes", lambda _: b'{"cookies": [["a"]]}')
        await jars.keep(PORTAL, seat, [cookie(b"a")])
    assert await jars.read(PORTAL, seat) == CookieJar()
    assert await jars.keep(PORTAL, seat, [cookie(b"b")]) == CookieJar((cookie(b"b"),))
    assert isinstance(worker.log, Heard)
    assert "another release (ValueError): the application's cookies" in str(worker.log.events[0])
