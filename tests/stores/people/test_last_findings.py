"""What a server last said of somebody, for a time in which it cannot say."""

from dataclasses import replace

import pytest

from gateway.model.directory import Directory, DirectoryFinding
from gateway.model.errors import GatewayError
from gateway.model.mandate import TermOfOffice
from gateway.stores.people.last_findings import LastFindings
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys
from gateway.stores.sqlite.store import SqliteStore
from tests.directories.samples import directory
from tests.stores.samples import KEYS, NOW, Clock

HOUR = 3600
COMMUNES: Directory = directory("", away="last", last=HOUR)
TERM = TermOfOffice("maire", "215903501", "2026-03-29", "2032-03-28", "Europe/Paris")
FOUND = DirectoryFinding("communes", "f1", "found", {"commune": ("Lille",)}, frozenset({"uai"}), NOW, (TERM,))


@pytest.fixture
def kept(store: RecordStore, clock: Clock) -> LastFindings:
    return LastFindings(store, KEYS, now=clock.now)


async def test_it_is_found_under_its_own_directory_and_key_alone(kept: LastFindings) -> None:
    await kept.keep(COMMUNES, "alice", FOUND)
    found = await kept.read(COMMUNES, "alice")
    assert found == FOUND
    assert (found.at, found.terms) == (NOW, (TERM,))
    assert await kept.read(COMMUNES, "Alice") is None
    assert await kept.read(replace(COMMUNES, name="others"), "alice") is None
    assert await kept.read(replace(COMMUNES, fingerprint="f2"), "alice") is None, "its file asks otherwise now"


async def test_the_last_counts_also_where_it_is_that_there_is_nobody(kept: LastFindings) -> None:
    await kept.keep(COMMUNES, "alice", FOUND)
    gone = DirectoryFinding("communes", "f1", "none", at=NOW)
    await kept.keep(COMMUNES, "alice", gone)
    assert await kept.read(COMMUNES, "alice") == gone


async def test_it_counts_for_as_long_as_the_file_says_now(kept: LastFindings, clock: Clock) -> None:
    await kept.keep(COMMUNES, "alice", FOUND)
    clock.pass_by(HOUR - 1)
    assert await kept.read(replace(COMMUNES, last=HOUR // 2), "alice") is None
    assert await kept.read(COMMUNES, "alice") == FOUND
    clock.pass_by(1)
    assert await kept.read(COMMUNES, "alice") is None


async def test_a_new_store_key_leaves_it_readable(store: RecordStore, kept: LastFindings, clock: Clock) -> None:
    await kept.keep(COMMUNES, "alice", FOUND)
    newer = LastFindings(store, [("k2", b"n" * 32), *KEYS], now=clock.now)
    assert await newer.read(COMMUNES, "alice") == FOUND


async def test_what_is_too_long_is_not_kept(kept: LastFindings) -> None:
    with pytest.raises(GatewayError):
        await kept.keep(COMMUNES, "alice", replace(FOUND, values={"commune": ("x" * 70_000,)}))


async def test_a_dump_of_the_store_tells_nothing_of_anybody(tmp_path, clock: Clock) -> None:  # type: ignore[no-untyped-def]
    store = SqliteStore(tmp_path / "sessions.sqlite")
    await store.open()
    await LastFindings(store, KEYS, now=clock.now).keep(COMMUNES, "alice", FOUND)
    await store.close()
    dumped = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"last_finding" in dumped
    assert not any(word in dumped for word in (b"alice", b"Lille", b"communes", b"maire"))


async def test_keys_of_the_worker_change_here_with_it(store: RecordStore, clock: Clock) -> None:
    """What a retired key sealed opens no more, and nothing is sealed by it."""
    keys = StoreKeys(KEYS)
    kept = LastFindings(store, keys, now=clock.now)
    await kept.keep(COMMUNES, "alice", FOUND)
    newer = [("k2", b"n" * 32)]
    keys.replace(newer)
    assert await kept.read(COMMUNES, "alice") is None
    await kept.keep(COMMUNES, "bob", FOUND)
    assert await LastFindings(store, newer, now=clock.now).read(COMMUNES, "bob") == FOUND


async def test_the_last_is_the_newest_also_where_another_gateway_uses_the_key_before_still(
    store: RecordStore, clock: Clock
) -> None:
    newer = [("k2", b"n" * 32), *KEYS]
    here, there = (LastFindings(store, keys, now=clock.now) for keys in (newer, [*KEYS, newer[0]]))
    await here.keep(COMMUNES, "alice", FOUND)
    clock.pass_by(60)
    gone = DirectoryFinding("communes", "f1", "none", at=NOW + 60)
    await there.keep(COMMUNES, "alice", gone)
    assert [await kept.read(COMMUNES, "alice") for kept in (here, there)] == [gone, gone]
