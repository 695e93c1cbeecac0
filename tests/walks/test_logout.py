"""A sign-out is in force in every worker before its own answer is sent (invariant 12)."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser_like import Person
from tests.patience import PATIENCE
from tests.raw_http import Connection
from tests.walks.load import Load, running
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, ask, everywhere, opened, request, worker_of

WORKERS, LOGOUTS = 3, 100

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Place(tmp_path_factory.mktemp("logout"), workers=WORKERS)) as world:
        yield world
        world.gateway.is_clean()


class Lines:
    """One kept connection to each worker."""

    def __init__(self, connections: dict[str, Connection]) -> None:
        self._connections = connections

    @classmethod
    async def open(cls, world: World) -> "Lines":
        found: dict[str, Connection] = {}
        async with asyncio.timeout(PATIENCE):
            while len(found) < WORKERS:
                several = await asyncio.gather(*(Connection.open(world.place.url()) for _ in range(6)))
                for connection in several:
                    worker = worker_of(await connection.exchange(request()))
                    if found.setdefault(worker, connection) is not connection:
                        await connection.close()
        return cls(found)

    async def ask(self, cookie: str) -> list[int]:
        """Of every worker at the same time; the statuses."""
        return list((await self.of_each(cookie)).values())

    async def of_each(self, cookie: str) -> dict[str, int]:
        asked = (connection.exchange(request("/x", cookie)) for connection in self._connections.values())
        return dict(zip(self._connections, [reading.status for reading in await asyncio.gather(*asked)], strict=True))

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()


@pytest_asyncio.fixture(loop_scope="module")
async def lines(world: World) -> AsyncIterator[Lines]:
    lines = await Lines.open(world)
    yield lines
    await lines.close()


async def known_to_all(world: World, lines: Lines) -> tuple[Person, str]:
    """A person whose seat every worker has in its memory."""
    person = await world.signed_in()
    cookie = world.cookie(person)
    assert await lines.ask(cookie) == [200] * WORKERS
    return person, cookie


async def test_after_the_answer_of_100_logouts_under_load_no_worker_lets_the_old_cookie_in(
    world: World, lines: Lines
) -> None:
    other = world.cookie(await world.signed_in("bob"))
    load = Load(world.place.url(), lambda target: request(target, other), ["/a", "/b"], pause=0.005)
    late: list[tuple[int, list[int]]] = []
    async with running(load, kept=6, anew=2):
        for number in range(LOGOUTS):
            await load.answers(1)
            person, cookie = await known_to_all(world, lines)
            answer = await world.log_out(person)
            assert answer.status == 200
            kept, *new = await asyncio.gather(
                lines.ask(cookie), *(ask(world.place.url(), "/y", cookie) for _ in range(3))
            )
            statuses = kept + [reading.status for reading in new]
            if set(statuses) != {401}:
                late.append((number, statuses))
            await person.close()
    assert not late
    assert {asked.status for asked in load.done} == {200}
    # A worker that the machine lets wait for a second hears of it by another way, but not each time.
    assert len(world.gateway.lines(event="revocation.late")) < LOGOUTS // 2


async def test_logout_on_one_application_ends_the_other_and_the_portal_in_every_worker(world: World) -> None:
    person = await world.signed_in()
    page = await world.follow(person, await person.step("GET", world.place.url(TWO)))
    assert page.status == 200
    cookies = {ONE: world.cookie(person), TWO: world.cookie(person, TWO)}
    for host, cookie in cookies.items():
        assert await everywhere(world.place, "/x", cookie, host) == {200}
    assert (await world.log_out(person, TWO)).status == 200
    for host, cookie in cookies.items():
        assert await everywhere(world.place, "/x", cookie, host) == {401}
    begun = await person.step("GET", world.place.url())
    assert "/authorize?" in (await person.step("GET", begun.location)).location, "the portal still knows the person"


async def test_a_worker_that_stands_still_holds_the_answer_for_a_second_and_refuses_when_it_goes_on(
    world: World, lines: Lines
) -> None:
    person, cookie = await known_to_all(world, lines)
    mark, victim = world.gateway.mark(), world.gateway.workers()[1]
    os.kill(victim, signal.SIGSTOP)
    try:
        # On a worker that goes on: the stopped one accepts nothing.
        await person.close()
        began = time.monotonic()
        answer = await world.log_out(person)
        assert answer.status == 200
        assert time.monotonic() - began > 0.9
        answers = asyncio.create_task(lines.of_each(cookie))
        assert {(await ask(world.place.url(), "/x", cookie)).status for _ in range(12)} == {401}
        assert not answers.done(), "the stopped worker answers"
    finally:
        os.kill(victim, signal.SIGCONT)
    assert set((await answers).values()) == {401}
    assert str(victim) in (await world.gateway.logged(mark, event="revocation.late"))["detail"]


async def test_a_worker_stopped_for_a_moment_hears_of_it_when_it_goes_on(world: World, lines: Lines) -> None:
    person, cookie = await known_to_all(world, lines)
    victim = world.gateway.workers()[0]
    await person.close()
    os.kill(victim, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(0.4, os.kill, victim, signal.SIGCONT)
    assert (await world.log_out(person)).status == 200
    assert await lines.ask(cookie) == [401] * WORKERS


async def test_while_the_supervisor_stands_still_the_list_in_the_store_does_it(world: World, lines: Lines) -> None:
    person, cookie = await known_to_all(world, lines)
    os.kill(world.gateway.pid, signal.SIGSTOP)
    try:
        assert (await world.log_out(person)).status == 200
        assert await lines.ask(cookie) == [401] * WORKERS
    finally:
        os.kill(world.gateway.pid, signal.SIGCONT)


async def test_a_worker_that_could_hear_of_nothing_believes_its_memory_no_more(world: World, lines: Lines) -> None:
    """It stood still, and the supervisor does not tell it. As it goes on it reads the list, or, where the request comes
    first, asks the store: tests/stores/revocation/test_revocations.py has each by itself."""
    person, cookie = await known_to_all(world, lines)
    await person.close()
    victim = world.gateway.workers()[2]
    os.kill(victim, signal.SIGSTOP)
    os.kill(world.gateway.pid, signal.SIGSTOP)
    try:
        assert (await world.log_out(person)).status == 200
        answers = asyncio.create_task(lines.ask(cookie))
        await asyncio.sleep(0.1)
        os.kill(victim, signal.SIGCONT)
        assert await answers == [401] * WORKERS
    finally:
        os.kill(victim, signal.SIGCONT)
        os.kill(world.gateway.pid, signal.SIGCONT)
