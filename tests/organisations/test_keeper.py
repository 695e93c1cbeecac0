"""The supervisor's end: the index follows its tables, and trouble is told once."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.model.organisations import OrganisationTable
from gateway.ops import index_keeper
from gateway.ops.index_files import read_stamp
from gateway.organisations.index import organisation_index_path
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
    monkeypatch.setattr(index_keeper, "LOOKED_EVERY", 0.05)


def rows(folder: Path) -> int:
    stamp = read_stamp(organisation_index_path(folder))
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


async def test_closing_ends_the_process_that_reads(tmp_path: Path) -> None:
    path, told, begun = tmp_path / "communes.csv", Told(), tmp_path / "begun"
    path.write_text("name\nLille\n")
    program = f"import pathlib, time, os; pathlib.Path({str(begun)!r}).write_text(str(os.getpid())); time.sleep(600)"
    async with kept(tmp_path, told, table(path), helper=(sys.executable, "-c", program)):
        await until(lambda: begun.exists() and begun.read_text() != "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
