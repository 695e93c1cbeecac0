"""Two folders of 500 applications and 5,000 rules that differ on known paths, alternating under load."""

import asyncio
import itertools
import math
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import until
from tests.raw_http import Connection
from tests.walks.gateway import Gateway
from tests.walks.load import Asked, Load, running
from tests.walks.place import Place
from tests.walks.revisions import Window, possible
from tests.walks.upstream import Upstream
from tests.walks.world import request

RULES, WORKERS = 10, 4

# A course on which both sets are to be met at once goes on until they were, but not for ever.
MOST_RELOADS = 50

# Connections on which nothing is asked until one worker is late: each worker has some of them.
IDLE = 30
# Seconds for which that worker stands still at most. The supervisor ends one that does not swap in five.
HELD = 2.0

# Seconds between two requests of a client. They differ, for those whom one late worker answers together would go on
# together, too.
PAUSES = (0.006, 0.013, 0.023, 0.037, 0.051)

# In the first folder these are for everybody and nobody, in the second the other way round.
EVEN, ODD = "/even/page", "/odd/page"


@dataclass(frozen=True, slots=True)
class Course:
    """`late`: in each reload one worker stands still while the others swap, so that they are ahead of it.

    `at_once`: the next reload is asked for when the last is told, and not only when clients have seen what came of it.
    """

    apps: int
    reloads: int
    late: bool = False
    at_once: bool = False
    clients: int = 5


def write_set(place: Place, folder: Path, number: int, apps: int) -> None:
    folder.mkdir()
    names = ("even", "odd") if number == 0 else ("odd", "even")
    rules = [f"{{path: /{names[0]}/**, allow: anyone}}", f"{{path: /{names[1]}/**, allow: signed_in}}"]
    rules += [f"{{path: /part-{n}/*/list, methods: [GET], allow: {{group: g{n}}}}}" for n in range(RULES - 2)]
    access = "".join(f"  - {rule}\n" for rule in rules)
    for app in range(apps):
        place.write_app(f"app-{app}", f"app-{app}.localhost", access=access)
        (place.policies / f"apps/app-{app}.yaml").rename(folder / f"app-{app}.yaml")


def choose(place: Place, folder: Path) -> None:
    """One step: nobody ever reads half of each."""
    beside = place.policies / ".apps.new"
    beside.symlink_to(folder, target_is_directory=True)
    os.replace(beside, place.policies / "apps")


@pytest.fixture
async def place(tmp_path: Path, course: Course) -> AsyncIterator[Place]:
    place = Place(tmp_path, workers=WORKERS)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    for number in (0, 1):
        write_set(place, tmp_path / f"set-{number}", number, course.apps)
    (place.policies / "apps").rmdir()
    choose(place, tmp_path / "set-0")
    upstream = Upstream()
    await upstream.start(place.upstream_port)
    yield place
    await upstream.stop()


def answered_by(asked: Asked) -> int:
    """The set that this answer is right for."""
    assert asked.status in (200, 401), asked
    return int((asked.status == 200) is not asked.target.startswith("/even"))


async def reloaded(gateway: Gateway, then: int) -> Window:
    asked = time.monotonic()
    await gateway.reload()
    return Window(asked, time.monotonic(), then)


async def reloaded_late(gateway: Gateway, load: Load, then: int, prepared_within: float) -> Window:
    """One worker has prepared the newer set, and stands still while the others swap. Meanwhile it is asked on
    connections that it has. `prepared_within`: what it is given for preparing; another worker is held as long, for
    nobody swaps before all have prepared."""
    late, slow = gateway.workers()[then : then + 2]
    connections = [await Connection.open(load.url) for _ in range(IDLE)]
    await asyncio.gather(*(load.ask(connection, EVEN) for connection in connections))
    os.kill(slow, signal.SIGSTOP)
    reload = asyncio.create_task(reloaded(gateway, then))
    try:
        await asyncio.sleep(prepared_within)
        os.kill(late, signal.SIGSTOP)
        os.kill(slow, signal.SIGCONT)
        before = len(load.done)
        with suppress(TimeoutError):
            await until(lambda: any(answered_by(asked) == then for asked in load.done[before:]), within=HELD)
        asking = [asyncio.create_task(load.ask(connection, EVEN)) for connection in connections]
        await asyncio.sleep(HELD / 10)
    finally:
        for worker in (late, slow):
            os.kill(worker, signal.SIGCONT)
    await asyncio.gather(*asking)
    for connection in connections:
        await connection.close()
    return await reload


def overlap(done: list[Asked], window: Window, end: float) -> int:
    """How many were asked after the first answer of the newer set, and answered by the older. `end`: when the next
    window begins, in which the older set comes back."""
    during = [asked for asked in done if window.asked < asked.began and asked.ended < end]
    newer = min((asked.ended for asked in during if answered_by(asked) == window.then), default=end)
    return len([asked for asked in during if answered_by(asked) != window.then and asked.began > newer])


def overlaps(done: list[Asked], windows: list[Window]) -> list[int]:
    ends = [*(window.asked for window in windows[1:]), math.inf]
    return [overlap(done, window, end) for window, end in zip(windows, ends, strict=True)]


@pytest.mark.parametrize(
    "course",
    [
        Course(apps=500, reloads=4),
        Course(apps=20, reloads=8, late=True),
        Course(apps=2, reloads=15, at_once=True, clients=1),
    ],
    ids=["500 applications", "a worker that is late", "one after the other"],
)
async def test_each_answer_is_right_for_a_revision_live_during_its_request(place: Place, course: Course) -> None:
    gateway = Gateway(place)
    hosts = itertools.cycle(f"app-{number}.localhost" for number in range(0, course.apps, 7))
    loads = [
        Load(place.url(), lambda target: request(target, host=next(hosts)), [EVEN, ODD], pause) for pause in PAUSES
    ]
    windows: list[Window] = []

    def done() -> list[Asked]:
        return [asked for load in loads for asked in load.done]

    try:
        await gateway.start()
        async with AsyncExitStack() as stack:
            for load in loads:
                await stack.enter_async_context(running(load, kept=course.clients, anew=1))
            for number in range(1, MOST_RELOADS):
                if not course.at_once or number < 3:
                    await asyncio.gather(*(load.answers(2 * course.clients + 2) for load in loads))
                choose(place, place.folder / f"set-{number % 2}")
                if course.late:
                    windows.append(await reloaded_late(gateway, loads[0], number % 2, min(0.5 * number, 5.0)))
                else:
                    windows.append(await reloaded(gateway, number % 2))
                if number >= course.reloads and (not course.late or any(overlaps(done(), windows))):
                    break
            await asyncio.gather(*(load.answers(2 * course.clients + 2) for load in loads))
        gateway.is_clean()
    finally:
        await gateway.end()
    assert not [asked for asked in done() if asked.reading is None]
    wrong = [asked for asked in done() if answered_by(asked) not in possible(asked.began, asked.ended, windows)]
    assert not wrong, f"{len(wrong)} of {len(done())}: {wrong[0]}"
    outside = [asked for asked in done() if len(possible(asked.began, asked.ended, windows)) == 1]
    assert {answered_by(asked) for asked in outside} == {0, 1}
    # Otherwise nothing was tried: with all workers in step, any order of things gives right answers.
    assert any(overlaps(done(), windows)) or not course.late
    print(f"{len(done())} requests, {len(windows)} reloads, of both sets at once: {overlaps(done(), windows)}")
