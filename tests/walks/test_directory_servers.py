"""People who sign in while the servers of directories are slow, killed and brought back: a real slapd, a real
PostgreSQL and an HTTP server, each behind a proxy that can hold what it says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from deploy.demo.ports import free
from tests.browser_like import Person, Response
from tests.directories import http_server, postgres, slapd
from tests.patience import PATIENCE
from tests.stores.redis.proxy import proxied
from tests.walks.place import TWO, Place
from tests.walks.world import SEAT, World, ask, opened

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

KINDS = ("ldap", "database", "api")
# What is unknown may open neither of the first two.
RULES = """\
  - {path: /conseil/**, allow: {claim: {name: KIND, equals: "4711"}}}
  - {path: /autres/**, allow: {not: {claim: {name: KIND, equals: "4711"}}}}
  - {path: /**, allow: signed_in}
"""


class Servers:
    """`slow`: the kinds of which no answer comes through until `slow` has them no more."""

    def __init__(self, folder: Path, cluster: Path) -> None:
        self.ports = dict(zip(KINDS, free(3), strict=True))
        self.ways: dict[str, int] = {}
        self.slow: set[str] = set()
        self._folder = folder
        self._cluster = cluster
        self._running: dict[str, AsyncExitStack] = {}

    def late(self, kind: str) -> Callable[[], float]:
        return lambda: 2 * TIMEOUT if kind in self.slow else 0.0

    async def start(self, kind: str) -> None:
        """The same people are there after a death."""
        stack, port = AsyncExitStack(), self.ports[kind]
        if kind == "ldap":
            process = stack.enter_context(slapd.slapd(self._folder, port))
            stack.callback(process.kill)
        elif kind == "database":
            server = stack.enter_context(postgres.postgres(self._cluster, port))
            stack.callback(server.process.kill)
        else:
            await stack.enter_async_context(http_server.people(port))
        self._running[kind] = stack

    async def kill(self, kind: str) -> None:
        """As `kill -9` does, with every connection."""
        await self._running.pop(kind).aclose()

    async def close(self) -> None:
        for kind in tuple(self._running):
            await self.kill(kind)


# Seconds: above that at which a page says what is waited for, and enough for a sign-in of another on a busy machine.
TIMEOUT = 6


def write_directories(place: Place, ways: dict[str, int]) -> None:
    (place.policies / "directories").mkdir()
    words = {"slapd": slapd.PASSWORD, "postgres": postgres.PASSWORD, "api": http_server.TOKEN}
    for name, word in words.items():
        (place.folder / f"{name}.word").write_text(word)
    sources = {
        "ldap": f"""\
ldap:
  servers: ["ldap://127.0.0.1:{ways["ldap"]}"]
  bind: {{dn: "{slapd.READER}", password: {{file: ../slapd.word}}}}
  base: "{slapd.BASE}"
gives: {{ldap: {{column: employeeNumber, type: number}}}}
away: {{last: 1h}}
""",
        "database": f"""\
postgresql:
  host: 127.0.0.1
  port: {ways["database"]}
  database: postgres
  user: {postgres.ROLE}
  password: {{file: ../postgres.word}}
  tls: false
  select: "{postgres.SELECT}"
gives: {{database: {{column: matricule, type: number}}}}
away: without
""",
        "api": f"""\
http:
  url: "http://127.0.0.1:{ways["api"]}/people/{{uid}}"
  addresses: [127.0.0.1/32]
  token: {{file: ../api.word}}
  rows: /person
gives: {{api: {{column: /job/number, type: number}}}}
away: refuse
""",
    }
    for kind, source in sources.items():
        shared = (
            f"version: 1\ndirectory: {kind}\ntimeout: {TIMEOUT}s\nkey: {{uid: {{from: uid, providers: [alpha]}}}}\n"
        )
        place.write(f"directories/{kind}.yaml", shared + source)
        rules = RULES.replace("KIND", kind)
        told = f"{{headers: {{X-Remote-User: {{from: uid}}, X-Matricule: {{from: {kind}}}}}}}"
        place.write_app(kind, host_of(kind), access=rules, translate=told, directories=f"[{kind}]")


def host_of(kind: str) -> str:
    return f"{kind}.localhost"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    with postgres.cluster(trustme.CA()) as cluster:
        servers = Servers(tmp_path_factory.mktemp("slapd"), cluster)
        async with AsyncExitStack() as stack:
            for kind in KINDS:
                await servers.start(kind)
                way = await stack.enter_async_context(proxied(servers.ports[kind], servers.late(kind)))
                servers.ways[kind] = way.port
            yield servers
            await servers.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("servers"))
    write_directories(place, servers.ways)
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def tried(world: World, kind: str, login: str = "alice") -> tuple[Person, Response]:
    person = world.person()
    return person, await world.follow(person, await person.step("GET", world.place.url(host_of(kind))), login)


async def statuses(world: World, kind: str, person: Person) -> list[int]:
    """Of the page for alice's number, of that for any other, and of what needs no directory."""
    host = host_of(kind)
    cookie = world.cookie(person, host)
    targets = ("/conseil/x", "/autres/x", "/")
    return [(await ask(world.place.url(host), target, cookie, host)).status for target in targets]


async def is_back(world: World, kind: str, since: int) -> None:
    """By itself: alice is let in by what the directory says of her, and every worker that missed it has seen it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            person, page = await tried(world, kind)
            right = page.status == 200 and await statuses(world, kind, person) == [200, 403, 200]
            missing = {line["pid"] for line in world.gateway.lines(since, event="directory.away", directory=kind)}
            seen = {line["pid"] for line in world.gateway.lines(since, event="directory.recovered", directory=kind)}
            assert missing
            if right and missing == seen:
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_server_says_who_somebody_is(world: World, kind: str) -> None:
    alice, page = await tried(world, kind)
    told = json.loads(page.body)
    assert (told["headers"]["x-remote-user"], told["headers"]["x-matricule"]) == ("alice", "4711")
    assert await statuses(world, kind, alice) == [200, 403, 200]
    stranger, page = await tried(world, kind, "nobody-of-this-name")
    assert "x-matricule" not in json.loads(page.body)["headers"]
    assert await statuses(world, kind, stranger) == [403, 403, 200]
    await world.leave()


async def test_who_needs_no_slow_server_is_let_in_while_it_is_slow_and_who_does_is_refused(
    world: World, servers: Servers
) -> None:
    before = world.gateway.mark()
    here = {kind: (await tried(world, kind))[0] for kind in KINDS}
    servers.slow |= {*KINDS}
    waiting = {kind: asyncio.create_task(tried(world, kind)) for kind in KINDS}
    zoe = await world.signed_in("zoe", world.place.url(TWO))
    assert (await ask(world.place.url(TWO), "/", world.cookie(zoe, TWO), TWO)).status == 200
    assert not any(one.done() for one in waiting.values()), "zoe has not waited for what the others wait for"
    for kind, person in here.items():
        assert await statuses(world, kind, person) == [200, 403, 200], "who is here already does not wait either"
    came = {kind: await one for kind, one in waiting.items()}
    assert came["api"][1].status == 503
    assert "cannot be looked up" in came["api"][1].text
    assert await statuses(world, "ldap", came["ldap"][0]) == [200, 403, 200], "what was said of her last"
    assert (await tried(world, "ldap", "of-whom-nothing-was-said"))[1].status == 503
    person, page = came["database"]
    assert page.status == 200
    assert "x-matricule" not in json.loads(page.body)["headers"]
    assert await statuses(world, "database", person) == [403, 403, 200], "what is unknown opens nothing"
    for kind in KINDS:
        line = await world.gateway.logged(before, event="directory.away", directory=kind)
        assert line["code"] == "directory.unreachable"
    servers.slow.clear()
    for kind in KINDS:
        await is_back(world, kind, before)
    await world.leave()


async def test_servers_that_are_killed_let_nobody_in_and_their_people_come_back_with_them(
    world: World, servers: Servers
) -> None:
    before = world.gateway.mark()
    here = {kind: (await tried(world, kind))[0] for kind in KINDS}
    for number, kind in enumerate(KINDS):
        await servers.kill(kind)
        for person, page in await asyncio.gather(*(tried(world, kind, who) for who in ("alice", "new-here") * 4)):
            if kind == "ldap" and page.status == 200:
                assert json.loads(page.body)["headers"]["x-remote-user"] == "alice"
                assert await statuses(world, kind, person) == [200, 403, 200]
            elif kind == "database":
                assert await statuses(world, kind, person) == [403, 403, 200]
            else:
                assert page.status == 503
                assert person.jar.get(host_of(kind), SEAT) is None
        for other in KINDS[number + 1 :]:
            person, _ = await tried(world, other)
            assert await statuses(world, other, person) == [200, 403, 200]
        assert await statuses(world, kind, here[kind]) == [200, 403, 200], "what was said of her counts to its end"
        await world.signed_in("zoe", world.place.url(TWO))
    for kind in KINDS:
        await servers.start(kind)
    for kind in KINDS:
        await is_back(world, kind, before)
    await world.leave()
