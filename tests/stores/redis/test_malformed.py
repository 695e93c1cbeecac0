"""What somebody else wrote under our keys, or a disk has changed: it opens nothing, and holds up nobody else."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.model.session import SignOutNote
from gateway.model.transaction import ParkedResponse
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.records import Touch
from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.tickets import unix_now
from tests.stores.redis.servers import TestedStore, server, settings_of
from tests.stores.samples import (
    KEYS,
    NOTHING,
    PERMIS,
    PORTAL,
    Clock,
    Heard,
    Worker,
    add_session,
    seat_record,
    session_record,
)

pytestmark = pytest.mark.service

Change = Callable[[bytes], bytes]
CHANGES: dict[str, Change] = {
    "nothing at all": lambda record: b"",
    "one byte": lambda record: b"\xff",
    "without its end": lambda record: record[: len(record) // 2],
    "limits and no more": lambda record: record[:32],
    "lengths beyond its end": lambda record: record[:32] + b"\xff" * (len(record) - 32),
    "all ones": lambda record: b"\xff" * len(record),
    "all zeros": lambda record: bytes(len(record)),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("valkey", tmp_path_factory.mktemp("malformed")) as port:
        yield port


@asynccontextmanager
async def filled(port: int) -> AsyncIterator[tuple[TestedStore, Worker, dict[str, Any]]]:
    store = TestedStore(settings_of(port), log=Heard())
    await store.open()
    worker = Worker(store, Clock(unix_now()))
    await store.purge(worker.clock.now(), bury=True)
    cookie = await worker.sign_in()
    seat = await worker.enter(cookie)
    code = await worker.code(cookie)
    parked = await worker.transactions.openid_responses.put(ParkedResponse((("code", "c"),)), "192.0.2.1")
    session_id = cookie.partition(b".")[0].decode()
    notes = SignOutNotes(store, KEYS, now=worker.clock.now, monotonic=worker.clock.monotonic)
    await notes.keep([SignOutNote(session_id, PERMIS, "permis", b"", b"")])
    await worker.transactions.first_use("assertion", "id", until=worker.clock.now() + 60)
    await store.perform([worker.transactions.round_counted("b", PERMIS, 1)], worker.clock.now())
    try:
        yield store, worker, {"cookie": cookie, "seat": seat, "code": code, "parked": parked, "id": session_id}
    finally:
        await store.close()


async def change_all(store: TestedStore, change: Change) -> None:
    """Every value there, but for what the store knows of itself."""
    ask = store._connections.ask
    for key in await store.names():
        if key == store._keys.store or key.endswith((b"ended", b"purged")):
            continue
        kind = await ask(["TYPE", key], again=True)
        if kind == b"string":
            await ask(["SET", key, change(await ask(["GET", key], again=True)), "KEEPTTL"], again=True)
        elif kind == b"hash":
            pairs = await ask(["HGETALL", key], again=True)
            for field, value in zip(pairs[::2], pairs[1::2], strict=True):
                await ask(["HSET", key, field, change(value)], again=True)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_record_that_is_none_lets_nobody_in_and_is_told_of(own: int, name: str) -> None:
    async with filled(own) as (store, worker, made):
        await change_all(store, CHANGES[name])
        cold, now = Worker(store, worker.clock), worker.clock.now()
        assert await cold.sessions.load(PORTAL, made["cookie"]) is None
        assert await cold.sessions.load(PERMIS, made["seat"]) is None
        assert await cold.sessions.hand_overs.take(made["code"]) is None
        assert await cold.transactions.openid_responses.peek(made["parked"]) is None
        assert await cold.transactions.openid_responses.take(made["parked"]) is None
        assert await cold.transactions.rounds("b", PERMIS) in range(2**64)
        used = not await cold.transactions.first_use("assertion", "id", until=now + 60)
        # Half of a number is a number.
        assert used or name == "without its end"
        assert await SignOutNotes(store, KEYS, log=cold.log, now=lambda: now + 10**6).take(10) == ()
        await store.purge(now, bury=True)
        # It ends as any other.
        await cold.sessions.end([made["id"]])
        # Others go on, in the same browser too, and the server is not taken for one that is away.
        assert await cold.sessions.load(PORTAL, await cold.sign_in()) is not None
        assert store.reachable
        names = store._log.names() + cold.log.names()
        assert "store.unreachable" not in names
        assert "store.unreadable" in names


async def test_a_record_that_is_none_holds_up_the_touches_of_nobody(own: int) -> None:
    async with filled(own) as (store, worker, _):
        now = worker.clock.now()
        await store._connections.ask(["SET", store._keys.session("broken"), b"no hash"], again=True)
        await add_session(store, session_record(now=now, idle=100), seat_record(now=now), NOTHING, now)
        key = seat_record(now=now).key
        await store.touch([Touch(key._replace(session_id="broken"), now + 50), Touch(key, now + 50)])
        assert await store.read_session("s1", now + 149) is not None


async def test_a_list_of_ends_that_is_none_is_made_room_in(own: int) -> None:
    async with filled(own) as (store, worker, _):
        ends = store._keys._key("all", b"ended")
        await store._connections.ask(["LPUSH", ends, b"x"], again=True)
        await store.purge(worker.clock.now() + 10**6)
        assert await store._connections.ask(["LLEN", ends], again=True) == 0


@pytest.mark.parametrize("version", [b"", b"one", b"\xff"])
async def test_a_version_that_is_none_is_a_later_one(own: int, version: bytes) -> None:
    async with filled(own) as (store, _, _):
        await store._connections.ask(["HSET", store._keys.store, "version", version, "epoch", b"\xff"], again=True)
        other = RedisStore(store._server, log=Heard())
        with pytest.raises(Exception, match="newer release"):
            await other.open()
        await other.close()


@pytest.mark.slow
async def test_whatever_a_byte_is_changed_to_nothing_fails(own: int) -> None:
    chance = random.Random(15)

    def change(record: bytes) -> bytes:
        where = chance.randrange(len(record) + 1)
        return record[:where] + chance.randbytes(chance.randrange(4)) + record[where + chance.randrange(4) :]

    async with filled(own) as (store, worker, made):
        for _ in range(60):
            await change_all(store, change)
            cold = Worker(store, worker.clock)
            await cold.sessions.load(PERMIS, made["seat"])
            await cold.transactions.openid_responses.peek(made["parked"])
            await cold.transactions.rounds("b", PERMIS)
            await store.find("browser", [b"x"], worker.clock.now())
            await store.touch([Touch(seat_record().key, worker.clock.now())])
        assert store.reachable
