"""Invariants 6, 8 and 9 of the design, as far as the stores keep them."""

import asyncio
import os
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.records import RecordStore, SeatKey
from gateway.stores.sealing import read_cookie
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.conftest import on_every_store
from tests.stores.samples import (
    JEANNE,
    KEYS,
    PERMIS,
    PORTAL,
    Around,
    Clock,
    Worker,
    browser,
    first_use,
    login,
    transaction,
)

NETWORK = "192.0.2.0/24"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def opened(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    await store.open()
    return store


def dump(path: Path) -> bytes:
    """Every byte of every file of the store."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def change(path: Path, statement: str, *values: object) -> None:
    """What a person with the file but without any cookie or key may do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        assert stranger.execute(statement, values).rowcount > 0


# --- 6: everything works once


@on_every_store
async def test_invariant_6_everything_single_use_works_once_across_workers(store: RecordStore, clock: Clock) -> None:
    workers = [Worker(store, clock) for _ in range(4)]
    cookie = await workers[0].sign_in()
    for _ in range(20):
        id = await workers[0].transactions.sign_ins.put(transaction(), NETWORK)
        await workers[0].transactions.openid_logins.put(login(), NETWORK, f"state of {id}")
        code = await workers[0].code(cookie) or ""
        spent = await asyncio.gather(*(worker.transactions.sign_ins.spend(id) for worker in workers))
        taken = await asyncio.gather(
            *(worker.transactions.openid_logins.take(f"state of {id}") for worker in workers),
            *(worker.sessions.hand_overs.take(code) for worker in workers),
        )
        used = await asyncio.gather(*(first_use(store, id.encode(), clock.now() + 300, clock.now()) for _ in workers))
        assert [sum(each is not None for each in taken[start : start + 4]) for start in (0, 4)] == [1, 1]
        assert (spent.count(True), used.count(True)) == (1, 1)


async def test_invariant_6_when_the_store_cannot_say_the_answer_is_no(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    id = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    os.rename(path, path.with_name("away"))
    for asked in (
        worker.transactions.sign_ins.spend(id),
        worker.transactions.openid_logins.take(id),
        worker.sessions.hand_overs.take(id),
        first_use(store, b"assertion", clock.now() + 300, clock.now()),
    ):
        with pytest.raises(GatewayError) as caught:
            await asked
        assert caught.value.code is store_codes.UNREACHABLE
    await store.close()


# --- 8: only ciphertext, whose key needs the cookie


async def test_invariant_8_a_dump_holds_no_value_of_an_identity_and_nothing_that_opens_it(
    path: Path, clock: Clock
) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    identity = replace(JEANNE, attributes={**JEANNE.attributes, "family_name": ("Dupont-Lefèvre",)})
    cookie = await worker.sign_in(identity=identity)
    on_app = await worker.enter(cookie)
    id = await worker.transactions.sign_ins.put(transaction(), NETWORK)
    await worker.transactions.openid_logins.put(login(), NETWORK, "state-of-jeanne-0123456789")
    code = await worker.code(cookie) or ""
    hand_over = await worker.sessions.hand_overs.take(code)
    assert hand_over is not None
    code = await worker.code(cookie) or ""
    await worker.store.perform([worker.transactions.round_counted(browser("binding"), PERMIS, 0)], clock.now())
    secrets = [
        identity.issuer,
        identity.subject,
        *(value for values in identity.attributes.values() for value in values if len(value) > 3),
        "Dupont",
        "sid-of-the-provider",
        "id.token.jws",
        browser("jeanne's browser"),
        browser("binding"),
        transaction().return_target,
        login().nonce,
        login().code_verifier,
        "state-of-jeanne-0123456789",
        NETWORK,
        "192.0.2",
        id,
        code,
        cookie.split(b".")[1].decode(),
        on_app.split(b".")[1].decode(),
    ]
    keys = [hand_over.value.session_key, *(secret for _, secret in KEYS)]
    written = dump(path)
    await store.close()
    written += dump(path)
    assert cookie.split(b".")[0] in written
    assert [text for text in secrets if text.encode() in written or text.encode("utf-16-le") in written] == []
    encodings = (bytes, b64encode, urlsafe_b64encode, lambda key: key.hex().encode())
    assert not [key for key in keys for encode in encodings if encode(key) in written]


async def test_invariant_8_a_store_with_its_keys_opens_nothing_without_a_cookie(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    cookie = await worker.sign_in()
    id = cookie.split(b".")[0]
    with closing(sqlite3.connect(path)) as dumped:
        blobs = [
            value
            for table in ("sessions", "seats")
            for row in dumped.execute(f"SELECT * FROM {table}")
            for value in row
            if isinstance(value, bytes)
        ]
    for blob in blobs:
        guess = urlsafe_b64encode(blob)[:43].ljust(43, b"A")
        assert await worker.sessions.load(PORTAL, id + b"." + guess) is None
    assert await worker.sessions.load(PORTAL, cookie) is not None
    await store.close()


async def test_invariant_8_rows_swapped_between_sessions_do_not_open(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    jeanne = await worker.sign_in("a")
    stranger = await worker.sign_in("b", identity=replace(JEANNE, subject="stranger"))
    jeannes, strangers = (cookie.split(b".")[0].decode() for cookie in (jeanne, stranger))

    for column, table in (("sealed", "sessions"), ("wrapped", "seats")):
        key = "id" if table == "sessions" else "session_id"
        hers = f"(SELECT {column} FROM {table} WHERE {key} = ?)"
        change(path, f"UPDATE {table} SET {column} = {hers} WHERE {key} = ?", jeannes, strangers)
        assert await worker.sessions.load(PORTAL, stranger) is None
        assert await worker.sessions.load(PORTAL, jeanne) is not None
    assert {*worker.log.names()} == {"store.unreadable"}
    await store.close()


async def test_invariant_8_a_seat_and_session_moved_whole_under_a_strangers_id_do_not_open(
    path: Path, clock: Clock
) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    jeanne = await worker.sign_in("a")
    stranger = await worker.sign_in("b", identity=replace(JEANNE, subject="stranger"))
    jeannes, strangers = (cookie.split(b".")[0].decode() for cookie in (jeanne, stranger))
    change(path, "UPDATE seats SET session_id = ? WHERE session_id = ?", jeannes, strangers)
    moved = jeannes.encode() + b"." + stranger.split(b".")[1]
    assert await worker.sessions.load(PORTAL, moved) is None
    assert worker.log.names() == ["store.unreadable"]
    await store.close()


async def test_invariant_8_a_seat_moved_to_another_host_does_not_open(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    cookie = await worker.sign_in()
    change(path, "UPDATE seats SET host = ?", PERMIS)
    assert await worker.sessions.load(PERMIS, cookie) is None
    assert await worker.sessions.load(PORTAL, cookie) is None
    await store.close()


async def test_invariant_8_no_limit_in_the_clear_lengthens_the_sealed_one(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    cookie = await worker.sign_in(absolute=3600)
    change(path, "UPDATE sessions SET expires_at = expires_at + 1000000, ends_at = ends_at + 1000000")
    change(path, "UPDATE seats SET expires_at = expires_at + 1000000, ends_at = ends_at + 1000000")
    assert await worker.sessions.load(PORTAL, cookie) is not None
    hand_over = await worker.sessions.hand_overs.take(await worker.code(cookie) or "")
    assert hand_over is not None
    clock.pass_by(3600)
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert await worker.sessions.load(PORTAL, cookie) is None
    assert await worker.code(cookie) is None
    assert await worker.sessions.take_seat(hand_over, replaces=None) is None
    await store.close()


async def test_invariant_8_a_wrong_answer_of_the_store_is_not_read(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    mine = await worker.sign_in("a")
    yours = await worker.sign_in("b", identity=replace(JEANNE, subject="stranger"))

    class Confused(Around):
        async def read_seat(self, key: SeatKey, now: int) -> object:
            presented = read_cookie(yours)
            assert presented is not None
            return await store.read_seat(presented.key, now)

    confused = Worker(Confused(store), clock)
    assert await confused.sessions.load(PORTAL, mine) is None
    assert confused.log.names() == ["store.unreadable"]
    assert await confused.sessions.load(PORTAL, yours) is not None
    await store.close()


# --- 9: absent is one answer, unreachable another


async def test_invariant_9_absent_is_none_and_unreachable_an_error(path: Path, clock: Clock) -> None:
    store = await opened(path)
    worker = Worker(store, clock)
    cookie = await worker.sign_in()
    absent = cookie[:-4] + b"AAAA"
    assert await worker.sessions.load(PORTAL, absent) is None
    os.rename(path, path.with_name("away"))
    for either in (cookie, absent):
        with pytest.raises(GatewayError) as caught:
            await worker.sessions.load(PORTAL, either)
        assert (caught.value.code, caught.value.code.status) == (store_codes.UNREACHABLE, 503)
    path.with_name("away").rename(path)
    assert await worker.sessions.load(PORTAL, cookie) is not None
    assert await worker.sessions.load(PORTAL, absent) is None
    await store.close()
