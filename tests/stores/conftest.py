"""Every kind of store, for the tests that any store has to pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sqlite import SqliteStore
from tests.stores.samples import Clock, Worker
from tests.stores.sharded import Sharded


@pytest.fixture(params=["memory", "sqlite", "sharded"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordStore]:
    made: RecordStore = SqliteStore(tmp_path / "var" / "sessions.db")
    if request.param != "sqlite":
        made = MemoryStore() if request.param == "memory" else Sharded()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(store: RecordStore, clock: Clock) -> Worker:
    return Worker(store, clock)
