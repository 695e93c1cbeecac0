"""Two gateways, each with a state folder of its own, on one Valkey: what one of them knows, the other knows."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from gateway.stores.redis.lacks import read_info
from tests.interop.servers import HERE, php
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.test_form_login import FORM, GRR, SECRET, page
from tests.walks.world import World, ask, everywhere, opened, request

WORKERS = 2
# Seconds (invariant 12).
ELSEWHERE, MOST_ROUNDS = 0.2, 20

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("valkey", tmp_path_factory.mktemp("valkey")) as port:
        yield port


@pytest.fixture(scope="module")
def grr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """An application with a login form: its folder, where it notes what it has seen, and its port."""
    folder, (port,) = tmp_path_factory.mktemp("grr"), free(1)
    (folder / "password").write_text(SECRET)
    with php(folder, port, HERE / "php/form.php"):
        yield folder, port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(
    tmp_path_factory: pytest.TempPathFactory, valkey: int, grr: tuple[Path, int]
) -> AsyncIterator[tuple[World, Place]]:
    server_of = f"{{address: '127.0.0.1:{valkey}'}}"
    told = f"{{type: redis, server: {server_of}, keys: [{{id: k1, secret: {{file: ../certs/store.key}}}}]}}"
    first = Place(tmp_path_factory.mktemp("one"), workers=WORKERS, settings={"store": told})
    portal = {"portal": f"http://{PORTAL_HOST}:{first.port}"}
    second = Place(tmp_path_factory.mktemp("two"), workers=WORKERS, settings={"store": told, **portal})
    second.upstream_port, second.provider_port = first.upstream_port, first.provider_port
    for place in (first, second):
        (place.folder / "certs/grr").write_text(SECRET)
        place.write_app("grr", GRR, upstream=f"{{url: http://127.0.0.1:{grr[1]}}}", form_login=FORM)
    async with opened(first) as world:
        second.write_provider("alpha", world.alpha.url)
        for name, host in (("one", ONE), ("two", TWO)):
            second.write_app(name, host)
        other = Gateway(second)
        try:
            await other.start()
            yield world, second
            other.is_clean()
        finally:
            await other.end()
        world.gateway.is_clean()


async def test_who_is_signed_in_at_one_is_served_by_the_other(nodes: tuple[World, Place]) -> None:
    world, second = nodes
    cookie = world.cookie(await world.signed_in())
    assert await everywhere(second, "/x", cookie) == {200}
    assert await everywhere(second, "/x", cookie[:-1] + ("A" if cookie[-1] != "A" else "B")) == {401}


async def test_who_signs_out_at_one_is_refused_by_the_other(nodes: tuple[World, Place]) -> None:
    """Every worker of the other node, 200 ms after the answer at the latest: in the median of three, on a machine that
    does nothing else. On a busy one, in some three of many."""
    rounds: list[float] = []
    while len(rounds) < MOST_ROUNDS and min(rounds, default=ELSEWHERE) >= ELSEWHERE:
        rounds.append(sorted([await wait_elsewhere(*nodes) for _ in range(3)])[1])
    assert min(rounds) < ELSEWHERE, rounds


async def wait_elsewhere(world: World, second: Place) -> float:
    """Seconds from the answer to a sign-out at one node until every worker of the other refuses."""
    person = await world.signed_in()
    cookie = world.cookie(person)
    assert await everywhere(second, "/x", cookie) == {200}
    lines = [await Connection.open(second.url()) for _ in range(8)]
    await world.log_out(person)
    began = time.monotonic()
    while {(await line.exchange(request("/x", cookie))).status for line in lines} != {401}:
        await asyncio.sleep(0.005)
    waited = time.monotonic() - began
    for line in lines:
        await line.close()
    assert await everywhere(world.place, "/x", cookie) == {401}
    return waited


async def test_a_stream_at_the_other_is_cut(nodes: tuple[World, Place]) -> None:
    """One that has gone on for longer than an answer in flight is given."""
    world, second = nodes
    person = await world.signed_in()
    cookie = world.cookie(person)
    line = await Connection.open(second.url())
    before = world.upstream.requests
    stream = asyncio.create_task(line.exchange(request("/stream?seconds=600", cookie)))
    await until(lambda: world.upstream.requests > before)
    await asyncio.sleep(0.5)
    await world.log_out(person)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(stream, PATIENCE)
    assert (await ask(second.url(), "/x", cookie)).status == 401
    await line.close()


async def test_tries_at_a_login_form_are_counted_by_both_together(
    nodes: tuple[World, Place], grr: tuple[Path, int]
) -> None:
    """Two by one node and one by the other: then neither sends a fourth, and the account is not locked."""
    (world, second), (folder, _) = nodes, grr
    (folder / "mood").write_text("fails")
    people = [world.person() for _ in range(3)]
    assert [(await page(world, person))[:3] for person in people[:2]] == ["502", "502"]
    cookies = [world.cookie(person, GRR) for person in people[:2]]
    assert [(await ask(second.url(), "/agenda", cookie, GRR)).status for cookie in cookies] == [502, 503]
    (folder / "mood").write_text("")
    assert (await page(world, people[2])).startswith("503")
    assert (folder / "seen").read_text().count("login ") == 3


async def test_while_the_server_stands_still_nobody_is_sent_to_sign_in_and_then_all_goes_on(
    nodes: tuple[World, Place], valkey: int
) -> None:
    world, second = nodes
    person = await world.signed_in()
    cookie = world.cookie(person)
    leaver = await world.signed_in("bob")
    left = world.cookie(leaver)
    for held in (cookie, left):
        for place in (world.place, second):
            assert await everywhere(place, "/x", held) == {200}
    pid = process_of(valkey)
    os.kill(pid, signal.SIGSTOP)
    try:
        for place in (world.place, second):
            async with asyncio.timeout(PATIENCE):
                while await everywhere(place, "/x", cookie) != {503}:
                    await asyncio.sleep(0.05)
        refused = await ask(second.url(), "/x", cookie)
        assert "retry-after" in {name.lower() for name, _ in refused.headers}
        assert (await ask(second.url(), "/public/x", cookie)).status == 200
        page = await world.log_out(leaver)
        assert (page.status, "cannot record this sign-out" in page.text) == (200, True), page.text
    finally:
        os.kill(pid, signal.SIGCONT)
    for place in (world.place, second):
        async with asyncio.timeout(PATIENCE):
            while await everywhere(place, "/x", cookie) != {200}:
                await asyncio.sleep(0.05)
            while await everywhere(place, "/x", left) != {401}:
                await asyncio.sleep(0.05)


def process_of(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(b"INFO server\r\n")
        return int(read_info(line.recv(1 << 16))["process_id"])
