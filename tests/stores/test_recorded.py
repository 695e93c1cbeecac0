"""N reads N-1: what earlier releases wrote, recorded by tests/stores/record.py, is read by this one."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.stores import codec
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.sealing import VERSION
from gateway.stores.sqlite.file import APPLICATION_ID, SCHEMA_VERSION
from gateway.stores.sqlite.store import SqliteStore
from gateway.wire.cookie_jar import CookieJar
from tests.stores.record import RECORDED, TRANSACTION, plain, written
from tests.stores.samples import JEANNE, KEYS, NOW, PERMIS, PORTAL, Clock, Heard, Worker

FILES = sorted(RECORDED.glob("*.json"))


def restored(told: dict[str, Any], path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("\n".join(told["sql"]))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {told['schema']}")
        connection.execute("PRAGMA journal_mode = WAL")


def holds(read: object, recorded: Any) -> bool:
    """All that was recorded; a field that came later has its default."""
    found = plain(read)
    return bool(within(found, recorded))


def within(found: Any, recorded: Any) -> bool:
    if isinstance(recorded, dict):
        return all(name in found and within(found[name], value) for name, value in recorded.items())
    if isinstance(recorded, list):
        return len(found) == len(recorded) and all(map(within, found, recorded))
    return bool(found == recorded)


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(request.param.read_text())
    return read


@pytest.fixture
async def worker(told: dict[str, Any], tmp_path: Path) -> AsyncIterator[Worker]:
    restored(told, tmp_path / "sessions.sqlite")
    store = SqliteStore(tmp_path / "sessions.sqlite")
    await store.open()
    yield Worker(store, Clock())
    await store.close()


def test_what_this_release_writes_is_recorded() -> None:
    assert f"{SCHEMA_VERSION}.{VERSION}" in [file.stem for file in FILES], "python -m tests.stores.record"


async def test_the_recording_still_goes(tmp_path: Path) -> None:
    told = await written(tmp_path / "sessions.sqlite")
    assert set(told["holds"]) <= {field for file in FILES for field in json.loads(file.read_text())["holds"]}


async def test_an_applications_cookies_stay(told: dict[str, Any], worker: Worker) -> None:
    jars = CookieJars(worker.store, worker.sessions, KEYS, now=worker.clock.now)
    found = await jars.read(PERMIS, told["opens"]["permis"].encode())
    assert plain(found) == told["holds"].get("jar", plain(CookieJar()))


async def test_people_stay_signed_in(told: dict[str, Any], worker: Worker) -> None:
    for host in (PORTAL, PERMIS):
        cookie = told["opens"][host.partition(".")[0].replace("portail", "portal")].encode()
        seat = await worker.sessions.load(host, cookie)
        assert seat is not None
        assert seat.identity == JEANNE
        session = await worker.sessions.opened(host, cookie)
        assert holds(session, told["holds"]["session"])


async def test_their_provider_can_still_end_their_sessions(told: dict[str, Any], worker: Worker) -> None:
    (found,) = await worker.sessions.of_sid(JEANNE.issuer, "sid")
    assert (found.id,) == await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)
    assert found.id == told["holds"]["session"]["id"]
    # Not known of records that were kept before schema 7: any sign-out of the provider's ends them.
    assert found.issued_at in (None, NOW - 5)


async def test_sign_ins_and_sign_outs_under_way_go_on(told: dict[str, Any], worker: Worker) -> None:
    opens, transactions = told["opens"], worker.transactions
    response = await transactions.openid_responses.take(opens["response"])
    assert response is not None
    read = {
        "transaction": await transactions.sign_ins.peek(opens["transaction"]),
        "login": await transactions.openid_logins.take("state"),
        "sign_out": await transactions.openid_logouts.take("state of a sign-out"),
        "response": response.parameters,
        "saml_login": await transactions.saml_logins.take("reference"),
        "parked": await transactions.saml_responses.peek(opens["parked"]),
        "saml_logout": await transactions.saml_logouts.take("reference of a logout"),
    }
    assert [name for name, value in read.items() if not holds(value, told["holds"][name])] == []
    code = await worker.sessions.hand_overs.take(opens["code"])
    assert code is not None
    assert code.value.session_id == told["holds"]["session"]["id"]


async def test_their_applications_are_still_told_of_the_end(told: dict[str, Any], worker: Worker) -> None:
    """Before schema 3 nothing was kept for it."""
    notes = SignOutNotes(worker.store, KEYS, now=worker.clock.now, monotonic=worker.clock.monotonic)
    await worker.sessions.end([told["holds"]["session"]["id"]])
    recorded = told["holds"].get("note")
    assert (recorded is None) is (told["schema"] < 3)
    assert holds(await notes.take(10), [] if recorded is None else [recorded])


async def test_what_was_used_stays_used(worker: Worker) -> None:
    assert not await worker.transactions.first_use("assertion", "issuer", "_4", until=NOW + 300)
    assert await worker.transactions.rounds("binding", PERMIS) == 2


async def test_a_record_of_a_release_to_come_is_told_of_once_and_lets_nobody_in(
    told: dict[str, Any], worker: Worker, tmp_path: Path
) -> None:
    heard = Heard()
    later = Worker(worker.store, worker.clock, log=heard)
    with closing(sqlite3.connect(tmp_path / "sessions.sqlite")) as connection:
        connection.execute("UPDATE sessions SET sealed = CAST(x'63' || substr(sealed, 2) AS BLOB)")
        connection.execute("UPDATE tickets SET sealed = CAST(x'63' || substr(sealed, 2) AS BLOB)")
        connection.commit()
    for _ in range(3):
        assert await later.sessions.load(PORTAL, told["opens"]["portal"].encode()) is None
        assert await later.transactions.sign_ins.peek(told["opens"]["transaction"]) is None
    assert heard.names() == ["store.unreadable"] * 2
    for _, fields in heard.events:
        assert "a record of version 99, this release reads 1, 2: whoever it was made for signs in again" in str(fields)


async def test_a_form_that_is_not_understood_is_no_fault(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a release to come adds to a record is a field that this one does not know."""
    dump = codec._dump
    monkeypatch.setattr(codec, "_dump", lambda values: dump({**values, "later": 1}))
    cookie = await worker.sign_in("b", identity=replace(JEANNE, subject="other"))
    id = await worker.transactions.sign_ins.put(TRANSACTION, "network")
    worker.sessions.forget()
    assert await worker.sessions.load(PORTAL, cookie) is None
    assert await worker.transactions.sign_ins.peek(id) is None
    assert worker.log.names() == ["store.unreadable"] * 2
    assert "(TypeError): whoever it was made for signs in again" in str(worker.log.events[0])
