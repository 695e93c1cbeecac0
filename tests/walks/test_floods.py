"""Strangers who open connections and say nothing, against people who are signed in (invariant 15)."""

import asyncio
import contextlib
import shlex
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from deploy.demo.ports import free
from tests.patience import PATIENCE
from tests.walks.gateway import SERVE
from tests.walks.place import ONE, Place
from tests.walks.world import World, from_every_worker, opened, request

pytestmark = pytest.mark.slow

FLOOD = 900
# As in the report: 400 descriptors a process, of which a flood took so many that none was left for applications.
FEW_FILES = ("bash", "-c", f"ulimit -n 400; exec {shlex.join(SERVE)}")


@pytest.fixture
def tls() -> int:
    (port,) = free(1)
    return port


@pytest.fixture
async def world(tmp_path: Path, tls: int) -> AsyncIterator[World]:
    place = Place(tmp_path, settings={"limits": "{connections: 100}", "timeouts": f"{{request_head: {PATIENCE:.0f}s}}"})
    issued = trustme.CA().issue_cert(ONE)
    (tmp_path / "certs/tls.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    (tmp_path / "certs/tls.key").write_bytes(issued.private_key_pem.bytes())
    pair = "tls: {certificate: {file: ../certs/tls.pem}, key: {file: ../certs/tls.key}}"
    place.settings["listen"] = f"[{{address: 127.0.0.1:{place.port}}}, {{address: 127.0.0.1:{tls}, {pair}}}]"
    place.write_gateway()
    async with opened(place, command=FEW_FILES) as world:
        yield world
        world.gateway.is_clean()


@asynccontextmanager
async def flood(port: int, source: str) -> AsyncIterator[None]:
    """Silent connections, from one address."""
    clients = [socket.socket() for _ in range(FLOOD)]
    try:
        for client in clients:
            client.bind((source, 0))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client.connect(("127.0.0.1", port))
        yield
    finally:
        for client in clients:
            client.close()


async def answered(port: int, source: str, cookie: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        writer.write(request(cookie=cookie))
        told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        return False
    return told.startswith(b"HTTP/1.1 200 ")


async def test_invariant_15_a_flood_of_silent_handshakes_costs_strangers_alone(world: World, tls: int) -> None:
    place = world.place
    cookie = world.cookie(await world.signed_in())
    # One worker has seen this address; within a second or two the other has heard of it.
    await from_every_worker(place, cookie=cookie)
    await asyncio.sleep(2.5)
    async with flood(tls, "127.0.0.9"):
        # Of 100 connections a worker keeps 12 for known addresses; those that are past their handshake count, too.
        await world.gateway.measured(
            lambda told: told["ecluse_tls_handshakes"] + told["ecluse_http_connections"] >= 2 * 88
        )
        # Five at a time: a worker keeps a dozen places for known addresses, and the kernel may send it all of them.
        for _ in range(4):
            assert all(await asyncio.gather(*(answered(place.port, "127.0.0.1", cookie) for _ in range(5))))
        assert not any([await answered(place.port, "127.0.0.8", cookie) for _ in range(4)]), "a stranger's address"
    await world.gateway.measured(lambda told: told["ecluse_tls_handshakes"] == 0)
    assert await answered(place.port, "127.0.0.8", cookie)
    await world.gateway.logged(0, event="connections.refused")
    lines = world.gateway.lines(event="connections.refused")
    assert {line["reason"] for line in lines} == {"all"}
    for pid in {line["pid"] for line in lines}:
        told = [datetime.fromisoformat(line["time"]) for line in lines if line["pid"] == pid]
        assert all((after - before).total_seconds() > 59 for before, after in pairwise(told)), "more than one a minute"


SLOW, ADDRESSES = 2000, 500
KILOBYTES_OF_ONE = 20


async def test_slow_heads_from_many_addresses_cost_little_and_end_in_time(tmp_path: Path) -> None:
    """DO01. Each sends a byte now and then: the clock runs from the first one, and no further byte winds it again."""
    place = Place(tmp_path, settings={"timeouts": "{request_head: 5s}"})
    place.write_gateway()
    async with opened(place) as world:
        cookie = world.cookie(await world.signed_in())
        await from_every_worker(place, cookie=cookie)
        before = held_by(world)
        slow = [slow_client(place.port, number % ADDRESSES) for number in range(SLOW)]
        try:
            await world.gateway.measured(lambda told: told["ecluse_http_connections"] >= SLOW)
            drip(slow, b"GET / HTTP/1.1\r\nHost: one.localhost\r\nX-Slow: ")
            begun = asyncio.get_running_loop().time()
            assert all(await asyncio.gather(*(answered(place.port, "127.0.0.1", cookie) for _ in range(20))))
            assert held_by(world) - before < SLOW * KILOBYTES_OF_ONE
            while drip(slow, b"a"):
                assert asyncio.get_running_loop().time() - begun < PATIENCE
                await asyncio.sleep(0.5)
            assert asyncio.get_running_loop().time() - begun >= 4
        finally:
            for client in slow:
                client.close()
        world.gateway.is_clean()


def slow_client(port: int, address: int) -> socket.socket:
    """`address`: the number of one of ours."""
    client = socket.socket()
    client.bind((f"127.1.{address // 250}.{address % 250 + 1}", 0))
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        client.connect(("127.0.0.1", port))
    return client


def drip(clients: list[socket.socket], piece: bytes) -> int:
    """How many are still taken from."""
    left = 0
    for client in clients:
        with contextlib.suppress(OSError):
            client.send(piece)
            # An end is b"", and the page before it ends in one.
            left += _is_open(client)
    return left


def _is_open(client: socket.socket) -> bool:
    try:
        while client.recv(4096):
            pass
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def held_by(world: World) -> int:
    """Kilobytes of all processes of the gateway together, what they share counted once."""
    pids, total = [world.gateway.pid], 0
    for pid in pids:
        pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(told.partition("\nPss:")[2].split()[0])
    return total
