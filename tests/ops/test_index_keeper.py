"""When the supervisor makes an index, with a process that answers at once in place of a real one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.ops import index_keeper
from gateway.ops.index_files import (
    IndexStamp,
    IndexTask,
    Trouble,
    index_file,
    make_index,
    read_stamp,
    read_trouble,
    trouble_file,
    write_trouble,
)
from gateway.ops.index_keeper import IndexKeeper
from gateway.ops.index_process import SECONDS, NoIndex
from tests.patience import until

pytestmark = pytest.mark.asyncio

MADE, FAILS = "made", "fails"


class Machine:
    """Records the processes that a keeper would start, the looks at the files, and what the keeper tells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = folder.with_name("table")
        self.table.touch()
        self.does: Callable[[], IndexStamp | NoIndex] = self.makes
        self.started: list[float] = []
        self.looks = 0
        self.told: list[str] = []

    @property
    def task(self) -> IndexTask:
        return IndexTask("communes", "communes.f1", "f1", (str(self.table),), None)

    def makes(self) -> IndexStamp:
        return make_index(self.folder, self.task, 7, lambda database: (1, 0))

    def fails(self) -> NoIndex:
        return NoIndex("the state folder cannot be written")

    async def ask_once(self, *_: object, within: float) -> IndexStamp | NoIndex:
        self.started.append(within)
        return self.does()

    def tell(self, task: IndexTask, result: IndexStamp | NoIndex) -> None:
        self.told.append(FAILS if isinstance(result, NoIndex) else MADE)

    async def looked(self, times: int) -> None:
        wanted = self.looks + times
        await until(lambda: self.looks >= wanted)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "made")
    is_due = IndexKeeper._is_due

    def counted(*given: Any) -> bool:
        machine.looks += 1
        return is_due(*given)

    monkeypatch.setattr(index_keeper, "LOOKED_EVERY", 0.01)
    monkeypatch.setattr(index_keeper, "ask_once", machine.ask_once)
    monkeypatch.setattr(IndexKeeper, "_is_due", counted)
    return machine


@asynccontextmanager
async def running(machine: Machine, *tasks: IndexTask) -> AsyncIterator[IndexKeeper]:
    keeper = IndexKeeper(machine.folder, ("none",), machine.tell)
    await keeper.use(tasks)
    watching = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        watching.cancel()
        await keeper.close()


async def test_an_index_is_made_once_for_each_change_of_its_file(machine: Machine) -> None:
    async with running(machine, machine.task):
        await machine.looked(5)
        assert machine.told == [MADE]
        machine.table.write_text("new")
        await until(lambda: len(machine.told) == 2)
        await machine.looked(5)
    assert machine.told == [MADE, MADE]


async def test_what_fails_is_tried_again_after_a_minute_and_told_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.does = machine.fails
    async with running(machine, machine.task):
        await machine.looked(10)
        assert (len(machine.started), machine.told) == (1, [FAILS])
        assert read_trouble(trouble_file(machine.folder, "communes.f1")) is not None
        monkeypatch.setattr(index_keeper, "_TRIED_AGAIN", 0.0)
        machine.table.write_text("new")
        await until(lambda: len(machine.started) >= 4)
        machine.does = machine.makes
        await until(lambda: machine.told == [FAILS, MADE])
        assert read_trouble(trouble_file(machine.folder, "communes.f1")) is None


async def test_the_process_has_time_to_say_that_it_met_its_own_limit(machine: Machine) -> None:
    async with running(machine, machine.task):
        await until(lambda: machine.started)
    assert machine.started == [SECONDS + 20]


async def test_an_index_of_an_earlier_gateway_is_not_made_again(machine: Machine) -> None:
    async with running(machine, machine.task):
        await until(lambda: machine.told)
    async with running(machine, machine.task):
        await machine.looked(5)
    assert len(machine.started) == 1


async def test_an_index_of_other_content_is_made_again(machine: Machine) -> None:
    async with running(machine, machine.task) as keeper:
        await until(lambda: machine.told)
        other = IndexTask("communes", "communes.f1", "f2", machine.task.paths, None)
        await keeper.use([other])
        await until(lambda: len(machine.started) == 2)


async def test_trouble_of_an_earlier_gateway_is_tried_again_at_once(machine: Machine) -> None:
    """The file may be the one that was indexed: a mount that went and came back."""
    async with running(machine, machine.task):
        await until(lambda: machine.told)
    write_trouble(trouble_file(machine.folder, "communes.f1"), Trouble(7, "not mounted"))
    async with running(machine, machine.task):
        await until(lambda: len(machine.told) == 2)
    assert read_trouble(trouble_file(machine.folder, "communes.f1")) is None


async def test_an_index_that_the_folder_lost_is_made_again(machine: Machine) -> None:
    index = index_file(machine.folder, "communes.f1")
    async with running(machine, machine.task):
        await until(lambda: machine.told)
        index.unlink()
        await until(lambda: len(machine.told) == 2)
    assert read_stamp(index) is not None


async def test_a_process_of_a_former_task_ends_before_the_folder_is_cleared(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def ask_once(*_: object, **__: object) -> IndexStamp:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            machine.makes()
            machine.told.append("ended")
        raise AssertionError

    monkeypatch.setattr(index_keeper, "ask_once", ask_once)
    async with running(machine, machine.task) as keeper:
        await begun.wait()
        await keeper.use([])
        assert (machine.told, list(machine.folder.iterdir())) == (["ended"], [])


async def test_without_a_task_no_folder_is_made_and_the_indexes_of_earlier_gateways_are_removed(
    machine: Machine,
) -> None:
    async with running(machine):
        assert not machine.folder.exists()
    machine.folder.mkdir()
    machine.makes()
    async with running(machine):
        assert list(machine.folder.iterdir()) == []
