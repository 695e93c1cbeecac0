"""Account links as a worker asks for them: beside the loop, noticed when they change, away when they cannot be read."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.access.account import SeatAccount, look_up
from gateway.accounts import book as module
from gateway.accounts import thread
from gateway.accounts.book import AccountBook
from gateway.accounts.file import NAME, LinkFile
from gateway.model.account import AccountSettings
from gateway.model.codes import account_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.ops.log import Log
from tests.accounts.samples import KEYS, holder, link, link_file
from tests.patience import PATIENCE
from tests.proxy.stand_ins import identity, seat

SETTINGS = AccountSettings(ask=(("", "x"),))
PERSON = holder("subject=subject-1", issuer="http://127.0.0.1:9400")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = KEYS
        self.changed: list[Seat] = []
        self._read, write = os.pipe()
        self.log = Log(write)
        self._write = write
        self.book = AccountBook(folder / NAME, keys=lambda: self.keys, changed=self.changed.append, log=self.log)
        self.seat = seat("permis.localhost", identity(uid="helene"))

    async def login(self) -> str | None:
        found = await self.book.find(self.seat, PERSON, SETTINGS)
        return None if found is None else found[0]

    async def refused(self) -> Code:
        with pytest.raises(GatewayError) as error:
            await self.login()
        return error.value.code

    async def close(self) -> list[str]:
        await self.book.close()
        self.log.close()
        os.close(self._write)
        with os.fdopen(self._read) as told:
            return [json.loads(line)["event"] for line in told]


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    if bench.book._looking is not None:
        await bench.close()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_link_is_found_and_one_that_comes_or_goes_is_noticed(bench: Bench) -> None:
    assert await bench.login() is None
    file = link_file(bench.folder)
    file.add([link(who=PERSON)])
    assert await bench.login() == "h.durand"
    await look_up(bench.book, "permis", SETTINGS, bench.seat)
    before = bench.book.state
    bench.seat.outcomes["kept"] = "ready"
    file.remove([PERSON])
    await eventually(lambda: bench.changed == [bench.seat])
    assert bench.book.state > before
    assert bench.seat.outcomes == {}
    assert isinstance(bench.seat.account, SeatAccount)
    assert bench.seat.account.identity is None, "who has no link any more is judged at once"


async def test_a_link_of_somebody_else_judges_nobody(bench: Bench) -> None:
    file = link_file(bench.folder)
    file.add([link(who=PERSON)])
    await look_up(bench.book, "permis", SETTINGS, bench.seat)
    await asyncio.sleep(0.5)
    before = bench.book.state
    bench.seat.outcomes["kept"] = "ready"
    await asyncio.sleep(0.5)
    assert (bench.book.state, bench.seat.outcomes) == (before, {"kept": "ready"}), "nothing changes where nothing has"
    file.add([link("p.martin", holder("subject=paul"))])
    await eventually(lambda: bench.book.state > before)
    await asyncio.sleep(0.1)
    assert bench.changed == []


async def test_links_that_cannot_be_read_close_and_come_back_by_themselves(bench: Bench) -> None:
    link_file(bench.folder).add([link(who=PERSON)])
    await look_up(bench.book, "permis", SETTINGS, bench.seat)
    kept = (bench.folder / NAME).read_bytes()
    (bench.folder / NAME).unlink()
    bench.seat.outcomes["kept"] = "ready"
    await eventually(lambda: not bench.seat.outcomes)
    assert await bench.refused() is account_codes.UNREADABLE
    assert await bench.refused() is account_codes.UNREADABLE
    (bench.folder / NAME).write_bytes(kept)
    assert await bench.login() == "h.durand"
    assert await bench.close() == ["account.unreadable", "account.recovered"], "told once each"
    bench.book._looking = None


async def test_a_new_key_of_gateway_yaml_is_taken_at_once(bench: Bench) -> None:
    link_file(bench.folder).add([link(who=PERSON)])
    bench.keys = (("2027", b"another-key-0123456789-0123456789-0"),)
    assert await bench.refused() is account_codes.KEY
    bench.keys = (*bench.keys, *KEYS)
    assert await bench.login() == "h.durand"
    bench.keys = ()
    assert await bench.refused() is account_codes.KEY


async def test_a_disk_that_does_not_answer_holds_nobody_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    link_file(bench.folder).add([link(who=PERSON)])
    go_on, find = threading.Event(), LinkFile.find
    monkeypatch.setattr(thread, "_READ_WITHIN", 0.05)
    monkeypatch.setattr(LinkFile, "find", lambda *told, **more: (go_on.wait(PATIENCE), find(*told, **more))[1])
    assert await bench.refused() is account_codes.UNREADABLE
    monkeypatch.setattr(thread, "_READ_WITHIN", PATIENCE)
    began = asyncio.get_running_loop().time()
    assert await bench.refused() is account_codes.UNREADABLE
    assert asyncio.get_running_loop().time() - began < PATIENCE / 2, "nobody waits behind it"
    go_on.set()
    await eventually(lambda: not bench.book._file._late)
    assert await bench.login() == "h.durand"


async def test_nothing_is_looked_at_where_nobody_is_here(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOKED_EVERY", 0.01)
    await bench.login()
    bench.seat = seat("permis.localhost", identity(uid="paul"))
    await eventually(lambda: bench.book._looking is None)
