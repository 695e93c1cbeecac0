"""Workers that die: another takes their place, later each time, and nothing that was counted is lost."""

import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.walks.load import Load, running
from tests.walks.place import Place
from tests.walks.world import World, ask, everywhere, opened, request

WORKERS = 2
# Seconds (server.fleet).
QUICK_DEATH = 10.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(Place(tmp_path, workers=WORKERS)) as world:
        yield world
        world.gateway.is_clean(but=["worker.died"])


async def test_a_worker_that_dies_again_and_again_is_started_later_each_time(world: World) -> None:
    for _ in range(4):
        mark = world.gateway.mark()
        # The newest: the other goes on serving.
        victim = world.gateway.workers()[-1]
        os.kill(victim, signal.SIGKILL)
        await world.gateway.logged(mark, event="worker.died", worker=victim)
        assert (await world.gateway.readiness())["ready"]
        started = await world.gateway.logged(mark, event="worker.started")
        (died,) = world.gateway.lines(mark, event="worker.died")
        waited = datetime.fromisoformat(started["time"]) - datetime.fromisoformat(died["time"])
        # The log's times are cut to milliseconds.
        assert waited.total_seconds() > died["pause_s"] - 0.002
    pause = 0.0
    for died in world.gateway.lines(event="worker.died"):
        # On a busy machine one may live for so long that it has not died quickly: its slot begins anew.
        assert died["pause_s"] == (pause * 2 or 0.1) or (died["pause_s"] == 0 and died["lived_s"] >= QUICK_DEATH)
        pause = died["pause_s"]
    assert {line["status"] for line in world.gateway.lines(event="worker.died")} == {-9}


async def test_what_a_dead_worker_counted_stays_and_what_it_held_does_not(world: World) -> None:
    cookie = world.cookie(await world.signed_in())
    assert await everywhere(world.place, "/x", cookie) == {200}
    assert await everywhere(world.place, "/public/x") == {200}
    given = 'ecluse_http_requests_total{app="one",code_class="2xx"}'
    before = await world.gateway.measured(
        lambda told: told.get(given) == world.upstream.requests and told["ecluse_sessions_cached"] >= WORKERS
    )
    victims = world.gateway.workers()
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    await world.gateway.serving(without=victims)
    after = await world.gateway.metrics()
    for name in ("ecluse_http_requests_total", "ecluse_auth_logins_total", "ecluse_policy_decisions_total"):
        assert after[name] == before[name] > 0, name
    assert after["ecluse_worker_deaths_total"] == WORKERS
    assert after["ecluse_sessions_cached"] == 0
    assert after["ecluse_http_connections"] == 0
    assert (await ask(world.place.url(), "/x", cookie)).status == 200
    await world.gateway.measured(lambda told: told[given] == before[given] + 1)


async def test_while_one_worker_dies_under_load_the_others_answer(world: World) -> None:
    load = Load(world.place.url(), request, ["/public/a", "/public/b"], pause=0.01)
    async with running(load, kept=6, anew=3):
        await load.answers(100)
        (victim, _) = world.gateway.workers()
        os.kill(victim, signal.SIGKILL)
        await world.gateway.serving(without=[victim])
        await load.answers(100)
    lost = [asked for asked in load.done if asked.reading is None]
    # What it had taken dies with it; every other client is answered, also those who come anew.
    assert len(lost) <= 9
    assert {asked.status for asked in load.done if asked.reading is not None} == {200}


async def test_the_longest_stop_of_any_loop_is_told(world: World) -> None:
    await world.gateway.measured(lambda told: told["ecluse_event_loop_stop_max_seconds"] > 0)
