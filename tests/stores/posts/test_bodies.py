"""The body of a kept post: written and found whole, whatever the pieces; a full disk, an altered file."""

import asyncio
import errno
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeptFile
from gateway.stores.posts.bodies import FoundBody, PostWriter, Worked
from gateway.stores.posts.folder import FolderBounds, Occupant, PostFolder
from gateway.stores.posts.sealed_stream import CHUNK

KEY = bytes(range(32))
OCCUPANT = Occupant(f"{1:032x}", f"{1:016x}", f"{1:016x}", f"{1:016x}", 1 << 30, 1_900_000_000)
FILE = KeptFile(OCCUPANT.name, b"secret", "k1", b"person", 0)


async def in_thread(work: Callable[[], Worked]) -> Worked:
    return await asyncio.to_thread(work)


@pytest.fixture
def folder(tmp_path: Path) -> PostFolder:
    return PostFolder(str(tmp_path / "posts"))


def writer(folder: PostFolder) -> PostWriter:
    descriptor = folder.take_room(OCCUPANT, FolderBounds(1 << 40, 1 << 40), 0)
    return PostWriter(folder, FILE, KEY, descriptor, in_thread)


async def kept(folder: PostFolder, *pieces: bytes) -> KeptFile:
    writing = writer(folder)
    for piece in pieces[:-1]:
        await writing.write(piece)
    return await writing.finish(pieces[-1])


async def found(folder: PostFolder, file: KeptFile) -> bytes:
    body = FoundBody(folder.open(file.name), file, KEY, in_thread)
    try:
        await body.check()
        pieces = []
        while piece := await body.read():
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        body.close()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7])
@pytest.mark.parametrize("piece", [1000, CHUNK, 3 * CHUNK])
async def test_it_is_found_as_it_came(folder: PostFolder, size: int, piece: int) -> None:
    whole = os.urandom(size)
    file = await kept(folder, *(whole[at : at + piece] for at in range(0, size, piece)), b"")
    assert file.size == size
    assert await found(folder, file) == whole


async def test_nothing_of_it_can_be_read_on_the_disk(folder: PostFolder) -> None:
    file = await kept(folder, b"numero de securite sociale " * 10_000)
    assert b"numero" not in Path(folder._path, file.name).read_bytes()


@pytest.mark.parametrize("change", ["cut", "longer", "bit", "empty", "gone", "another"])
async def test_a_file_that_was_altered_is_found_out_before_any_of_it_is_read(folder: PostFolder, change: str) -> None:
    file = await kept(folder, os.urandom(3 * CHUNK))
    path = Path(folder._path, file.name)
    data = path.read_bytes()
    changed = {
        "cut": data[:-17],
        "longer": data + b"x",
        "bit": data[:-1] + bytes([data[-1] ^ 1]),
        "empty": b"",
        "another": data[CHUNK:] + data[:CHUNK],
    }
    path.unlink() if change == "gone" else path.write_bytes(changed[change])
    with pytest.raises(GatewayError) as refused:
        await found(folder, file)
    assert refused.value.code is kept_post_codes.GONE


async def test_a_file_that_changes_after_it_was_found_whole_is_not_read_to_its_end(folder: PostFolder) -> None:
    file = await kept(folder, os.urandom(20 * CHUNK))
    body = FoundBody(folder.open(file.name), file, KEY, in_thread)
    await body.check()
    os.truncate(Path(folder._path, file.name), 6 * CHUNK)
    assert len(await body.read()) == 4 * CHUNK
    with pytest.raises(GatewayError):
        await body.read()
    body.close()


async def test_under_another_key_it_is_not_found(folder: PostFolder) -> None:
    file = await kept(folder, b"form")
    with pytest.raises(GatewayError):
        await FoundBody(folder.open(file.name), file, bytes(32), in_thread).check()
    with pytest.raises(GatewayError):
        await found(folder, replace(file, size=3))


@pytest.mark.parametrize("call", ["write", "fsync"])
async def test_a_disk_that_is_full_is_told_and_leaves_nothing(
    folder: PostFolder, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writing = writer(folder)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(GatewayError) as refused:
        await writing.finish(os.urandom(3 * CHUNK))
    assert refused.value.code is kept_post_codes.NOT_KEPT
    assert "No space left" in refused.value.detail
    await writing.discard()
    assert os.listdir(folder._path) == [".lock"]


async def test_memory_does_not_grow_with_the_body(folder: PostFolder) -> None:
    piece = os.urandom(256 << 10)
    tracemalloc.start()
    try:
        writing = writer(folder)
        for _ in range(80):
            await writing.write(piece)
        file = await writing.finish(b"")
        body = FoundBody(folder.open(file.name), file, KEY, in_thread)
        await body.check()
        while await body.read():
            pass
        body.close()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.size == 20 << 20
    assert most < 3 << 20, most
