"""Two folders of 500 applications and 5,000 rules that differ on known paths, alternating under load."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.walks.gateway import Gateway
from tests.walks.load import Asked, Load, running
from tests.walks.place import Place
from tests.walks.upstream import Upstream
from tests.walks.world import request

APPS, RULES, WORKERS, RELOADS = 500, 10, 4, 3

# In the first folder these are for everybody and nobody, in the second the other way round.
EVEN, ODD = "/even/page", "/odd/page"


@dataclass(frozen=True, slots=True)
class Window:
    """`first` becomes `then` somewhere between `asked` and `told` (monotonic seconds)."""

    asked: float
    told: float
    then: int


def write_set(place: Place, folder: Path, number: int) -> None:
    folder.mkdir()
    names = ("even", "odd") if number == 0 else ("odd", "even")
    rules = [f"{{path: /{names[0]}/**, allow: anyone}}", f"{{path: /{names[1]}/**, allow: signed_in}}"]
    rules += [f"{{path: /part-{n}/*/list, methods: [GET], allow: {{group: g{n}}}}}" for n in range(RULES - 2)]
    access = "".join(f"  - {rule}\n" for rule in rules)
    for app in range(APPS):
        place.write_app(f"app-{app}", f"app-{app}.localhost", access=access)
        (place.policies / f"apps/app-{app}.yaml").rename(folder / f"app-{app}.yaml")


def choose(place: Place, folder: Path) -> None:
    """One step: nobody ever reads half of each."""
    beside = place.policies / ".apps.new"
    beside.symlink_to(folder, target_is_directory=True)
    os.replace(beside, place.policies / "apps")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path, workers=WORKERS)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    for number in (0, 1):
        write_set(place, tmp_path / f"set-{number}", number)
    (place.policies / "apps").rmdir()
    choose(place, tmp_path / "set-0")
    upstream = Upstream()
    await upstream.start(place.upstream_port)
    yield place
    await upstream.stop()


def possible(asked: Asked, windows: list[Window]) -> set[int]:
    """The sets that were live at some moment of this request."""
    live = {0}
    for window in windows:
        if asked.began >= window.told:
            live = {window.then}
        elif asked.ended >= window.asked:
            live.add(window.then)
    return live


def answered_by(asked: Asked) -> int:
    """The set that this answer is right for."""
    assert asked.status in (200, 401), asked
    return int((asked.status == 200) is not asked.target.startswith("/even"))


async def test_each_answer_is_right_for_a_revision_live_during_its_request(place: Place) -> None:
    gateway = Gateway(place)
    hosts = itertools.cycle(f"app-{number}.localhost" for number in range(0, APPS, 7))
    load = Load(place.url(), lambda target: request(target, host=next(hosts)), [EVEN, ODD], pause=0.01)
    windows: list[Window] = []
    try:
        await gateway.start()
        async with running(load, kept=6, anew=2):
            for number in range(1, RELOADS + 1):
                await asyncio.sleep(0.5)
                choose(place, place.folder / f"set-{number % 2}")
                began = time.monotonic()
                await gateway.reload()
                windows.append(Window(began, time.monotonic(), number % 2))
            await asyncio.sleep(0.5)
            stop = (await gateway.metrics())["ecluse_event_loop_stop_max_seconds"]
        gateway.is_clean()
    finally:
        await gateway.end()
    assert not [asked for asked in load.done if asked.reading is None]
    wrong = [asked for asked in load.done if answered_by(asked) not in possible(asked, windows)]
    assert not wrong, f"{len(wrong)} of {len(load.done)}: {wrong[0]}"
    outside = [asked for asked in load.done if len(possible(asked, windows)) == 1]
    assert len(outside) > 200
    assert {answered_by(asked) for asked in outside} == {0, 1}
    for window in windows:
        during = [asked for asked in load.done if window.asked < asked.began < window.told + 0.5]
        # A newer answer that was whole before an older was asked for: two revisions, one after the other.
        newer = min((asked.ended for asked in during if answered_by(asked) == window.then), default=0.0)
        older = max((asked.began for asked in during if answered_by(asked) != window.then), default=0.0)
        print(
            f"reload {window.told - window.asked:.2f} s, both sets answered for {max(0.0, older - newer) * 1000:.0f} ms"
        )
        assert older - newer < 0.5
    print(f"{len(load.done)} requests, longest stop of a loop {stop * 1000:.1f} ms")
