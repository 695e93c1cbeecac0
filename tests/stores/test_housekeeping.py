import asyncio
from pathlib import Path

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.stores import housekeeping
from gateway.stores.housekeeping import Housekeeping
from gateway.stores.records import RecordStore
from gateway.stores.sqlite.store import SqliteStore
from tests.patience import PATIENCE, until
from tests.stores.conftest import on_every_store
from tests.stores.samples import PORTAL, Clock, Heard, Worker, put_ticket, ticket, ticket_key


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_EVERY", "WRITE_EVERY", "PURGE_EVERY"):
        monkeypatch.setattr(housekeeping, name, 0.01)


@on_every_store
async def test_seats_that_ended_elsewhere_are_told_of(store: RecordStore, clock: Clock) -> None:
    told, heard = asyncio.Event(), list[Seat]()

    def killed(seats: tuple[Seat, ...]) -> None:
        heard.extend(seats)
        told.set()

    worker, elsewhere = Worker(store, clock), Worker(store, clock)
    keeping = Housekeeping(store, worker.sessions, killed, now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    cookie = await elsewhere.sign_in()
    seat = await worker.sessions.load(PORTAL, cookie)
    await elsewhere.sessions.end_browser(PORTAL, cookie)
    await until(told.is_set)
    assert heard == [seat]
    await keeping.stop()


async def test_touches_are_written_meanwhile_and_the_last_ones_at_the_end(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock)
    keeping = Housekeeping(store, worker.sessions, lambda seats: None, now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    cookie = await worker.sign_in(idle=1800)
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    clock.pass_by(1700)
    worker.sessions.touch(seat, clock.monotonic())
    await keeping.stop()
    clock.pass_by(1700)
    assert await Worker(store, clock).sessions.load(PORTAL, cookie) is not None


async def test_what_has_expired_is_cleared_away(tmp_path: Path, clock: Clock) -> None:
    store = SqliteStore(tmp_path / "sessions.db")
    await store.open()
    await put_ticket(store, ticket(1, life=30), per_group=9, in_all=9)
    worker = Worker(store, clock)
    clock.pass_by(30)
    keeping = Housekeeping(store, worker.sessions, lambda seats: None, now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    async with asyncio.timeout(PATIENCE):
        # The clock is turned back only for this look: what expired then would still be read.
        while await store.peek_ticket(ticket_key("transaction", b"ticket 1"), clock.now() - 30) is not None:
            await asyncio.sleep(0.01)
    await keeping.stop()
    await store.close()


async def test_a_clock_that_jumps_a_day_ahead_deletes_nothing_and_everybody_is_back_when_it_is_right(
    store: RecordStore, clock: Clock
) -> None:
    worker, other = Worker(store, clock), Worker(store, clock)
    keeping = Housekeeping(store, worker.sessions, lambda seats: None, now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    cookie = await other.sign_in()
    purged = asyncio.Event()
    purge = store.purge

    async def told(now: int, *, bury: bool = False) -> None:
        await purge(now, bury=bury)
        purged.set()

    store.purge = told  # type: ignore[method-assign]
    clock.step(86400)
    for _ in range(3):
        purged.clear()
        await asyncio.wait_for(purged.wait(), PATIENCE)
    assert await other.sessions.load(PORTAL, cookie) is None
    clock.step(-86400)
    assert await other.sessions.load(PORTAL, cookie) is not None
    await keeping.stop()


async def test_workers_agree_after_the_clock_was_set(store: RecordStore, clock: Clock) -> None:
    """One has the seat in memory, the other asks the store."""
    log = Heard()
    worker, other = Worker(store, clock), Worker(store, clock)
    keeping = Housekeeping(
        store, worker.sessions, lambda seats: None, log=log, now=clock.now, monotonic=clock.monotonic
    )
    await keeping.start()
    cookie = await other.sign_in(idle=1800)
    assert await worker.sessions.load(PORTAL, cookie) is not None
    for seconds in (1700, 200, -1000):
        before = len(log.events)
        clock.step(seconds)
        await until(lambda: len(log.events) > before)  # noqa: B023
        there = worker.sessions.cached(PORTAL, cookie) is not None
        assert there == (await store.read_session(cookie.split(b".")[0].decode(), clock.now()) is not None)
        assert there == (seconds != 200)
    assert log.names() == ["clock.stepped"] * 3
    await keeping.stop()


async def test_a_store_out_of_reach_stops_none_of_it(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "var" / "sessions.db"
    store = SqliteStore(path)
    await store.open()
    told = asyncio.Event()
    worker, elsewhere = Worker(store, clock), Worker(store, clock)
    keeping = Housekeeping(store, worker.sessions, lambda seats: told.set(), now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    cookie = await elsewhere.sign_in()
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    worker.sessions.touch(seat, clock.monotonic())
    path.parent.rename(tmp_path / "away")
    await until(lambda: not store.reachable)
    (tmp_path / "away").rename(path.parent)
    await until(lambda: store.reachable)
    await elsewhere.sessions.end_browser(PORTAL, cookie)
    await until(told.is_set)
    seat = await worker.sessions.load(PORTAL, await elsewhere.sign_in("b"))
    assert seat is not None
    worker.sessions.touch(seat, clock.monotonic())
    await until(lambda: not worker.sessions._touches._waiting)
    await keeping.stop()
    await store.close()


async def test_no_task_is_left(store: RecordStore, clock: Clock) -> None:
    before = asyncio.all_tasks()
    keeping = Housekeeping(
        store, Worker(store, clock).sessions, lambda seats: None, now=clock.now, monotonic=clock.monotonic
    )
    await keeping.start()
    await keeping.stop()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("is_read", [False, True])
async def test_a_store_that_fails_a_probe_before_a_poll_is_away_at_once(
    store: RecordStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
) -> None:
    """/readyz said `unreachable`, 503, until the next poll: a front sent people elsewhere who go on here. Where only
    writing fails there is no grace."""

    async def fails(*_: object) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "refused")

    monkeypatch.setattr(housekeeping, "POLL_EVERY", 3600.0)
    worker = Worker(store, clock)
    trust = worker.sessions.trust
    trust.allow(10.0, {})
    keeping = Housekeeping(store, worker.sessions, lambda seats: None, now=clock.now, monotonic=clock.monotonic)
    await keeping.start()
    assert (keeping.store_fails, trust.in_grace) == (False, False)
    # Nothing is heard of ends, as where the connection was cut.
    keeping._tasks[-1].cancel()
    monkeypatch.setattr(store, "probe", fails)
    if not is_read:
        monkeypatch.setattr(store, "ended_since", fails)
    await until(lambda: keeping.store_fails)
    assert trust.in_grace is not is_read
    await keeping.stop()
