"""A disk that another program has filled, on a file system of its own.

What ends something is written from the room that is kept for ends, nobody is let in, and the ends stand when there is
room again."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

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
    Ticket,
    TicketKey,
    UseOnce,
    Write,
)
from gateway.stores.sqlite.room import KEPT, RoomForEnds
from gateway.stores.sqlite.store import SqliteStore
from tests.stores.samples import NOTHING, NOW, add_session, seat_record, session_record

SIZE = 32 << 20
# Bytes: what the last sign-in before the disk was full may have taken.
A_SIGN_IN = 1 << 20
INACTIVE = MarkKey("A", b"inactive")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("this account may mount no file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
async def store(disk: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(disk / "var/sessions.sqlite")
    await made.open()
    for number in range(40):
        await add_session(made, session_record(f"s{number}"), seat_record(f"s{number}"), NOTHING, NOW)
    yield made
    await made.close()


def fill(disk: Path) -> None:
    """By another program, to the last block."""
    with (disk / "filled").open("ab", buffering=0) as filled, suppress(OSError):
        while filled.write(b"x" * 4096) == 4096:
            pass


async def fill_the_store(store: SqliteStore) -> None:
    """By sign-ins, until they are refused."""
    number = 0
    while await takes(store, f"f{number}"):
        number += 1


async def takes(store: SqliteStore, id: str) -> bool:
    try:
        await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)
    except GatewayError:
        return False
    return True


def ticket(name: str) -> Ticket:
    return Ticket(TicketKey("A", "sign_in_end", name.encode() * 32), b"sealed", b"g" * 32, NOW + 60)


REFUSED: dict[str, list[Write]] = {
    "a sign-in": [AddSession(session_record("s99"), seat_record("s99"), NOTHING)],
    "what works once": [UseOnce(b"a" * 32, NOW + 60)],
    "an end with something else": [RevokeSession("s39"), PutTicket(ticket("x"), 10, 10)],
    "a mark": [RaiseMark(INACTIVE, 1, NOW + 60)],
}


async def test_invariant_12_a_full_disk_takes_every_end_and_lets_nobody_in(disk: Path, store: SqliteStore) -> None:
    await store.perform([SealedNote("s0", "permis.localhost", b"note")], NOW)
    cursor = (await store.ended_since(None)).cursor
    fill(disk)
    await fill_the_store(store)
    for writes in REFUSED.values():
        with pytest.raises(GatewayError):
            await store.perform(writes, NOW)
    assert await store.perform([RevokeSession("s0", buried=True), RaiseEndMark(INACTIVE, 1, NOW + 60)], NOW)
    assert await store.perform([PutTicketOfEnd(ticket("y"), 10, 10)], NOW)
    assert await store.take_ticket(ticket("y").key, NOW, ends=True) == b"sealed"
    assert await store.read_session("s0", NOW) is None
    assert await store.read_session("s39", NOW) is not None
    assert [each.session_id for each in (await store.ended_since(cursor)).ended] == ["s0"]
    assert [note.host for note in await store.take_notes(10, NOW)] == ["permis.localhost"]
    with pytest.raises(GatewayError):
        await store.probe()
    assert not store.reachable, "that ends are written does not say that sign-ins are"


async def test_what_ended_on_a_full_disk_stands_ended_when_there_is_room_and_after_a_restart(
    disk: Path, store: SqliteStore
) -> None:
    fill(disk)
    await fill_the_store(store)
    # Each by itself, and all of them beside each other, as at the end of a working day.
    for number in range(20):
        await store.perform([RevokeSession(f"s{number}")], NOW)
    await asyncio.gather(*(store.perform([RevokeSession(f"s{number}")], NOW) for number in range(20, 39)))
    (disk / "filled").unlink()
    await store.probe()
    await store.close()
    again = SqliteStore(disk / "var/sessions.sqlite")
    await again.open()
    assert [await again.read_session(f"s{number}", NOW) for number in range(39)] == [None] * 39
    assert await again.read_session("s39", NOW) is not None
    assert await again.perform([AddSession(session_record("s99"), seat_record("s99"), NOTHING)], NOW)
    await again.close()


async def test_room_is_kept_again_when_there_is_some(disk: Path, store: SqliteStore) -> None:
    log = disk / "var/sessions.sqlite-wal"
    fill(disk)
    await fill_the_store(store)
    before = log.stat()
    assert before.st_blocks * 512 - before.st_size >= KEPT - A_SIGN_IN, "sign-ins have taken none of it"
    await asyncio.gather(*(store.perform([RevokeSession(f"s{number}")], NOW) for number in range(39)))
    (disk / "filled").unlink()
    await store.probe()
    after = log.stat()
    assert after.st_blocks * 512 - after.st_size >= KEPT


def test_a_file_system_that_sets_nothing_aside_is_written_to_all_the_same(tmp_path: Path) -> None:
    # Nothing can be set aside behind the end of a device, as on file systems that do not know how.
    (tmp_path / "sessions.sqlite-wal").symlink_to("/dev/null")
    assert RoomForEnds(tmp_path / "sessions.sqlite").keep()
    assert RoomForEnds(tmp_path / "absent").keep()
