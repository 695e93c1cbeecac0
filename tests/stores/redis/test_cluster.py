"""Six nodes: a slot that moves to another node, and a primary that is lost. One cluster for all of it; the last test
kills a primary."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from redis.crc import key_slot

from gateway.model.errors import GatewayError
from gateway.stores.records import RevokeSession, UseOnce
from gateway.stores.redis.cluster import ClusterConnections
from gateway.stores.redis.locating import HostPort
from gateway.stores.redis.steps import cluster_tag_of
from gateway.stores.sealing import SHARDS, new_id, shard_of
from gateway.stores.tickets.tickets import Transactions, unix_now
from tests.stores.redis.cluster import Cluster, TestedClusterStore, cluster
from tests.stores.redis.servers import settings_of
from tests.stores.redis.trio import until_done
from tests.stores.samples import (
    KEYS,
    NOTHING,
    PORTAL,
    Clock,
    Heard,
    Worker,
    add_session,
    seat_record,
    session_record,
    transaction,
)

pytestmark = pytest.mark.service


async def test_a_node_that_is_cut_off_when_it_is_left_is_no_fault_of_the_gateway() -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    async def met(connection: object) -> str:
        return ""

    async def times_out() -> None:
        raise TimeoutError

    connections = ClusterConnections(settings_of(0, addresses=(("127.0.0.1", 1),), cluster=True), met)
    connections._at(("127.0.0.1", 1)).close = times_out  # type: ignore[method-assign]
    connections._leave_others()
    while connections._closing:
        await asyncio.sleep(0)
    gc.collect()
    assert faults == []


async def test_a_node_that_does_not_answer_is_asked_once_before_the_map_is_read_and_the_next_one_then() -> None:
    asked: list[str] = []

    async def met(connection: object) -> str:
        return ""

    def node(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # The last of what redis-py says of itself is the question.
            while b"GET" not in await reader.read(4096):
                writer.write(b"+OK\r\n")
            asked.append(name)
            if name == "other":
                writer.write(b"$1\r\nx\r\n")
            await reader.read()
            writer.close()

        return answers

    async with (
        await asyncio.start_server(node("cut off"), "127.0.0.1", 0) as cut_off,
        await asyncio.start_server(node("other"), "127.0.0.1", 0) as other,
    ):
        gone, here = (("127.0.0.1", each.sockets[0].getsockname()[1]) for each in (cut_off, other))
        connections = ClusterConnections(settings_of(0, addresses=(gone,), cluster=True, timeout=2.0), met)
        connections._ranges = ((0, 16383, gone),)

        async def read_map() -> None:
            asked.append("map")
            connections._ranges = ((0, 16383, here),)

        connections._read_map = read_map  # type: ignore[method-assign]
        assert await connections.ask(["GET", b"key"], again=True) == b"x"
        assert asked == ["cut off", "map", "other"]
        await connections.close()


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("six")) as here:
        yield here


@pytest.fixture
async def stores(six: Cluster) -> AsyncIterator[tuple[TestedClusterStore, TestedClusterStore]]:
    """Of two gateways on one prefix."""
    settings = six.settings(timeout=4.0)
    one, other = (TestedClusterStore(settings, log=Heard()) for _ in range(2))
    for store in (one, other):
        await store.open()
    yield one, other
    for store in (one, other):
        await store.close()


async def test_each_tag_bounds_the_tickets_of_a_client_and_of_all(
    stores: tuple[TestedClusterStore, TestedClusterStore],
) -> None:
    """At sixteen where what is the most for all tags comes to less."""
    tag = SHARDS[5]
    few = Transactions(stores[0], KEYS, per_network=40, in_all=64, now=unix_now)
    ids = [new_id(shard=tag) for _ in range(20)]
    for id in ids:
        await few.sign_ins.put(transaction(), "192.0.2.0/24", id)
    left = [await few.sign_ins.peek(id) is not None for id in ids]
    assert left == [False] * 4 + [True] * 16
    elsewhere = await few.sign_ins.put(transaction(), "192.0.2.0/24", new_id(shard=SHARDS[6]))
    assert await few.sign_ins.peek(elsewhere) is not None


def used(tag: str, name: str, issued: int, skew: int = 0) -> UseOnce:
    """What others made, in the place of this tag."""
    return UseOnce(bytes([SHARDS.index(tag)]) + name.encode(), unix_now() + 600, issued, skew)


def primary_of(store: TestedClusterStore, tag: str) -> HostPort:
    return store._cluster._primary_of(key_slot(tag.encode()))


async def test_nodes_that_are_not_listed_are_known_too(
    stores: tuple[TestedClusterStore, TestedClusterStore],
) -> None:
    for store in stores:
        assert store.servers >= set(await store._cluster.primaries()) > set(store._server.addresses)


async def test_what_others_made_has_a_place_of_its_own_whoever_brings_it() -> None:
    assert {cluster_tag_of(used(tag, "id", 0)) for tag in SHARDS} == set(SHARDS)
    assert cluster_tag_of(used("A", "id", 0)) == cluster_tag_of(used("A", "id", 7)) == "A"


async def test_all_but_lists_and_stores_has_a_lifetime(stores: tuple[TestedClusterStore, TestedClusterStore]) -> None:
    one, _ = stores
    worker = Worker(one, Clock(unix_now()))
    await one.purge(worker.clock.now(), bury=True)
    cookie = await worker.sign_in()
    await worker.enter(cookie)
    await worker.code(cookie)
    await worker.transactions.first_use("assertion", "id", until=worker.clock.now() + 60)
    await worker.sessions.end_browser(PORTAL, await worker.sign_in("another"))
    lasting = [key for key in await one.names() if await one._cluster.ask(["TTL", key], again=True) < 0]
    assert {key.rpartition(b"}")[2] for key in lasting} == {b"store", b"ended"}


async def test_a_slot_that_moves_takes_everything_with_it_and_counts_as_new(
    stores: tuple[TestedClusterStore, TestedClusterStore],
) -> None:
    one, other = stores
    now, id = unix_now(), "Moves"
    tag, slot = shard_of(id), key_slot(shard_of(id).encode())
    await add_session(one, session_record(id, now=now), seat_record(id, now=now), NOTHING, now)
    assertion = used(tag, "before", now + 1)
    assert await one.perform([assertion], now)
    cursor = (await other.ended_since(None)).cursor
    source = primary_of(one, tag)
    target = next(node for node in await one._cluster.primaries() if node != source)
    ids = {node: (await one._cluster.at(node, ["CLUSTER", "MYID"])).decode() for node in (source, target)}
    await one._cluster.at(target, ["CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source]])
    await one._cluster.at(source, ["CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target]])
    keys = await one._cluster.at(source, ["CLUSTER", "GETKEYSINSLOT", slot, 1000])
    session = one._keys.session(id)
    moves = ["MIGRATE", *target, "", 0, 5000, "KEYS"]
    await one._cluster.at(source, [*moves, session])
    # Its keys are in two places: one is read where it is, and nothing is done that needs several.
    assert await one.read_session(id, now) is not None
    for writes in ([RevokeSession(id)], [used(tag, "between", now + 1)]):
        with pytest.raises(GatewayError):
            await other.perform(writes, now)
    assert await one.read_session(id, now) is not None
    await one._cluster.at(source, [*moves, *(key for key in keys if key != session)])
    for node in (target, source):
        await one._cluster.at(node, ["CLUSTER", "SETSLOT", slot, "NODE", ids[target]])
    for store in stores:
        await until_done(lambda store=store: store.is_used(assertion, now))
        assert not await store.perform([assertion], now)
        assert not await store.perform([used(tag, "ahead", now + 60, 60)], now)
        assert await store.read_session(id, now) is not None
        assert primary_of(store, tag) == target
    assert not (await other.ended_since(cursor)).complete
    cursor = (await other.ended_since(None)).cursor
    assert await one.perform([RevokeSession(id)], now)
    tail = await other.ended_since(cursor)
    assert (tail.complete, [end.session_id for end in tail.ended]) == (True, [id])
    assert await other.read_session(id, now) is None


async def test_when_a_primary_is_killed_all_go_on_and_nothing_works_twice(
    six: Cluster, stores: tuple[TestedClusterStore, TestedClusterStore]
) -> None:
    one, other = stores
    now = unix_now()
    # The last replica of a node is gone when it takes the node's place: nobody waits for one then.
    safe = TestedClusterStore(replace(one._server, replicas=1))
    await safe.open()
    lost = primary_of(one, "A")
    tags = {tag: primary_of(one, tag) == lost for tag in SHARDS}
    ids = [f"{tag}-session" for tag in SHARDS]
    for id in ids:
        await add_session(safe, session_record(id, now=now), seat_record(id, now=now), NOTHING, now)
        assert await safe.perform([used(shard_of(id), "once", now + 1)], now)
    assert await safe.perform([RevokeSession("A-session")], now)
    await safe.close()
    cursor = (await other.ended_since(None)).cursor
    six.processes[lost[1]].kill()
    # Of the others nobody is away.
    kept = next(tag for tag, is_lost in tags.items() if not is_lost)
    assert await one.read_session(f"{kept}-session", now) is not None
    with pytest.raises(GatewayError):
        await one.perform([used("A", "meanwhile", now + 1)], now)
    later = unix_now() + 1
    await until_done(lambda: other.perform([used("A", "after", unix_now() + 1)], now))
    for store in stores:
        await until_done(store.probe)
        for tag, is_lost in tags.items():
            assert not await store.perform([used(tag, "once", now + 1)], now), tag
            assert await store.is_used(used(tag, "never", now), now) == is_lost, tag
        found = [id for id in ids if await store.read_session(id, later) is not None]
        assert found == [id for id in ids if id != "A-session"]
    assert not (await other.ended_since(cursor)).complete
    assert isinstance(other._log, Heard)
    assert "store.replaced" in other._log.names()
