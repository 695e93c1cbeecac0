"""A disk that is full when the gateway starts: public pages are served, the rest comes when there is room."""

import asyncio
import json
import os
import resource
import threading
from pathlib import Path

from tests.patience import PATIENCE
from tests.walks.gateway import SERVE, Gateway
from tests.walks.place import Place
from tests.walks.world import World, everywhere, opened

# Nothing can be written to a file: the same error at the same calls as on a disk without room.
_FULL = ("bash", "-c", f"ulimit -Sf 0; exec {' '.join(SERVE)}")


def copied(pipe: int, path: Path) -> None:
    """Its log, which would find no room either."""
    with os.fdopen(pipe, "rb") as source, path.open("ab", buffering=0) as log:
        while data := source.read1():
            log.write(data)


def limit(gateway: Gateway, size: int) -> None:
    for pid in (gateway.pid, *gateway.workers()):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def test_public_pages_are_served_and_the_rest_when_there_is_room(tmp_path: Path) -> None:
    place = Place(tmp_path, workers=2)
    reading, writing = os.pipe()
    thread = threading.Thread(target=copied, args=(reading, place.folder / "gateway.log"), daemon=True)
    thread.start()
    try:
        async with opened(place, command=_FULL, output=writing) as world:
            await full(world)
            limit(world.gateway, resource.RLIM_INFINITY)
            await room(world)
            # While it runs, too.
            limit(world.gateway, 0)
            page = await world.person().step("GET", world.place.url())
            assert (page.status, page.header("Retry-After")) == (503, "5")
            assert await everywhere(world.place, "/public/x") == {200}
            async with asyncio.timeout(PATIENCE):
                while (await world.gateway.admin("/readyz"))[0] != 503:
                    await asyncio.sleep(0.05)
            limit(world.gateway, resource.RLIM_INFINITY)
            await room(world)
            world.gateway.is_clean()
    finally:
        os.close(writing)
        thread.join(PATIENCE)


async def full(world: World) -> None:
    line = await world.gateway.logged(0, event="state.unwritable")
    assert line["detail"] == f"{world.place.folder}/var: File too large"
    assert await everywhere(world.place, "/public/x") == {200}
    page = await world.person().step("GET", world.place.url())
    assert (page.status, page.location, page.header("Retry-After")) == (503, "", "5")
    status, text = await world.gateway.admin("/readyz")
    told = json.loads(text)
    assert (status, told["ready"], told["sessions"]) == (503, False, "unreachable")
    assert told["workers_serving"] == 2


async def room(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await world.gateway.admin("/readyz"))[0] != 200:
            await asyncio.sleep(0.05)
    assert await everywhere(world.place, "/x", world.cookie(await world.signed_in())) == {200}
