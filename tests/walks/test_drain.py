"""SIGTERM: nothing new is taken, what is under way is finished, and then the gateway leaves with 0."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.patience import PATIENCE, until
from tests.raw_http import Connection, Reading
from tests.running import runs
from tests.walks.load import Load, running
from tests.walks.place import Place
from tests.walks.world import World, ask, opened, request

SOON = 2.0


def draining(folder: Path, seconds: float) -> Place:
    return Place(folder, workers=2, settings={"timeouts": f"{{drain: {seconds:.0f}s}}"})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """As much time as the machine needs: what is lost is lost for another reason."""
    async with opened(draining(tmp_path, PATIENCE)) as world:
        yield world


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(draining(tmp_path, SOON)) as world:
        yield world


async def under_way(world: World, target: str) -> asyncio.Task[Reading]:
    """A request that has reached the application, whose answer waits for `go_on`."""
    before = world.upstream.requests
    asked = asyncio.create_task(ask(world.place.url(), target))
    await until(lambda: world.upstream.requests > before)
    return asked


async def test_sigterm_under_load_loses_no_request(world: World) -> None:
    busy = Load(world.place.url(), request, ["/public/a", "/public/slow?seconds=0.2"])
    pausing = Load(world.place.url(), request, ["/public/b"], pause=0.05)
    async with running(busy, kept=8, anew=8), running(pausing, kept=16):
        await busy.answers(200)
        await pausing.answers(32)
        world.gateway.signal(signal.SIGTERM)
        assert await world.gateway.ended() == 0
    done = busy.done + pausing.done
    lost = [asked for asked in done if asked.reading is None]
    assert not lost, f"{len(lost)} of {len(done)}, fresh: {[asked.fresh for asked in lost]}: {lost[0]}"
    assert {asked.status for asked in done} == {200}
    told = [asked for asked in pausing.done if asked.reading and not asked.reading.keep_alive]
    assert len(told) + pausing.ended_idle == 16
    world.gateway.is_clean()


async def test_a_service_manager_that_tells_every_process_loses_no_request_either(world: World) -> None:
    load = Load(world.place.url(), request, ["/public/a", "/public/slow?seconds=0.2"], pause=0.02)
    async with running(load, kept=12):
        await load.answers(100)
        for pid in (*world.gateway.workers(), world.gateway.pid):
            os.kill(pid, signal.SIGTERM)
        assert await world.gateway.ended() == 0
    assert {asked.status for asked in load.done} == {200}
    assert not world.gateway.errors()


async def test_clients_of_the_admin_listener_that_do_not_read_do_not_hold_sigterm_up(world: World) -> None:
    """A hundred of them, each with a thousand requests ahead. tests/server/test_admin.py has the parts."""
    asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(100)]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", world.place.admin_port))
            client.send(asked)
        for client in clients:
            # Its answer has begun.
            assert await loop.sock_recv(client, 1)
        world.gateway.signal(signal.SIGTERM)
        assert await world.gateway.ended() == 0
    world.gateway.is_clean()


async def test_a_download_under_way_comes_to_its_end(world: World) -> None:
    download = await under_way(world, "/public/stream?held")
    world.gateway.signal(signal.SIGTERM)
    await world.gateway.logged(0, event="gateway.draining")
    assert not download.done()
    assert world.gateway.status is None
    world.upstream.go_on.set()
    reading = await download
    assert reading.status == 200
    assert bytes(reading.body).splitlines() == [b"%07d" % number for number in range(20)]
    assert await world.gateway.ended() == 0
    world.gateway.is_clean()


async def test_what_does_not_end_is_cut_at_the_limit_and_the_status_is_0(hasty: World) -> None:
    endless = await under_way(hasty, "/public/stream?held")
    began = time.monotonic()
    assert await hasty.gateway.stop() == 0
    assert time.monotonic() - began > SOON - 0.1, "cut before its time"
    with pytest.raises(ConnectionError):
        await endless
    assert hasty.gateway.lines(event="gateway.stopped")[0]["workers_killed"] == 0
    hasty.gateway.is_clean()


async def test_a_worker_that_does_not_leave_is_killed_after_the_limit(hasty: World) -> None:
    victim = hasty.gateway.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        assert await hasty.gateway.stop() == 0
        assert not runs(victim)
    finally:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    assert hasty.gateway.lines(event="gateway.stopped")[0]["workers_killed"] == 1
    assert not hasty.gateway.errors()


async def test_told_twice_it_goes_on_as_told_once(world: World) -> None:
    slow = await under_way(world, "/public/slow?held")
    for _ in range(3):
        world.gateway.signal(signal.SIGTERM)
        await world.gateway.logged(0, event="gateway.draining")
    world.upstream.go_on.set()
    assert (await slow).status == 200
    assert await world.gateway.ended() == 0
    assert len(world.gateway.lines(event="gateway.draining")) == 1


async def test_a_gateway_that_drains_is_not_ready(world: World) -> None:
    slow = await under_way(world, "/public/slow?held")
    world.gateway.signal(signal.SIGTERM)
    await world.gateway.logged(0, event="gateway.draining")
    status, _ = await world.gateway.admin("/readyz")
    assert (status, await world.gateway.admin("/livez")) == (503, (200, "alive\n"))
    world.upstream.go_on.set()
    await slow
    assert await world.gateway.ended() == 0


async def test_workers_leave_by_themselves_when_the_supervisor_is_killed(world: World) -> None:
    workers = world.gateway.workers()
    kept, before = await Connection.open(world.place.url()), world.upstream.requests
    slow = asyncio.create_task(kept.exchange(request("/public/slow?held")))
    await until(lambda: world.upstream.requests > before)
    os.kill(world.gateway.pid, signal.SIGKILL)
    await nobody_listens(world)
    world.upstream.go_on.set()
    assert (await slow).status == 200
    assert not kept.usable
    await kept.close()
    await until(lambda: not any(map(runs, workers)))


async def nobody_listens(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                connection = await Connection.open(world.place.url())
            except ConnectionRefusedError:
                return
            await connection.close()
            await asyncio.sleep(0.02)


async def test_one_worker_told_to_leave_loses_nothing_and_has_a_successor(world: World) -> None:
    (first, _) = world.gateway.workers()
    load = Load(world.place.url(), request, ["/public/a"], pause=0.03)
    async with running(load, kept=12):
        await load.answers(50)
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
            assert await world.gateway.stop() in (0, -signal.SIGTERM)
        assert not world.gateway.errors()
