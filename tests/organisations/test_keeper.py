"""The supervisor's end: the index follows its tables, and trouble is told once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.directories.indexing import SECONDS
from gateway.model.organisations import OrganisationTable
from gateway.ops.child_process import NoOutcome
from gateway.organisations import keeper as keeping
from gateway.organisations.index import organisation_index_path, read_organisation_stamp
from gateway.organisations.keeper import OrganisationKeeper
from tests.directories.test_keeper import Told, running, until
from tests.organisations.samples import table

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def kept(
    folder: Path, told: Told, *tables: OrganisationTable, **how: object
) -> AsyncIterator[OrganisationKeeper]:
    keeper = OrganisationKeeper(folder, told, **how)  # type: ignore[arg-type]
    await keeper.use(tables)
    async with running(keeper):
        yield keeper


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LOOKED_EVERY", 0.05)


def rows(folder: Path) -> int:
    stamp = read_organisation_stamp(organisation_index_path(folder))
    return 0 if stamp is None else stamp.rows


def events(told: Told) -> list[str]:
    return [event for event, _ in told.events]


async def test_the_index_follows_its_tables_and_goes_with_the_last_of_them(tmp_path: Path) -> None:
    path, folder, told = tmp_path / "communes.csv", tmp_path / "made", Told()
    path.write_text("name\nLille\n")
    async with kept(folder, told, table(path)) as keeper:
        await until(lambda: events(told) == ["organisations.read"])
        assert folder.stat().st_mode & 0o777 == 0o700
        path.write_text("nom\nLille\n")
        await until(lambda: events(told)[-1:] == ["organisations.unreadable"])
        assert "communes.csv: line 1: no column is called name" in str(told.events[-1][1]["detail"])
        assert rows(folder) == 1
        beside = tmp_path / "new"
        beside.write_text("name\nLille\nRoubaix\n")
        os.replace(beside, path)
        await until(lambda: len(told.events) == 3)
        assert rows(folder) == 2
        second = tmp_path / "autres.csv"
        second.write_text("name\nTourcoing\n")
        await keeper.use([table(path), table(second)])
        await until(lambda: len(told.events) == 4)
        assert rows(folder) == 3
        await keeper.use([])
        await until(lambda: list(folder.iterdir()) == [])
    assert events(told) == ["organisations.read", "organisations.unreadable", *["organisations.read"] * 2]


async def test_what_an_earlier_gateway_has_made_is_not_made_again(tmp_path: Path) -> None:
    path, folder, told = tmp_path / "communes.csv", tmp_path / "made", Told()
    path.write_text("name\nLille\n")
    async with kept(folder, told, table(path)):
        await until(lambda: len(told.events) == 1)
    (folder / "left.new").touch()
    os.utime(folder / "left.new", (0, 0))
    made = organisation_index_path(folder).stat().st_mtime_ns
    async with kept(folder, told, table(path)):
        await asyncio.sleep(0.3)
    assert organisation_index_path(folder).stat().st_mtime_ns == made
    assert not (folder / "left.new").exists()
    assert events(told) == ["organisations.read"]


async def test_the_index_is_removed_when_the_next_gateway_has_no_table(tmp_path: Path) -> None:
    path, folder, told = tmp_path / "communes.csv", tmp_path / "made", Told()
    path.write_text("name\nLille\n")
    async with kept(folder, told, table(path)):
        await until(lambda: len(told.events) == 1)
    (folder / "index.v1.sqlite").touch()
    async with kept(folder, told, table(path)):
        assert [file.name for file in folder.iterdir()] == [organisation_index_path(folder).name]
    async with kept(folder, told):
        assert list(folder.iterdir()) == []


async def test_nothing_is_made_where_there_are_no_tables(tmp_path: Path) -> None:
    async with kept(tmp_path / "made", Told()):
        await asyncio.sleep(0.1)
    assert not (tmp_path / "made").exists()


async def test_the_process_has_time_to_say_that_it_met_its_own_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float] = []

    async def ask_once(*_: object, within: float, **__: object) -> None:
        allowed.append(within)
        raise NoOutcome("it says nothing")

    monkeypatch.setattr(keeping, "ask_once", ask_once)
    path, told = tmp_path / "communes.csv", Told()
    path.write_text("name\nLille\n")
    async with kept(tmp_path, told, table(path)):
        await until(lambda: told.events)
    assert allowed == [SECONDS + 20]


@pytest.mark.parametrize("program", ["pass", "print('{}')", "import os; os.kill(os.getpid(), 9)"])
async def test_a_process_that_says_nothing_is_told_once(tmp_path: Path, program: str) -> None:
    path, told = tmp_path / "communes.csv", Told()
    path.write_text("name\nLille\n")
    async with kept(tmp_path, told, table(path), helper=(sys.executable, "-c", program)):
        await until(lambda: events(told) == ["organisations.unreadable"])
    async with kept(tmp_path, told, table(path), helper=(str(tmp_path / "nothing"),)):
        await until(lambda: len(told.events) == 2)
    assert "cannot be started" in str(told.events[1][1]["detail"])


async def test_closing_ends_the_process_that_reads(tmp_path: Path) -> None:
    path, told, begun = tmp_path / "communes.csv", Told(), tmp_path / "begun"
    path.write_text("name\nLille\n")
    program = f"import pathlib, time, os; pathlib.Path({str(begun)!r}).write_text(str(os.getpid())); time.sleep(600)"
    async with kept(tmp_path, told, table(path), helper=(sys.executable, "-c", program)):
        await until(lambda: begun.exists() and begun.read_text() != "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
