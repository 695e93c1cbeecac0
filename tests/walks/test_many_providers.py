"""Two hundred providers of which twenty are down, through two workers: the users of the others notice nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.browser_like import Person, Response
from tests.walks.place import ONE, Place
from tests.walks.world import World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

UP = [f"up-{number:03}" for number in range(180)]
REFUSING = [f"refusing-{number:02}" for number in range(10)]
SILENT = [f"silent-{number:02}" for number in range(10)]
# Sign-ins that are done while one more of the silent is being waited for.
AT_ONCE = len(UP) // len(SILENT)
WITHIN = 60.0


@dataclass
class Silence:
    """Takes every connection, and never says a word. `taken`: how many."""

    port: int = 0
    taken: int = 0

    async def __aenter__(self) -> "Silence":
        self._left = asyncio.Event()
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        try:
            await self._left.wait()
        finally:
            writer.close()

    async def __aexit__(self, *exception: object) -> None:
        self._left.set()
        self._server.close()


@dataclass
class Here:
    world: World
    silence: Silence

    async def chosen(self, name: str) -> tuple[Person, Response]:
        """What the person who chooses this provider is answered, however long that takes."""
        person = self.world.person()
        page = await self.world.follow(person, await person.step("GET", self.world.place.url(ONE, f"/{name}")))
        (link,) = (link for link in page.links() if link.endswith(f"provider={name}"))
        return person, await person.step("GET", link, initiator=page.url)

    async def signed_in(self, name: str) -> Response:
        person, page = await self.chosen(name)
        return await self.world.follow(person, page)

    async def waiting_for(self, name: str) -> "asyncio.Task[tuple[Person, Response]]":
        """One more silent provider has been connected to, and has not answered."""
        before = self.silence.taken
        task = asyncio.create_task(self.chosen(name))
        async with asyncio.timeout(WITHIN):
            while self.silence.taken == before:
                await asyncio.sleep(0.01)
        return task


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("many"), workers=2)
    async with Silence() as silence:
        ports = {"up": place.provider_port, "refusing": 1, "silent": silence.port}
        for name in (*UP, *REFUSING, *SILENT):
            place.write_provider(name, f"http://127.0.0.1:{ports[name.partition('-')[0]]}/{name}")
        told = "{headers: {X-Remote-User: {from: uid}, X-Provider: {from: provider}}}"
        place.write_app("one", ONE, providers=", ".join((*UP, *REFUSING, *SILENT)), translate=told)
        async with opened(place) as world:
            for name in UP:
                # One key for all: making one takes longer than signing in.
                world.providers.add(name, signing_key="alpha")
            yield Here(world, silence)
            world.gateway.is_clean()


async def test_who_signs_in_elsewhere_does_not_wait_for_those_that_are_down(here: Here) -> None:
    pending, beside = [], []
    for number, silent in enumerate(SILENT):
        pending.append(await here.waiting_for(silent))
        up = UP[number * AT_ONCE : (number + 1) * AT_ONCE]
        refused, *pages = await asyncio.gather(here.chosen(REFUSING[number]), *map(here.signed_in, up))
        beside.append(not pending[-1].done())
        assert refused[1].status == 502
        told = [page.json()["headers"] for page in pages]
        assert [headers["x-provider"] for headers in told] == up
        assert {headers["x-remote-user"] for headers in told} == {"alice"}
    # On a busy machine a round may take as long as a silent one is waited for, but not each of them.
    assert any(beside), "nobody has signed in while a silent one was waited for"
    for _, page in await asyncio.gather(*pending):
        assert page.status == 502
    for name in (*REFUSING, *SILENT):
        await here.world.gateway.logged(0, event="provider.unreachable", provider=name, within=WITHIN)


async def test_a_start_asks_nothing_of_any_of_them(here: Here) -> None:
    # Until then looks go on at those to which people were just to be sent.
    await here.world.gateway.stop()
    taken, fetched = here.silence.taken, sum(issuer.key_fetches for issuer in here.world.providers.issuers.values())
    await here.world.gateway.start()
    assert here.silence.taken == taken
    assert sum(issuer.key_fetches for issuer in here.world.providers.issuers.values()) == fetched
    assert (await here.signed_in(UP[0])).status == 200
