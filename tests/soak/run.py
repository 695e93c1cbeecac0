"""A soak: half of what the gateway can serve, while people, files, the application and tunnels come and go."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.browser.notebook import Notebook
from tests.soak.actors import Soak
from tests.soak.ledger import Held, Ledger
from tests.walks.load import Load, running
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, opened, request

PEOPLE = ("alice", "bob", "root") * 2
_LOOKS = 40
_MEASURED_FOR = 2.0
# Connections to the application that are kept for the next request, and what a worker opens once.
SPARE_DESCRIPTORS = 24


@dataclass(frozen=True, slots=True)
class Soaked:
    """`rate`: requests a second. `before`, `after`: of each worker, when nobody is there."""

    ledger: Ledger
    rate: float
    before: list[Held]
    after: list[Held]

    @property
    def lost_descriptors(self) -> list[int]:
        return [late.descriptors - early.descriptors for early, late in zip(self.before, self.after, strict=True)]


async def soaked(folder: Path, seconds: float, pace: float) -> Soaked:
    """Raises AssertionError where the gateway's log has a fault."""
    notebook, place = Notebook(), Place(folder, settings={"access_log": "false"})
    port = await notebook.start()
    place.write_app("one", ONE)
    place.write_app("two", TWO, upstream=f"{{url: http://127.0.0.1:{port}}}", tunnel="{protocols: [websocket]}")
    try:
        async with opened(place) as world:
            told = await _soaked(world, port, seconds, pace)
            world.gateway.is_clean()
        return told
    finally:
        await notebook.stop()


async def _soaked(world: World, notebook: int, seconds: float, pace: float) -> Soaked:
    ledger = Ledger()
    readers = [(login, world.cookie(await world.signed_in(login))) for login in PEOPLE]
    pids = sorted(world.gateway.workers())
    rate = await _half(world, readers[0][1])
    await world.leave()
    await _quiet(world)
    before = [Held.by(pid) for pid in pids]
    soak = Soak(world, ledger, pace, notebook)
    soak.begin()
    reading = [asyncio.create_task(soak.reads(login, cookie, len(readers) / rate)) for login, cookie in readers]
    began = monotonic()
    for look in range(_LOOKS):
        await asyncio.sleep(max(0.0, began + seconds * (look + 1) / _LOOKS - monotonic()))
        ledger.look(pids)
    await soak.end()
    await asyncio.gather(*reading)
    await world.leave()
    await _quiet(world)
    if sorted(world.gateway.workers()) != pids:
        ledger.mistaken("a worker has died")
    return Soaked(ledger, rate, before, [Held.by(pid) for pid in pids])


async def _half(world: World, cookie: str) -> float:
    """Requests a second: half of what so many clients get who ask again as soon as they are answered."""
    load = Load(world.place.url(), lambda target: request(target, cookie), ["/measured"], pause=0.0)
    async with running(load, kept=len(PEOPLE)):
        await asyncio.sleep(_MEASURED_FOR)
    assert {each.status for each in load.done} == {200}
    return len(load.done) / _MEASURED_FOR / 2


async def _quiet(world: World) -> None:
    """Until no client is connected."""
    await world.gateway.measured(lambda told: told["ecluse_http_connections"] == 0 == told.get("ecluse_tunnels", 0))
