"""SIGTERM: nothing new is taken, what is under way is finished, and then the gateway leaves with 0."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.raw_http import Connection
from tests.walks.gateway import runs
from tests.walks.load import Load, running
from tests.walks.place import Place
from tests.walks.world import World, ask, opened, request

DRAIN = 3.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place = Place(tmp_path, workers=2, settings={"timeouts": f"{{drain: {DRAIN:.0f}s}}"})
    async with opened(place) as world:
        yield world


async def test_sigterm_under_load_loses_no_request(world: World) -> None:
    busy = Load(world.place.url(), request, ["/public/a", "/public/slow?seconds=0.2"])
    pausing = Load(world.place.url(), request, ["/public/b"], pause=0.05)
    async with running(busy, kept=8, anew=8), running(pausing, kept=16):
        await asyncio.sleep(1.0)
        world.gateway.signal(signal.SIGTERM)
        assert await world.gateway.ended(DRAIN + 2) == 0
    done = busy.done + pausing.done
    lost = [asked for asked in done if asked.reading is None]
    assert len(done) > 200
    assert not lost, f"{len(lost)} of {len(done)}, fresh: {[asked.fresh for asked in lost]}: {lost[0]}"
    assert {asked.status for asked in done} == {200}
    assert len([asked for asked in pausing.done if asked.reading and not asked.reading.keep_alive]) == 16
    world.gateway.is_clean()


async def test_a_service_manager_that_tells_every_process_loses_no_request_either(world: World) -> None:
    load = Load(world.place.url(), request, ["/public/a", "/public/slow?seconds=0.2"], pause=0.02)
    async with running(load, kept=12):
        await asyncio.sleep(0.5)
        for pid in (*world.gateway.workers(), world.gateway.pid):
            os.kill(pid, signal.SIGTERM)
        assert await world.gateway.ended(DRAIN + 2) == 0
    assert {asked.status for asked in load.done} == {200}
    assert not world.gateway.errors()


async def test_a_download_under_way_comes_to_its_end(world: World) -> None:
    download = asyncio.create_task(ask(world.place.url(), "/public/stream?seconds=1.5"))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    world.gateway.signal(signal.SIGTERM)
    reading = await download
    assert reading.status == 200
    assert bytes(reading.body).splitlines() == [b"%07d" % number for number in range(30)]
    assert await world.gateway.ended(DRAIN) == 0
    assert time.monotonic() - began > 1.0
    world.gateway.is_clean()


async def test_what_does_not_end_is_cut_at_the_limit_and_the_status_is_0(world: World) -> None:
    endless = asyncio.create_task(ask(world.place.url(), "/public/stream?seconds=60"))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    assert await world.gateway.stop() == 0
    assert DRAIN - 0.5 < time.monotonic() - began < DRAIN + 1.5
    with pytest.raises(ConnectionError):
        await endless
    assert world.gateway.lines(event="gateway.stopped")[0]["workers_killed"] == 0
    world.gateway.is_clean()


async def test_a_worker_that_does_not_leave_is_killed_after_the_limit(world: World) -> None:
    os.kill(world.gateway.workers()[0], signal.SIGSTOP)
    assert await world.gateway.stop() == 0
    assert world.gateway.lines(event="gateway.stopped")[0]["workers_killed"] == 1
    assert not world.gateway.errors()


async def test_told_twice_it_goes_on_as_told_once(world: World) -> None:
    slow = asyncio.create_task(ask(world.place.url(), "/public/slow?seconds=1.2"))
    await asyncio.sleep(0.2)
    for _ in range(3):
        world.gateway.signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
    assert (await slow).status == 200
    assert await world.gateway.ended(DRAIN) == 0
    assert len(world.gateway.lines(event="gateway.draining")) == 1


async def test_a_gateway_that_drains_is_not_ready(world: World) -> None:
    slow = asyncio.create_task(ask(world.place.url(), "/public/slow?seconds=1"))
    await asyncio.sleep(0.2)
    world.gateway.signal(signal.SIGTERM)
    await world.gateway.logged(0, event="gateway.draining")
    status, _ = await world.gateway.admin("/readyz")
    assert (status, await world.gateway.admin("/livez")) == (503, (200, "alive\n"))
    await slow
    assert await world.gateway.ended(DRAIN) == 0


async def test_workers_leave_by_themselves_when_the_supervisor_is_killed(world: World) -> None:
    workers = world.gateway.workers()
    kept = await Connection.open(world.place.url())
    slow = asyncio.create_task(kept.exchange(request("/public/slow?seconds=0.7")))
    await asyncio.sleep(0.2)
    os.kill(world.gateway.pid, signal.SIGKILL)
    assert (await slow).status == 200
    assert not kept.usable
    await kept.close()
    async with asyncio.timeout(DRAIN + 1):
        while any(map(runs, workers)):
            await asyncio.sleep(0.05)
    with pytest.raises(ConnectionRefusedError):
        await Connection.open(world.place.url())


async def test_one_worker_told_to_leave_loses_nothing_and_has_a_successor(world: World) -> None:
    (first, _) = world.gateway.workers()
    load = Load(world.place.url(), request, ["/public/a"], pause=0.03)
    async with running(load, kept=12):
        await asyncio.sleep(0.3)
        os.kill(first, signal.SIGTERM)
        await world.gateway.logged(0, event="worker.died", worker=first, status=0)
        await world.gateway.serving(without=[first])
    assert {asked.status for asked in load.done} == {200}


async def test_told_before_it_serves_it_leaves_at_once(tmp_path: Path) -> None:
    async with opened(Place(tmp_path)) as world:
        await world.gateway.stop()
        for pause in (0.25, 0.5, 0.75, 1.0):
            await world.gateway.launch()
            await asyncio.sleep(pause)
            assert await world.gateway.stop(5) in (0, -signal.SIGTERM)
        assert not world.gateway.errors()
