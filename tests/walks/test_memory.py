"""What a worker holds when it does nothing, and what thousands of clients that do nothing add to it."""

import asyncio
import re
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.walks.place import Place
from tests.walks.world import World, opened, request

# With the pages of files, which all workers share, 90: of those the kernel maps as many beside the ones asked for as it
# has at hand, 35 to 41 MB.
MOST_IDLE = 54 << 20
CONNECTIONS, MOST_EACH = 10_000, 6 << 10
_AT_ONCE = 50


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    limits = {"limits": "{connections: 20000, connections_per_client: 20000}", "timeouts": "{idle: 1h}"}
    async with opened(Place(tmp_path, workers=1, settings=limits)) as world:
        yield world
        world.gateway.is_clean()


@pytest.fixture
def connections() -> Iterator[int]:
    """As many as strangers may have of a worker's descriptors: a third of what this machine lets a process open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield min(CONNECTIONS, (hard // 3 - 200) // _AT_ONCE * _AT_ONCE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(world: World) -> int:
    (worker,) = world.gateway.workers()
    return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * resource.getpagesize()


def own(world: World) -> int:
    (worker,) = world.gateway.workers()
    (kilobytes,) = re.findall(r"^RssAnon:\s+(\d+) kB$", Path(f"/proc/{worker}/status").read_text(), re.MULTILINE)
    return int(kilobytes) << 10


async def test_an_idle_worker_holds_under_54_mb_of_its_own(world: World) -> None:
    await world.signed_in()
    await asyncio.sleep(1)
    held = own(world)
    print(f"an idle worker holds {held / (1 << 20):.1f} MB of its own, {resident(world) / (1 << 20):.1f} in all")
    assert held < MOST_IDLE


async def test_idle_connections_add_under_6_kb_each(world: World, connections: int) -> None:
    before = resident(world)
    clients: list[socket.socket] = []
    try:
        while len(clients) < connections:
            some = [
                socket.create_connection(("127.0.0.1", world.place.port), timeout=PATIENCE) for _ in range(_AT_ONCE)
            ]
            clients += some
            for client in some:
                client.sendall(request())
            for client in some:
                assert client.recv(65536).startswith(b"HTTP/1.1 401 ")
        await world.gateway.measured(lambda told: told["ecluse_http_connections"] == connections)
        more = resident(world) - before
        print(f"{connections} idle connections add {more / (1 << 20):.1f} MB")
        assert more < MOST_EACH * connections
    finally:
        for client in clients:
            client.close()
