"""What waits comes out as it went in, whatever of it was on the disk; and what becomes of it where the disk fails."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from gateway.config.exchange_limits import BufferSettings
from gateway.proxy.buffers import room
from gateway.proxy.buffers.held import BLOCK, HeldBytes
from gateway.proxy.buffers.room import Buffers
from tests.patience import until
from tests.proxy.buffers.slow import files_in
from tests.proxy.stand_ins import Log

MOST = 3 * BLOCK


class Here:
    def __init__(self, folder: Path, in_all: int = 1 << 30) -> None:
        self.log = Log()
        settings = BufferSettings(str(folder), in_all)
        self.buffers = Buffers(lambda: settings, self.log, asyncio.get_running_loop())
        self.moves = 0
        self.faults: list[Exception] = []

    def held(self, most: int = MOST, app: str = "app") -> HeldBytes:
        return HeldBytes(self.buffers, app, most, self._moved, self.faults.append)

    def _moved(self) -> None:
        self.moves += 1


async def taken(held: HeldBytes, most: int) -> bytes:
    """The next piece, wherever it is."""
    found = b""

    def comes() -> bool:
        nonlocal found
        found = held.take(most)
        return bool(found)

    await until(comes, pause=0.001)
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_every_byte_in_its_order_round_and_round_the_file(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    here = Here(tmp_path)
    held = here.held()
    put, got = bytearray(), bytearray()
    while len(put) < 40 * BLOCK:
        if not held.is_full and not held.is_busy:
            piece = chance.randbytes(chance.choice((1, 1000, BLOCK, 2 * BLOCK)))
            held.put(piece)
            put += piece
        if chance.random() < 0.4 or held.is_full or held.is_busy:
            got += held.take(chance.choice((1, 5000, BLOCK)))
            await asyncio.sleep(0)
    while held.size:
        got += await taken(held, BLOCK)
    assert got == put
    assert here.buffers.held == 0
    assert len(files_in(tmp_path)) == 1, "it was on the disk"
    held.close()
    assert files_in(tmp_path) == []
    here.buffers.close()


async def test_little_never_comes_on_the_disk(tmp_path: Path) -> None:
    here = Here(tmp_path)
    held = here.held()
    for _ in range(100):
        held.put(b"x" * (BLOCK - 1))
        assert held.take(BLOCK) == b"x" * (BLOCK - 1)
    assert files_in(tmp_path) == []
    assert here.moves == 0


async def test_it_is_full_at_its_bound_and_for_its_application(tmp_path: Path) -> None:
    here = Here(tmp_path, in_all=8 * BLOCK)
    held, other = here.held(), here.held(most=100 * BLOCK)
    held.put(bytes(MOST - 1))
    assert not held.is_full
    held.put(b"x")
    assert held.is_full
    assert not other.is_full
    other.put(bytes(BLOCK))
    assert other.is_full, "one application has half of all"
    held.close()
    assert not other.is_full
    other.close()
    assert here.buffers.held == 0
    await until(lambda: not files_in(tmp_path))
    here.buffers.close()


async def test_where_a_file_needs_a_name_it_loses_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As NFS says it: a flag that no file system knows.
    monkeypatch.setattr("gateway.proxy.buffers.room.os.O_TMPFILE", os.O_DIRECTORY)
    here = Here(tmp_path)
    held = here.held()
    put = bytes(range(256)) * (BLOCK // 128)
    held.put(put)
    await until(lambda: files_in(tmp_path))
    await until(lambda: os.listdir(tmp_path) == [])
    got = b""
    while held.size:
        got += await taken(held, BLOCK)
    assert got == put
    assert not here.log.named("buffer.failed")
    held.close()
    here.buffers.close()


def nearly_full(descriptor: int) -> os.statvfs_result:
    real = os.statvfs(descriptor)
    return os.statvfs_result((real.f_bsize, 4096, real.f_blocks, 9, 9, *tuple(real)[5:10]))


@pytest.mark.parametrize("trouble", ["no folder", "nearly full", "many files"])
async def test_where_the_disk_takes_nothing_it_stays_in_memory(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "none"
    if trouble == "no folder":
        folder.write_text("")
    elif trouble == "nearly full":
        monkeypatch.setattr("gateway.proxy.buffers.room.os.fstatvfs", nearly_full)
    else:
        monkeypatch.setattr("gateway.proxy.buffers.room._MOST_FILES", 0)
    here = Here(folder)
    held = here.held(most=100 * BLOCK)
    put = bytes(range(256)) * (BLOCK // 64)
    held.put(put)
    await until(lambda: here.log.named("buffer.failed"))
    await until(lambda: held.is_full)
    got = b""
    while held.size:
        got += await taken(held, BLOCK)
    assert got == put
    assert not held.is_full
    held.close()
    here.buffers.close()


@pytest.mark.parametrize("size", [0, 1000])
async def test_what_was_written_and_is_gone_is_a_fault(tmp_path: Path, size: int) -> None:
    here = Here(tmp_path)
    held = here.held()
    held.put(bytes(BLOCK))
    await taken(held, BLOCK)
    held.put(bytes(2 * BLOCK))
    (descriptor,) = files_in(tmp_path)
    await until(lambda: os.fstat(descriptor).st_size == 3 * BLOCK)
    os.ftruncate(descriptor, size)

    def torn() -> bool:
        held.take(BLOCK)
        return bool(here.faults)

    await until(torn)
    held.close()
    here.buffers.close()


async def test_it_may_be_dropped_while_it_is_written(tmp_path: Path) -> None:
    here = Here(tmp_path)
    held = here.held()
    held.put(bytes(2 * BLOCK))
    held.close()
    await until(lambda: not files_in(tmp_path))
    assert here.buffers.held == 0
    assert not here.faults
    assert not here.moves
    here.buffers.close()


async def test_no_application_takes_all_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_FILES", 4)
    here = Here(tmp_path)
    slow = [here.held() for _ in range(6)]
    other = here.held(app="other")
    for held in (*slow, other):
        held.put(bytes(BLOCK))
    await until(lambda: len(files_in(tmp_path)) == 3)
    assert [held.is_full for held in (*slow, other)] == [False] * 2 + [True] * 4 + [False]
    for held in (*slow, other):
        held.close()
    await until(lambda: not files_in(tmp_path))
    again = here.held()
    again.put(bytes(BLOCK))
    await until(lambda: len(files_in(tmp_path)) == 1)


async def test_without_a_file_nothing_more_waits_than_had_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many slow clients as a stranger has would be as many times what waits in memory."""
    monkeypatch.setattr(room, "_MOST_FILES", 0)
    held = Here(tmp_path).held()
    held.put(bytes(BLOCK - 1))
    assert not held.is_full
    held.put(b"x")
    assert held.is_full
    assert len(held.take(2 * BLOCK)) == BLOCK
    assert not held.is_full
