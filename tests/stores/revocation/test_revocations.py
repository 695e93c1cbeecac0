from pathlib import Path

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.stores.records import PARALLEL_TABS, RecordStore
from gateway.stores.revocation.list_of_ends import Cursor, Tail
from gateway.stores.revocation.revocations import TRUSTED_FOR, Revocations
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.samples import JEANNE, PERMIS, PORTAL, Around, Clock, Worker


class Polling(Worker):
    """A worker that reads the revocation list when it is told to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tail = Revocations(self.store, self.sessions, monotonic=self.clock.monotonic)

    async def poll(self) -> tuple[Seat, ...]:
        return await self.tail.poll()

    async def seated(self, cookie: bytes, host: str = PORTAL) -> Seat:
        seat = await self.sessions.load(host, cookie)
        assert seat is not None
        return seat


async def pair(store: RecordStore, clock: Clock) -> tuple[Polling, Polling]:
    """Two workers on one store, both up to date."""
    one, other = Polling(store, clock), Polling(store, clock)
    await one.poll()
    await other.poll()
    return one, other


async def test_a_logout_in_one_worker_is_in_force_in_another_with_its_next_poll(
    store: RecordStore, clock: Clock
) -> None:
    one, other = await pair(store, clock)
    cookie = await one.sign_in()
    seat = await other.seated(cookie)
    await one.sessions.end_browser(PORTAL, cookie)
    assert await other.poll() == (seat,)
    assert not seat.live
    assert other.sessions.cached(PORTAL, cookie) is None
    assert await other.sessions.load(PORTAL, cookie) is None
    assert await other.poll() == ()


async def test_sessions_that_did_not_end_stay(store: RecordStore, clock: Clock) -> None:
    one, other = await pair(store, clock)
    gone, stays = await one.sign_in("a"), await one.sign_in("b")
    seat = await other.seated(stays)
    await one.sessions.end_browser(PORTAL, gone)
    assert await other.poll() == ()
    assert other.sessions.cached(PORTAL, stays) is seat


async def test_a_seat_that_was_replaced_ends_in_the_other_workers_too(store: RecordStore, clock: Clock) -> None:
    one, other = await pair(store, clock)
    on_portal = await one.sign_in()
    older = await one.enter(on_portal)
    seat, portal_seat = await other.seated(older, PERMIS), await other.seated(on_portal)
    clock.pass_by(60)
    await one.enter(on_portal, replaces=older)
    assert await other.poll() == (seat,)
    assert portal_seat.live
    assert await other.sessions.load(PERMIS, older) is None


async def test_a_seat_replaced_by_a_parallel_tab_ends_in_the_other_workers_at_its_hour(
    store: RecordStore, clock: Clock
) -> None:
    one, other = await pair(store, clock)
    on_portal = await one.sign_in()
    older = await one.enter(on_portal)
    seat = await other.seated(older, PERMIS)
    await one.enter(on_portal)
    assert await other.poll() == ()
    assert other.sessions.cached(PERMIS, older) is seat
    clock.pass_by(PARALLEL_TABS)
    await other.poll()
    assert other.sessions.cached(PERMIS, older) is None
    other.sessions.touch(seat, clock.monotonic())
    assert other.sessions.cached(PERMIS, older) is None
    assert await other.sessions.load(PERMIS, older) is None


async def test_before_the_first_poll_memory_says_nothing(store: RecordStore, clock: Clock) -> None:
    worker = Polling(store, clock)
    cookie = await worker.sign_in()
    await worker.seated(cookie)
    assert worker.sessions.cached(PORTAL, cookie) is None
    await worker.poll()
    await worker.seated(cookie)
    assert worker.sessions.cached(PORTAL, cookie) is not None


async def test_a_worker_that_stood_still_asks_the_store_before_it_lets_anybody_in(
    store: RecordStore, clock: Clock
) -> None:
    # Invariant 12.
    one, other = await pair(store, clock)
    cookie = await one.sign_in()
    await other.seated(cookie)
    await one.sessions.end_browser(PORTAL, cookie)
    clock.pass_by(TRUSTED_FOR)
    assert other.sessions.cached(PORTAL, cookie) is None
    assert await other.sessions.load(PORTAL, cookie) is None


class Slow(Around):
    """Reads the list, and then is long in telling of it."""

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        tail = await self.store.ended_since(cursor)
        self.clock.pass_by(1)
        return tail

    def __init__(self, store: RecordStore, clock: Clock) -> None:
        super().__init__(store)
        self.clock = clock


async def test_memory_answers_for_as_long_as_from_when_the_list_was_asked_for(store: RecordStore, clock: Clock) -> None:
    worker = Polling(Slow(store, clock), clock)
    await worker.poll()
    cookie = await worker.sign_in()
    await worker.seated(cookie)
    assert await worker.poll() == ()
    assert worker.sessions.cached(PORTAL, cookie) is None, "what ended while it was long is not known here"


async def test_a_tail_with_a_gap_ends_every_seat_in_memory_and_a_live_one_is_read_anew(
    store: RecordStore, clock: Clock
) -> None:
    one, other = await pair(store, clock)
    cookies = [await one.sign_in("a"), await one.sign_in("b")]
    seats = {await other.seated(cookie) for cookie in cookies}
    await one.sessions.end_browser(PORTAL, cookies[0])
    await store.purge(clock.now() + 10_000_000)
    assert {*await other.poll()} == seats
    assert [other.sessions.cached(PORTAL, cookie) for cookie in cookies] == [None, None]


async def test_with_the_store_out_of_reach_memory_answers_for_a_moment_then_nothing_is_let_in(
    tmp_path: Path, clock: Clock
) -> None:
    # Invariants 1 and 9, attack RF01.
    path = tmp_path / "var" / "sessions.db"
    store = SqliteStore(path)
    await store.open()
    worker = Polling(store, clock)
    await worker.poll()
    cookie = await worker.sign_in()
    seat = await worker.seated(cookie)
    away = path.parent.with_name("away")
    path.parent.rename(away)
    assert await worker.poll() == ()
    assert worker.sessions.cached(PORTAL, cookie) is seat
    clock.pass_by(TRUSTED_FOR)
    assert await worker.poll() == ()
    assert worker.sessions.cached(PORTAL, cookie) is None
    with pytest.raises(GatewayError) as caught:
        await worker.sessions.load(PORTAL, cookie)
    assert caught.value.code is store_codes.UNREACHABLE
    away.rename(path.parent)
    await worker.poll()
    assert worker.sessions.cached(PORTAL, cookie) is seat
    assert seat.identity == JEANNE
    await store.close()


async def test_another_store_in_its_place_ends_every_seat_in_memory(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "sessions.db"
    store, other = SqliteStore(path), SqliteStore(tmp_path / "other.db")
    await store.open()
    await other.open()
    await other.close()
    worker = Polling(store, clock)
    await worker.poll()
    cookie = await worker.sign_in()
    seat = await worker.seated(cookie)
    for leftover in ("sessions.db-wal", "sessions.db-shm"):
        (tmp_path / leftover).unlink()
    (tmp_path / "other.db").rename(path)
    assert await worker.poll() == (seat,)
    assert await worker.sessions.load(PORTAL, cookie) is None
    await store.close()
