"""While the store is away: who is held goes on for the grace, nobody else, and nothing is told to be done that is not
(invariants 1, 9 and 12). Valkey stands still, is killed, or has a slow network; SQLite's file is gone."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from gateway.stores.redis.lacks import read_info
from tests.browser_like import Person
from tests.patience import PATIENCE, until
from tests.stores.redis.proxy import Proxy, proxied
from tests.stores.redis.servers import server
from tests.walks.place import ONE, TWO, Place
from tests.walks.test_store_trouble import TROUBLES, said_ready
from tests.walks.world import World, ask, everywhere, opened

WORKERS = 2
# Seconds: as many as a busy machine needs for all that is asked within them.
GRACE = 8.0
KEYS = "keys: [{id: k1, secret: {file: ../certs/store.key}}]"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.service]


class Valkey:
    """A server behind a proxy, with what becomes of them."""

    def __init__(self, folder: Path, proxy: Proxy, port: int) -> None:
        self.folder, self.proxy, self.port = folder, proxy, port
        self.delay = 0.0
        self.start()

    def start(self) -> None:
        self._running = server("valkey", self.folder, port=self.port)
        self._running.__enter__()

    def stop(self) -> None:
        self._running.__exit__(None, None, None)

    async def process(self) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"INFO server\r\n")
        told = read_info(await reader.read(1 << 16))
        writer.close()
        return int(told["process_id"])


Trouble = Callable[[Valkey], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def stands_still(valkey: Valkey) -> AsyncIterator[None]:
    pid = await valkey.process()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def is_killed(valkey: Valkey) -> AsyncIterator[None]:
    os.kill(await valkey.process(), signal.SIGKILL)
    yield
    valkey.stop()
    valkey.start()


@asynccontextmanager
async def is_slow(valkey: Valkey) -> AsyncIterator[None]:
    valkey.delay = 3.0
    yield
    valkey.delay = 0.0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [tmp_path_factory.mktemp(name) for name in ("valkey", "on-valkey", "on-sqlite")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_valkey(folders: list[Path]) -> AsyncIterator[tuple[World, Valkey]]:
    (port,) = free(1)
    slow: list[Valkey] = []
    async with proxied(port, lambda: slow[0].delay) as proxy:
        valkey = Valkey(folders[0], proxy, port)
        slow.append(valkey)
        store = f"{{type: redis, server: {{address: '127.0.0.1:{proxy.port}'}}, grace: {GRACE:g}s, {KEYS}}}"
        place = Place(folders[1], workers=WORKERS, settings={"store": store})
        place.write_app("two", TWO, session="{grace: 0s}")
        async with opened(place) as world:
            yield world, valkey
            world.gateway.is_clean()
        valkey.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_sqlite(folders: list[Path]) -> AsyncIterator[World]:
    store = f"{{type: sqlite, grace: {GRACE:g}s, {KEYS}}}"
    place = Place(folders[2], workers=WORKERS, settings={"store": store})
    place.write_app("two", TWO, session="{grace: 0s}")
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


@dataclass
class Held:
    """A person whom every worker holds: the seats' cookies, on an application and on one without a grace. `leaver`:
    another such person, who signs out meanwhile, with the cookie `left`. `mark`: where the log stood."""

    person: Person
    leaver: Person
    left: str
    cookie: str
    strict: str
    mark: int


@dataclass(frozen=True)
class Answers:
    """Of every worker. `asked` and `came`: monotonic seconds, of the question and of the last of them; `ready`: what
    /readyz said of sessions between the two."""

    asked: float
    came: float
    statuses: set[int]
    ready: str


async def gone_through(world: World, held: Held, there: float) -> None:
    """All that is asked while the store is away. `there`: when it still was."""
    place, gateway, gone = world.place, world.gateway, time.monotonic()
    answers: list[Answers] = []
    looked = False
    # Until something was asked beyond the grace, however long the answers took.
    while not answers or answers[-1].asked < gone + GRACE + 1.5:
        asked = time.monotonic()
        statuses, ready = await everywhere(place, "/x", held.cookie), (await gateway.readiness())["sessions"]
        answers.append(Answers(asked, time.monotonic(), statuses, ready))
        if asked > gone + 2 and not looked:
            looked = True
            # First: on a slow network, what follows lasts as long as the grace.
            assert await said_ready(world, "grace") == (200, True)
            assert (await gateway.metrics())["ecluse_session_store_grace"] > 0
            assert await everywhere(place, "/x", held.strict, TWO) == {503}, "an application without a grace"
            # Invariant 12: the sign-out ends in every worker's memory, and the page says that the store has it not yet.
            page = await world.log_out(held.leaver)
            assert (page.status, "cannot record this sign-out" in page.text) == (200, True), page.text
            page = await world.person().step("GET", place.url())
            assert (page.status, page.location, page.header("Retry-After")) == (503, "", "5")
            assert (await ask(place.url(), "/public/x")).status == 200
            assert await everywhere(place, "/x") == {401}, "a script without a cookie"
            unknown = await ask(place.url(), "/public/x", f"{held.cookie.partition('=')[0]}={'A' * 43}")
            assert unknown.status == 200, "a cookie that no worker knows, on a public page"
        await asyncio.sleep(0.1)
    inside = [each for each in answers if each.came < there + GRACE - 1.5]
    within = set().union(*(each.statuses for each in inside))
    assert within == {200}, f"{within} within the grace: {answers}"
    assert {each.ready for each in inside} <= {"ok", "grace"}, f"no front takes us away: {answers}"
    after = set().union(*(each.statuses for each in answers if each.asked > gone + GRACE + 0.5))
    assert after == {503}, f"{after} beyond the grace: {answers}"
    assert await said_ready(world, "unreachable") == (503, False)
    for event in ("store.grace", "store.grace_over"):
        await gateway.logged(held.mark, event=event, number=WORKERS)
        told = gateway.lines(held.mark, event=event)
        assert len({line["pid"] for line in told}) == len(told) == WORKERS, event


async def prepared(world: World) -> Held:
    person = await world.signed_in()
    await world.follow(person, await person.step("GET", world.place.url(TWO)))
    cookie, strict = world.cookie(person), world.cookie(person, TWO)
    assert await everywhere(world.place, "/x", cookie) == {200}
    assert await everywhere(world.place, "/x", strict, TWO) == {200}
    leaver = await world.signed_in("bob")
    left = world.cookie(leaver)
    assert await everywhere(world.place, "/x", left) == {200}
    return Held(person, leaver, left, cookie, strict, world.gateway.mark())


async def goes_on(world: World, held: Held) -> None:
    for cookie, host in ((held.cookie, ONE), (held.strict, TWO)):
        async with asyncio.timeout(PATIENCE):
            while await everywhere(world.place, "/x", cookie, host) != {200}:
                await asyncio.sleep(0.05)
    assert await said_ready(world, "ok") == (200, True)
    await until(lambda: bool(world.gateway.lines(held.mark, event="store.recovered")))
    assert await everywhere(world.place, "/x", held.left) == {401}
    assert (await world.log_out(held.person)).status == 200
    assert await everywhere(world.place, "/x", held.cookie) == {401}


@pytest.mark.parametrize("trouble", [stands_still, is_killed, is_slow])
async def test_with_valkey(on_valkey: tuple[World, Valkey], trouble: Trouble) -> None:
    world, valkey = on_valkey
    held, there = await prepared(world), time.monotonic()
    async with trouble(valkey):
        await gone_through(world, held, there)
    await goes_on(world, held)


async def test_with_sqlite(on_sqlite: World) -> None:
    held, there = await prepared(on_sqlite), time.monotonic()
    with TROUBLES["gone"](on_sqlite.place.database):
        await gone_through(on_sqlite, held, there)
    await goes_on(on_sqlite, held)
