"""Servers whose memory is full (maxmemory, noeviction): what ends something is done, and nobody is let in."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.model.errors import GatewayError
from gateway.stores.records import (
    AddSession,
    MarkKey,
    PutTicket,
    PutTicketOfEnd,
    RaiseEndMark,
    RaiseMark,
    RevokeSession,
    SealedNote,
    SeatKey,
    Ticket,
    TicketKey,
    Touch,
    UseOnce,
)
from gateway.stores.redis.cluster_store import RedisClusterStore
from gateway.stores.redis.store import RedisStore
from gateway.stores.sealing import shard_of
from gateway.stores.tickets.tickets import unix_now
from tests.stores.redis.cluster import Cluster
from tests.stores.redis.servers import server, settings_of
from tests.stores.redis.trio import Trio, ask, until_done
from tests.stores.samples import NOTHING, add_session, seat_record, session_record

pytestmark = pytest.mark.service


def fill(ports: Sequence[int]) -> None:
    for port in ports:
        ask(port, "CONFIG", "SET", "maxmemory", "1")


def make_room(ports: Sequence[int]) -> None:
    for port in ports:
        ask(port, "CONFIG", "SET", "maxmemory", "0")


async def ends_in_a_full(store: RedisStore, ports: Sequence[int]) -> None:
    """Every step that ends something is done, what lets somebody in is refused, and the next server sees it."""
    now = unix_now()
    other = MarkKey(shard_of("s1"), b"inactive")
    for id in ("s1", "s2"):
        await add_session(store, session_record(id, now=now), seat_record(id, now=now), NOTHING, now)
    await store.perform([SealedNote("s1", "permis.localhost", b"note")], now)
    await store.perform([SealedNote("s2", "paie.localhost", b"note")], now)
    await store.touch([Touch(SeatKey(id, b"l1"), now + 100) for id in ("s1", "s2")])
    cursor = (await store.ended_since(None)).cursor
    fill(ports)
    assert await store.take_notes(10, now + 1850) == (), "both sessions were used since"
    for refused in (
        [AddSession(session_record("s3", now=now), seat_record("s3", now=now), NOTHING)],
        [UseOnce(b"a" * 32, now + 60)],
        [RevokeSession("s2"), PutTicket(ticket_of("x", now), 10, 10)],
        [RaiseMark(other, 1, now + 60)],
    ):
        with pytest.raises(GatewayError):
            await store.perform(refused, now)
    assert await store.perform([RevokeSession("s1", buried=True), RaiseEndMark(other, 1, now + 60)], now)
    assert await store.perform([PutTicketOfEnd(ticket_of("y", now), 10, 10)], now)
    assert await store.read_session("s1", now) is None
    assert await store.read_session("s2", now) is not None
    assert await store.mark(other, now) == 1
    assert await store.take_ticket(ticket_of("y", now).key, now, ends=True) == b"sealed"
    assert [each.session_id for each in (await store.ended_since(cursor)).ended] == ["s1"]
    assert [note.host for note in await store.take_notes(10, now)] == ["permis.localhost"]
    make_room(ports)
    await add_session(store, session_record("s4", now=now), seat_record("s4", now=now), NOTHING, now)
    assert await store.read_session("s1", now) is None


def ticket_of(name: str, now: int) -> Ticket:
    return Ticket(TicketKey("s", "sign_in_end", name.encode() * 32), b"sealed", b"g" * 32, now + 60)


@pytest.mark.parametrize("program", ["valkey", "redis"])
async def test_invariant_12_a_server_that_is_full_takes_every_end(tmp_path: Path, program: str) -> None:
    with server(program, tmp_path) as port:
        store = RedisStore(settings_of(port))
        await store.open()
        await ends_in_a_full(store, [port])
        await store.close()


async def test_invariant_12_full_servers_with_sentinels_take_every_end(sentinels: Trio) -> None:
    store = RedisStore(sentinels.settings(replicas=1))
    await store.open()
    try:
        await ends_in_a_full(store, sentinels.servers)
    finally:
        make_room(sentinels.servers)
        await store.close()


async def test_invariant_12_full_nodes_of_a_cluster_take_every_end(nodes: Cluster) -> None:
    store = RedisClusterStore(nodes.settings(replicas=1))
    await store.open()
    try:
        await ends_in_a_full(store, nodes.ports)
    finally:
        make_room(nodes.ports)
        await store.close()


async def test_a_full_server_that_was_started_again_is_met_and_takes_an_end(tmp_path: Path) -> None:
    now = unix_now()
    (port,) = free(1)
    with server("valkey", tmp_path, port=port):
        store = RedisStore(settings_of(port))
        await store.open()
        await add_session(store, session_record(now=now), seat_record(now=now), NOTHING, now)
    with server("valkey", tmp_path, "--maxmemory", "1", port=port):
        await until_done(lambda: store.read_session("s1", now))
        assert await store.read_session("s1", now) is not None
        assert await store.perform([RevokeSession("s1")], now)
        assert await store.read_session("s1", now) is None
        await store.close()
