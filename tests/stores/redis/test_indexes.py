"""What sessions are found by on a server: sets of their ids, in little room."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.tickets import unix_now
from tests.bench.shared_store import SETTINGS, measured
from tests.stores.redis.servers import TestedStore, server, settings_of
from tests.stores.samples import NOTHING, add_session, seat_record, session_record

pytestmark = pytest.mark.service
LOOKED_AT = 10
# Half of a keyed hash.
KEPT = 16


@pytest.fixture
async def shared(valkey: int) -> AsyncIterator[TestedStore]:
    made = TestedStore(settings_of(valkey))
    await made.open()
    yield made
    await made.close()


async def index_of(store: RedisStore, kind: bytes, ask: str = "SMEMBERS") -> object:
    (key,) = await store._connections.ask(["KEYS", store._server.prefix.encode() + b"{?}" + kind + b":*"], again=True)
    return await store._connections.ask([ask, key], again=True)


async def test_a_session_with_twenty_attributes_takes_1200_bytes_of_the_servers_memory(tmp_path: Path) -> None:
    with server("valkey", tmp_path, *SETTINGS) as port:
        taken = await measured(port, 10_000)
    assert taken["bytes_each"] <= taken["limit"], taken  # type: ignore[operator]


async def test_two_whose_keyed_hashes_begin_alike_are_told_apart_by_half_of_them(shared: TestedStore) -> None:
    now, alike = unix_now(), b"a" * (KEPT - 1)
    for id, last in (("s1", b"1"), ("s2", b"2")):
        record = replace(session_record(id, now=now), subject_index=alike + last + b"rest")
        await add_session(shared, record, seat_record(id, now=now), NOTHING, now)
    assert [found.id for found in await shared.find("subject", [alike + b"2" + b"rest"], now)] == ["s2"]


async def test_sessions_that_are_gone_leave_what_they_were_found_by(shared: TestedStore) -> None:
    """A few each time that one is added."""
    now = unix_now()
    for number in range(3 * LOOKED_AT):
        id = f"s{number}"
        await add_session(shared, session_record(id, now=now), seat_record(id, now=now), NOTHING, now)
        await shared._connections.ask(["DEL", shared._keys.session(id)], again=True)
    await add_session(shared, session_record("s", now=now), seat_record("s", now=now), NOTHING, now)
    assert await index_of(shared, b"ip") == [b"s"]
    assert [found.id for found in await shared.find("subject", [session_record().subject_index], now)] == ["s"]


async def test_an_index_lasts_as_long_as_the_session_in_it_that_may_last_longest(shared: TestedStore) -> None:
    now = unix_now()
    long = replace(session_record("s1", now=now), expires_at=now + 9000)
    short = replace(session_record("s2", now=now), expires_at=now + 4000)
    for record in (long, short):
        await add_session(shared, record, seat_record(record.id, now=now), NOTHING, now)
    left = await index_of(shared, b"ip", "TTL")
    assert isinstance(left, int)
    assert 8000 < left <= 9000
