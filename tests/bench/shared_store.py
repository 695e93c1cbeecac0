"""What sessions cost where they are kept on a server: bytes of each, and a read of a seat that no worker knows."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.model.identity import Established, Identity
from gateway.model.session import SeatLimits
from gateway.stores.records import AddSession, SeatKey
from gateway.stores.redis.encoding import session_to_bytes
from gateway.stores.redis.lacks import read_info
from gateway.stores.redis.store import RedisStore
from gateway.stores.sealing import new_id, seat_to_bytes
from gateway.stores.sessions.new_session import NewSession
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import unix_now
from tests.stores.redis.servers import server, settings_of

NAME = "shared_store"
_KEYS = [("k1", b"0123456789abcdef0123456789abcdef")]
_HOST = "app.localhost"
# Sessions that one step writes.
_AT_ONCE = 100
_READ = 2000
SETTINGS = ("--hash-max-listpack-value", "4096")
_ATTRIBUTES = {f"attribute{number}": (f"value {number} of it",) for number in range(20)}


def rows(sessions: int) -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder, server("valkey", Path(folder), *SETTINGS) as port:
        yield {"row": NAME, **asyncio.run(measured(port, sessions))}


async def measured(port: int, number: int) -> dict[str, object]:
    """`number` sessions, of which some two thousand are sealed each for itself, and read; the others are as long."""
    store = RedisStore(settings_of(port, prefix="ecluse:"))
    await store.open()
    # As where no application keeps forms across a sign-in.
    await store.purge(0, bury=False)
    before, cookies, written = await _used(store), [], 0
    sessions, now = Sessions(store, _KEYS, cached_seats=1), unix_now()
    every = max(1, number // _READ)
    adds: list[AddSession] = []
    for each in range(number):
        if each % every == 0:
            made = await _session(sessions, each)
            cookies.append(made.cookie)
            add = made.writes[0]
            assert isinstance(add, AddSession)
            written = len(add.session.sealed + session_to_bytes(add.session) + seat_to_bytes(add.seat))
            adds.append(add)
        else:
            adds.append(_another(add))
        if len(adds) == _AT_ONCE or each == number - 1:
            await store.perform(adds, now)
            adds.clear()
    bytes_each = (await _used(store) - before) / number
    took = []
    for cookie in cookies:
        began = time.perf_counter()
        assert await sessions.load(_HOST, cookie) is not None
        took.append(1000 * (time.perf_counter() - began))
    await store.close()
    took.sort()
    p50, p99 = (round(took[int(len(took) * share)], 3) for share in (0.5, 0.99))
    return {
        "sessions": number,
        "bytes_each": round(bytes_each),
        "limit": 1200,
        "bytes_written": written,
        "cold_ms_p50": p50,
        "cold_ms_p99": p99,
    }


async def _session(sessions: Sessions, number: int) -> NewSession:
    identity = Identity("op", "https://op.example", f"person {number}", _ATTRIBUTES)
    return await sessions.new_session(
        host=_HOST, person=Established(identity, "21590350100017"), browser=f"b{number}", idle=3600, absolute=36000,
        id_token=None, sid=f"sid {number}", replaces=None, limits=SeatLimits(),
    )  # fmt: skip


def _another(add: AddSession) -> AddSession:
    """Of somebody else in another browser, which nothing opens."""
    id, person, sid, browser = new_id(size=16), os.urandom(32), os.urandom(32), os.urandom(32)
    session = replace(add.session, id=id, subject_index=person, sid_index=sid, browser_index=browser)
    return AddSession(session, replace(add.seat, key=SeatKey(id, os.urandom(32))), (browser,))


async def _used(store: RedisStore) -> int:
    return int(read_info(await store._connections.ask(["INFO", "memory"], again=True))["used_memory"])
