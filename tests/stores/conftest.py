"""The stores that tests run on: every kind for what each store promises, a few for the services above them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.redis.cluster import Cluster, TestedClusterStore, cluster
from tests.stores.redis.servers import TestedStore, server, settings_of
from tests.stores.redis.trio import Trio, trio
from tests.stores.samples import Clock, Worker
from tests.stores.sharded import Sharded

SERVERS = [pytest.param(name, marks=pytest.mark.service) for name in ("valkey", "redis", "sentinels", "nodes")]
VALKEY = SERVERS[0]
# For a test of what each kind of store does itself. test_conformance.py is the largest user.
on_every_store = pytest.mark.parametrize("store", ["memory", "sqlite", "sharded", *SERVERS], indirect=True)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("valkey", tmp_path_factory.mktemp("valkey")) as port:
        yield port


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("redis", tmp_path_factory.mktemp("redis")) as port:
        yield port


@pytest.fixture(scope="session")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    with trio(tmp_path_factory.mktemp("sentinels")) as here:
        yield here


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("nodes")) as here:
        yield here


# A service above the store runs on one file, on one server, and where each tag is a step of its own (sharded).
@pytest.fixture(params=["sqlite", "sharded", VALKEY])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordStore]:
    made: RecordStore
    match request.param:
        case "memory":
            made = MemoryStore()
        case "sharded":
            made = Sharded()
        case "sqlite":
            made = SqliteStore(tmp_path / "var" / "sessions.db")
        case "sentinels":
            made = TestedStore(request.getfixturevalue("sentinels").settings(replicas=1))
        case "nodes":
            made = TestedClusterStore(request.getfixturevalue("nodes").settings(replicas=1))
        case name:
            made = TestedStore(settings_of(request.getfixturevalue(name)))
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(store: RecordStore, clock: Clock) -> Worker:
    return Worker(store, clock)
