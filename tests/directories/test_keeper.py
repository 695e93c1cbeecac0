"""The supervisor's end: what is made of a file follows it, and trouble is noted beside what there was."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from gateway.directories import keeper as keeping
from gateway.directories.index import index_path, trouble_path
from gateway.directories.keeper import DirectoryKeeper
from gateway.model.directory import Directory
from gateway.ops import index_keeper
from gateway.ops.index_files import read_stamp, read_trouble
from gateway.ops.log import Log
from tests.directories.samples import TABLE, directory
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio


class Told(Log):
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append((event, facts))


class Keeper(Protocol):
    async def run(self) -> None: ...

    async def close(self) -> None: ...


KeeperT = TypeVar("KeeperT", bound=Keeper)


@asynccontextmanager
async def running(keeper: KeeperT) -> AsyncIterator[KeeperT]:
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await keeper.close()


@asynccontextmanager
async def kept(folder: Path, told: Told, *directories: Directory, **how: object) -> AsyncIterator[DirectoryKeeper]:
    keeper = DirectoryKeeper(folder, told, **how)  # type: ignore[arg-type]
    await keeper.use(directories)
    async with running(keeper):
        yield keeper


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_keeper, "LOOKED_EVERY", 0.05)


async def test_an_index_follows_its_file_and_a_wrong_file_leaves_it_with_a_note(tmp_path: Path) -> None:
    table, folder, told = tmp_path / "communes.csv", tmp_path / "made", Told()
    table.write_text(TABLE)
    one = directory(table)
    async with kept(folder, told, one) as keeper:
        await until(lambda: read_stamp(index_path(folder, one)) is not None)
        assert folder.stat().st_mode & 0o777 == 0o700
        first = read_stamp(index_path(folder, one))
        table.write_text("siret,uai,label\n1,2\n")
        await until(lambda: read_trouble(trouble_path(folder, one)) is not None)
        trouble = read_trouble(trouble_path(folder, one))
        assert trouble is not None
        assert abs(trouble.since - time.time()) < PATIENCE
        assert "line 2: 2 cells" in trouble.detail
        assert read_stamp(index_path(folder, one)) == first
        beside = tmp_path / "new"
        beside.write_text(TABLE + "1,2,3\n")
        os.replace(beside, table)
        await until(lambda: len(told.events) == 3)
        assert read_trouble(trouble_path(folder, one)) is None
        stamp = read_stamp(index_path(folder, one))
        assert stamp is not None
        assert stamp.rows == 3
        await keeper.use([])
        assert list(folder.iterdir()) == []
    assert [event for event, _ in told.events] == ["directory.read", "directory.unreadable", "directory.read"]
    assert told.events[-1][1] == {"directory": "communes", "rows": 3, "keyless": 0}


async def test_one_that_asks_otherwise_is_read_before_it_takes_the_place_of_the_one_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, folder, told = tmp_path / "communes.csv", tmp_path / "made", Told()
    table.write_text(TABLE)
    one = directory(table)
    async with kept(folder, told, one) as keeper:
        await until(lambda: read_stamp(index_path(folder, one)) is not None)
        in_force = {one.name: one.fingerprint}
        assert await keeper.ready([one, directory(tmp_path / "none", name="others", fingerprint="f3")], in_force) == ""
        gone = directory(tmp_path / "none", fingerprint="f2")
        assert await keeper.ready([gone], in_force) == (
            "directory communes stays as it was: directory.file: none: cannot be read: No such file or directory"
        )
        assert read_stamp(index_path(folder, one)) is not None
        other = directory(table, fingerprint="f2")
        assert await keeper.ready([other], in_force) == ""
        assert read_stamp(index_path(folder, other)) is not None
        hangs = DirectoryKeeper(folder, told, helper=("/bin/sh", "-c", "exec sleep 60"))
        await hangs.use([one])
        monkeypatch.setattr(keeping, "_READY_WITHIN", 0.2)
        assert "the file was not read within 0.2 s" in await hangs.ready([other], in_force)
    assert [event for event, _ in told.events] == ["directory.read", "directory.read"]
