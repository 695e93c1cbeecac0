"""Several processes on one SQLite file, as the workers of one machine are."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.stores.revocation.revocations import Revocations
from gateway.stores.sqlite.store import SqliteStore
from tests.patience import PATIENCE, killed_if_late
from tests.stores.samples import PORTAL, Clock, Worker, put_ticket, ticket

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TICKETS = 500


def start(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stores.taker", str(path), str(TICKETS)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(path: Path) -> Counter[str]:
    """What each of two processes got, counted."""
    takers = [start(path) for _ in range(2)]
    for taker in takers:
        with killed_if_late(taker) as printed:
            assert printed.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    outputs = [taker.communicate(timeout=PATIENCE)[0] for taker in takers]
    assert [taker.returncode for taker in takers] == [0, 0]
    return Counter(line for output in outputs for line in output.splitlines() if line)


async def test_two_processes_take_the_same_five_hundred_tickets_and_each_goes_to_one(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    store = SqliteStore(path)
    await store.open()
    await asyncio.gather(*(put_ticket(store, ticket(id), per_group=TICKETS, in_all=TICKETS) for id in range(TICKETS)))
    got = await asyncio.to_thread(race, path)
    await store.close()
    expected = [f"{kind} {id}" for id in range(TICKETS) for kind in ("ticket", "value")]
    assert got == Counter(expected)


async def test_what_ends_in_one_worker_ends_in_the_memory_of_another(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "sessions.db") for _ in range(2)]
    for store in stores:
        await store.open()
    one, other = (Worker(store, Clock()) for store in stores)
    tail = Revocations(stores[1], other.sessions, monotonic=other.clock.monotonic)
    await tail.poll()
    cookie = await one.sign_in()
    seat = await other.sessions.load(PORTAL, cookie)
    await one.sessions.end_browser(PORTAL, cookie)
    assert other.sessions.cached(PORTAL, cookie) is seat
    assert await tail.poll() == (seat,)
    assert other.sessions.cached(PORTAL, cookie) is None
    for store in stores:
        await store.close()
