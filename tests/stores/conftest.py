"""Every kind of store, for the tests that any store has to pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sqlite import SqliteStore
from tests.stores.samples import Clock, Worker


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordStore]:
    made: RecordStore = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "var" / "sessions.db")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(store: RecordStore, clock: Clock) -> Worker:
    return Worker(store, clock)
