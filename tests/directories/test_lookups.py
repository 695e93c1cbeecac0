"""A worker asks: side by side, each in its time, and what is away holds nobody up who does not need it."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from gateway.directories.file_reader import FileReader
from gateway.directories.index import index_path, trouble_path
from gateway.directories.indexing import make_index
from gateway.directories.lookups import Directories
from gateway.directories.source import DirectoryAway
from gateway.model.codes import directory_codes, store_codes
from gateway.model.directory import Directory, DirectoryFinding, HttpSource
from gateway.model.errors import GatewayError
from gateway.ops.index_files import Trouble, write_trouble
from gateway.ops.log import Log
from tests.directories.samples import LILLE, ROUBAIX, TABLE, Kept, directory, somebody
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio

NOW = 1_700_000_000


class Told(Log):
    def __init__(self) -> None:
        self.events: list[str] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append(event)


def made(tmp_path: Path, content: str = TABLE, **changes: Any) -> Directory:
    table = tmp_path / "communes.csv"
    table.write_text(content)
    one = directory(table, **changes)
    make_index(one, tmp_path, NOW)
    return one


async def test_a_person_is_known_by_their_own_row(tmp_path: Path) -> None:
    one, told = made(tmp_path), Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    for tenant, commune in ((LILLE, "Lille"), (ROUBAIX, "Roubaix")):
        (finding,) = (await asking.look_up([one], somebody(), tenant)).findings
        assert (finding.state, finding.values["commune"], finding.at) == ("found", (commune,), NOW)
    (nobody,) = (await asking.look_up([one], somebody(), "22590001800014")).findings
    assert nobody.state == "none"
    assert (await asking.look_up([one], somebody("beta"), LILLE)).findings == (), "its word is not taken"
    (keyless,) = (await asking.look_up([one], somebody(), None)).findings
    assert keyless.unknown == {"uai", "commune"}
    assert told.events == []
    await asking.close()


async def test_a_new_file_is_seen_at_the_next_sign_in(tmp_path: Path) -> None:
    one = made(tmp_path)
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=Kept())
    await asking.look_up([one], somebody(), LILLE)
    made(tmp_path, TABLE.replace("Lille", "Lille-Hellemmes"))
    (finding,) = (await asking.look_up([one], somebody(), LILLE)).findings
    assert finding.values["commune"] == ("Lille-Hellemmes",)
    await asking.close()


async def test_what_cannot_be_read_is_away_until_it_is_back(tmp_path: Path) -> None:
    one, told = made(tmp_path), Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    index_path(tmp_path, one).write_bytes(b"no database at all" * 100)
    for _ in range(2):
        (finding,) = (await asking.look_up([one], somebody(), LILLE)).findings
        assert (finding.state, finding.values, finding.unknown) == ("away", {}, {"uai", "commune"})
    index_path(tmp_path, one).unlink()
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "away"
    made(tmp_path)
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "found"
    assert told.events == ["directory.away", "directory.recovered"]
    await asking.close()


@pytest.mark.parametrize(
    ("away", "last", "age", "state"),
    [("refuse", 0, 1, "away"), ("without", 0, 1, "away"), ("last", 60, 59, "found"), ("last", 60, 60, "away")],
)
async def test_a_wrong_file_counts_for_as_long_as_the_file_of_the_directory_says(
    tmp_path: Path, away: str, last: int, age: int, state: str
) -> None:
    one = made(tmp_path, away=away, last=last)
    write_trouble(trouble_path(tmp_path, one), Trouble(NOW - age, "line 2"))
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=Kept())
    (finding,) = (await asking.look_up([one], somebody(), LILLE)).findings
    assert finding.state == state
    assert finding.at == (NOW - age if state == "found" else NOW)
    await asking.close()


async def test_one_that_is_slow_holds_up_its_own_people_once_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = made(tmp_path, timeout=3.0)
    other = made(tmp_path, name="others", fingerprint="f2", timeout=PATIENCE)
    reading, go_on = FileReader.finding, Event()

    def slow(self: FileReader, key: str, now: int) -> Any:
        if self._directory.name == "communes":
            go_on.wait(PATIENCE)
        return reading(self, key, now)

    monkeypatch.setattr(FileReader, "finding", slow)
    told = Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    found = (await asking.look_up([one, other], somebody(), LILLE)).findings
    assert [finding.state for finding in found] == ["away", "found"]
    began = time.monotonic()
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "away", "it owes an answer"
    assert time.monotonic() - began < one.timeout, "nobody waits for it"
    monkeypatch.setattr(FileReader, "finding", reading)
    go_on.set()
    await is_found(asking, one)
    assert told.events == ["directory.away", "directory.recovered"]
    await asking.close()


async def test_a_sign_in_waits_long_for_those_alone_that_its_application_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = made(tmp_path, timeout=PATIENCE)
    slow = made(tmp_path, name="others", fingerprint="f2", timeout=4.0)
    reading, go_on = FileReader.finding, Event()

    def late(self: FileReader, key: str, now: int) -> Any:
        if self._directory.name == "others":
            go_on.wait(PATIENCE)
        return reading(self, key, now)

    monkeypatch.setattr(FileReader, "finding", late)
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=Kept())
    began = time.monotonic()
    found = (await asking.look_up([slow, listed], somebody(), LILLE, needed=(listed,))).findings
    assert [finding.state for finding in found] == ["away", "found"]
    assert 0.2 < time.monotonic() - began < slow.timeout
    found = (await asking.look_up([slow, listed], somebody(), LILLE, needed=(slow,))).findings
    assert [finding.state for finding in found] == ["away", "found"], "it is busy with the one before"
    go_on.set()
    await is_found(asking, slow)
    await asking.close()


async def is_found(asking: Directories, one: Directory) -> None:
    """Once it has given the answer that it owes."""
    async with asyncio.timeout(PATIENCE):
        while (await asking.look_up([one], somebody(), LILLE, needed=(one,))).findings[0].state != "found":
            await asyncio.sleep(0.02)


async def test_what_is_wrong_in_a_row_is_told_without_its_values(tmp_path: Path) -> None:
    one, told = made(tmp_path, TABLE + f"{LILLE},0590009X,Lille\n"), Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    (finding,) = (await asking.look_up([one], somebody(), LILLE)).findings
    assert finding.unknown == {"uai", "commune"}
    assert told.events == ["directory.fault"]
    await asking.close()


async def test_a_note_that_cannot_be_read_is_trouble_since_ever(tmp_path: Path) -> None:
    one = made(tmp_path, away="last", last=60)
    trouble_path(tmp_path, one).write_bytes(b"\xff")
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=Kept())
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "away"
    await asking.close()


class Answers:
    """A source that says what it is told to."""

    def __init__(self) -> None:
        self.says: DirectoryFinding | None = None

    async def finding(self, key: str, now: int) -> Any:
        if self.says is None:
            raise DirectoryAway(directory_codes.UNREACHABLE, "gone")
        return replace(self.says, at=now), ()

    async def close(self) -> None: ...


@pytest.mark.parametrize(("away", "state"), [("last", "found"), ("refuse", "away"), ("without", "away")])
async def test_what_a_server_said_last_counts_where_its_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: Any, state: str
) -> None:
    source, kept = Answers(), Kept()
    monkeypatch.setattr("gateway.directories.lookups.open_directory", lambda directory, folder: source)
    one = replace(directory(""), source=HttpSource("", "GET", (), (), 1, b"", None, None), away=away, last=60)
    found = DirectoryFinding("communes", "f1", "found", {"commune": ("Lille",)})
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=kept)

    async def finding(tenant: str = LILLE) -> DirectoryFinding:
        return (await asking.look_up([one], somebody(), tenant)).findings[0]

    source.says = found
    assert await finding() == found
    source.says = None
    assert (await finding()).state == state
    assert (await finding(ROUBAIX)).state == "away", "of whom nothing was said before"
    for _ in range(4):
        assert (await finding()).state == state, "also while it is not asked"
    await asking.close()

    # Another worker asks.
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=kept)
    source.says = replace(found, state="none", values={})
    assert (await finding()).state == "none"
    source.says = None
    assert (await finding()).state == ("none" if away == "last" else "away"), "who has left is not let in by what was"
    assert bool(kept.findings) == (away == "last")
    await asking.close()


async def test_a_store_that_cannot_say_leaves_what_is_away_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost(Kept):
        async def keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None:
            raise GatewayError(store_codes.UNREACHABLE, "gone")

        async def read(self, directory: Directory, key: str) -> DirectoryFinding | None:
            raise GatewayError(store_codes.UNREACHABLE, "gone")

    source = Answers()
    monkeypatch.setattr("gateway.directories.lookups.open_directory", lambda directory, folder: source)
    one = replace(directory(""), source=HttpSource("", "GET", (), (), 1, b"", None, None), away="last", last=60)
    asking = Directories(tmp_path, log=Told(), now=lambda: NOW, kept=Lost())
    source.says = DirectoryFinding("communes", "f1", "found", {"commune": ("Lille",)})
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "found"
    source.says = None
    assert (await asking.look_up([one], somebody(), LILLE)).findings[0].state == "away"
    await asking.close()
