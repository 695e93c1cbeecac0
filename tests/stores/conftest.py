"""Every kind of store, for the tests that any store has to pass."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sqlite import SqliteStore
from tests.stores.redis.cluster import Cluster, TestedClusterStore, cluster
from tests.stores.redis.servers import TestedStore, server, settings_of
from tests.stores.redis.trio import Trio, trio
from tests.stores.samples import Clock, Worker
from tests.stores.sharded import Sharded

ONE_SERVER = [pytest.param(name, marks=pytest.mark.service) for name in ("valkey", "redis", "sentinels")]
SERVERS = [*ONE_SERVER, pytest.param("nodes", marks=pytest.mark.service)]
OF_ONE_PLACE = ["memory", "sqlite", "sharded", *ONE_SERVER]
# What bounds a client's tickets to the last of them. In a cluster each tag bounds its own (redis/test_cluster.py).
bounded_exactly = pytest.mark.parametrize("store", OF_ONE_PLACE, indirect=True)


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


@pytest.fixture(params=["memory", "sqlite", "sharded", *SERVERS])
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
