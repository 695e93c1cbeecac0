"""Two gateways that are linked: what either asks of the other, over a real connection."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.ports import free
from gateway.server.control import Control
from gateway.server.faults import CannotServe
from gateway.server.replacement import decode_good
from gateway.server.succession import Link, Links
from tests.patience import PATIENCE, until


class Side:
    """One of them, as the other sees it. `detail`: what it says of a revocation; `leaves`: its metadata are looked
    after by the one that comes after it."""

    def __init__(self, *, leaves: bool = False) -> None:
        self.leaves = leaves
        self.heard: list[tuple[str, object]] = []
        self.unwritten: list[str] = []
        self.detail = ""
        self.may_leave = asyncio.Event()
        self.links = Links(self)
        self._tasks: set[asyncio.Task[None]] = set()

    async def revoke_here(self, session_ids: Sequence[str], unwritten: Sequence[str]) -> str:
        self.unwritten += unwritten
        self.heard.append(("revoke", list(session_ids)))
        return self.detail

    async def refresh_here(self, source: str) -> None:
        self.heard.append(("refresh", source))
        if self.leaves:
            await self.links.refresh(source)

    def standing(self) -> dict[str, Any]:
        return {"hosts": ["one.localhost"]}

    def good(self) -> bytes:
        return b'{"apps/one.yaml": "version: 1"}'

    def refused(self, successor: int, code: str, detail: str) -> None:
        self.heard.append((code, (successor, detail)))

    async def give_up(self, successor: int) -> None:
        self.heard.append(("leave", successor))
        await self.may_leave.wait()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Pair:
    def __init__(self, elder: Side, newer: Side, link: Link, handed: list[socket.socket]) -> None:
        self.elder, self.newer, self.link, self.handed = elder, newer, link, handed


async def unused(*_: object) -> dict[str, Any]:
    raise AssertionError


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    elder, newer = Side(), Side()
    with socket.create_server(("127.0.0.1", free(1)[0])) as listening:

        async def succeeded(connection: socket.socket) -> None:
            await elder.links.to_successor(connection, [listening])

        control = Control(tmp_path, unused, unused, succeeded)
        await control.start()
        found = await newer.links.to_elder(tmp_path)
        assert found is not None
        assert [each.getsockname() for each in found[1]] == [listening.getsockname()]
        await until(lambda: elder.links._links)
        yield Pair(elder, newer, *found)
        for each in found[1]:
            each.close()
        elder.links.close()
        newer.links.close()
        await control.stop()


async def test_what_ends_in_one_ends_in_the_other_before_it_is_told(pair: Pair) -> None:
    for one, other in ((pair.newer, pair.elder), (pair.elder, pair.newer)):
        assert await one.links.revoke(["a", "b"]) == []
        assert other.heard[-1] == ("revoke", ["a", "b"])
        other.detail = "worker 7: no answer"
        assert await one.links.revoke(["c"], ["c"]) == ["worker 7: no answer"]
        assert other.unwritten == ["c"]


async def test_the_newer_one_goes_on_when_the_older_looks_after_nothing_any_more(pair: Pair) -> None:
    assert pair.link.pid == os.getpid()
    leaving = asyncio.create_task(pair.link.have_it_leave(42))
    await until(lambda: ("leave", 42) in pair.elder.heard)
    assert not leaving.done()
    assert await pair.newer.links.revoke(["a"]) == [], "meanwhile it hears of what ends"
    await pair.elder.links.refresh("metropole")
    assert ("refresh", "metropole") in pair.newer.heard
    pair.elder.may_leave.set()
    await asyncio.wait_for(leaving, PATIENCE)


async def test_one_that_is_gone_holds_up_nobody(pair: Pair) -> None:
    leaving = asyncio.create_task(pair.link.have_it_leave(42))
    await until(lambda: ("leave", 42) in pair.elder.heard)
    pair.elder.links.close()
    await asyncio.wait_for(leaving, PATIENCE)
    assert await pair.newer.links.revoke(["a"]) == []
    assert await pair.elder.links.revoke(["a"]) == []


async def test_no_program_that_the_newer_one_starts_holds_what_it_was_handed(pair: Pair) -> None:
    # A port that the next gateway does not have any more would stay open in it, and who connects would wait for ever.
    assert not any(each.get_inheritable() for each in pair.handed)


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[tuple[Side, Side, Side]]:
    """Each was started before the one before the last had left."""
    sides = Side(leaves=True), Side(leaves=True), Side()
    controls = []
    for number, (elder, newer) in enumerate(pairwise(sides)):

        async def succeeded(connection: socket.socket, elder: Side = elder) -> None:
            await elder.links.to_successor(connection, [])

        folder = tmp_path / str(number)
        folder.mkdir()
        controls.append(Control(folder, unused, unused, succeeded))
        await controls[-1].start()
        await newer.links.to_elder(folder)
    await until(lambda: len(sides[1].links._links) == len(sides) - 1)
    yield sides
    for side in sides:
        side.links.close()
    for control in controls:
        await control.stop()


async def test_what_ends_in_one_of_three_ends_in_all_before_it_is_told(three: tuple[Side, Side, Side]) -> None:
    first, second, third = three
    for one, others in ((first, (second, third)), (second, (first, third)), (third, (first, second))):
        for each in three:
            each.heard.clear()
            each.detail = ""
        assert await one.links.revoke(["a"]) == []
        assert [each.heard for each in others] == [[("revoke", ["a"])]] * 2
        assert one.heard == []
    first.detail = "worker 7: no answer"
    assert await third.links.revoke(["a"]) == ["worker 7: no answer"]


async def test_what_is_to_be_looked_after_goes_on_to_the_last_and_never_back(three: tuple[Side, Side, Side]) -> None:
    first, second, third = three
    await asyncio.wait_for(first.links.refresh("metropole"), PATIENCE)
    await asyncio.sleep(0.05)
    assert first.heard == []
    assert second.heard == third.heard == [("refresh", "metropole")]


async def test_who_is_between_stays_until_the_first_has_left(three: tuple[Side, Side, Side]) -> None:
    first, second, third = three
    waiting = asyncio.create_task(second.links.wait_for_elder())
    assert await third.links.revoke(["a"]) == []
    assert not waiting.done()
    first.links.close()
    await asyncio.wait_for(waiting, PATIENCE)
    await asyncio.wait_for(second.links.wait_for_elder(), PATIENCE)
    await asyncio.wait_for(first.links.wait_for_elder(), PATIENCE)


async def test_where_no_gateway_runs_there_is_none_to_take_the_place_of(tmp_path: Path) -> None:
    assert await Side().links.to_elder(tmp_path) is None


async def test_a_gateway_that_does_not_know_the_word_is_left_alone(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"verdict": "unknown"}\n')
        writer.close()

    server = await asyncio.start_unix_server(answer, path=tmp_path / "control.sock")
    with pytest.raises(CannotServe, match="cannot hand over: stop it"):
        await Side().links.to_elder(tmp_path)
    server.close()


async def test_what_the_older_one_stands_for_and_why_the_newer_one_does_not_take_its_place(pair: Pair) -> None:
    assert await pair.link.standing() == {"hosts": ["one.localhost"]}
    assert decode_good(await pair.link.good()) == {"apps/one.yaml": b"version: 1"}
    await pair.link.refuse("config.hosts_gone", "all of them")
    assert pair.elder.heard == [("config.hosts_gone", (os.getpid(), "all of them"))]
    pair.elder.links.close()
    await until(lambda: not pair.newer.links._links)
    assert await pair.link.standing() is None, "one that has left stands for nothing"
    assert decode_good(await pair.link.good()) == {}
