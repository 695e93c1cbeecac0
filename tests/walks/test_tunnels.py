"""WebSockets of several workers end together: at a sign-out, here or at the provider, at a reload, and at a stop."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.attacks.openid_logout import EVENT
from tests.attacks.provider import sign
from tests.browser.notebook import Notebook
from tests.patience import PATIENCE, until
from tests.walks.place import ONE, Place
from tests.walks.world import World, opened

WORKERS, TUNNELS = 3, 12

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notebook() -> AsyncIterator[tuple[Notebook, int]]:
    notebook = Notebook()
    yield notebook, await notebook.start()
    await notebook.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, notebook: tuple[Notebook, int]) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("tunnels"), workers=WORKERS)
    write(place, notebook[1], tunnel="{protocols: [websocket]}")
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


def write(place: Place, port: int, **more: str) -> None:
    place.write_app("one", ONE, upstream=f"{{url: http://127.0.0.1:{port}}}", **more)


def to(world: World, cookie: str) -> connect:
    place = world.place
    return connect(
        f"ws://{ONE}:{place.port}/ws", host="127.0.0.1", port=place.port, origin=place.url(target=""),  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
    )  # fmt: skip


async def several(world: World, cookie: str, number: int) -> list[ClientConnection]:
    found = list(await asyncio.gather(*(to(world, cookie) for _ in range(number))))
    assert {str(await one.recv())[:6] for one in found} == {"hello "}
    return found


async def told(connections: Sequence[ClientConnection]) -> set[tuple[int | None, str | None]]:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(one.wait_closed() for one in connections))
    return {(one.close_code, one.close_reason) for one in connections}


async def only_hers_have_ended(world: World, cookie: str, his: Sequence[ClientConnection]) -> None:
    for one in his:
        await one.send("still")
        assert await one.recv() == "you said still"
    with pytest.raises(InvalidStatus) as refused:
        await to(world, cookie)
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["Content-Type"].startswith("application/json")


async def test_invariant_12_a_sign_out_ends_them_in_every_worker_and_nobody_elses(
    world: World, notebook: tuple[Notebook, int]
) -> None:
    alice, bob = await world.signed_in(), await world.signed_in("bob")
    cookie = world.cookie(alice)
    hers, his = await several(world, cookie, TUNNELS), await several(world, world.cookie(bob), 2)
    await world.gateway.measured(lambda metrics: metrics["ecluse_tunnels"] == TUNNELS + 2)
    assert (await world.log_out(alice)).status == 200
    assert await told(hers) == {(1008, "signed out")}
    await only_hers_have_ended(world, cookie, his)
    await until(lambda: len(notebook[0].ends) >= TUNNELS)
    assert notebook[0].ends == [1008] * TUNNELS
    await asyncio.gather(*(one.close() for one in his))


async def test_invariant_12_what_their_provider_ends_from_the_back_ends_them_and_nobody_elses(
    world: World, notebook: tuple[Notebook, int]
) -> None:
    cookie, begun = world.cookie(await world.signed_in()), len(notebook[0].ends)
    hers = await several(world, cookie, TUNNELS)
    his = await several(world, world.cookie(await world.signed_in("bob")), 2)
    now = int(time.time())
    claims = {"iss": world.alpha.url, "aud": "ecluse", "iat": now, "exp": now + 120, "jti": "one of the tests'",
              "sub": "alice", "events": {EVENT: {}}}  # fmt: skip
    token = sign(claims, world.alpha.signing_key, typ="logout+jwt")
    provider = world.person()
    answer = await provider.post(world.place.portal("/_ecluse/oidc/backchannel/alpha"), f"logout_token={token}")
    assert answer.status == 200
    assert await told(hers) == {(1008, "signed out")}
    await until(lambda: notebook[0].ends[begun:].count(1008) == TUNNELS)
    await only_hers_have_ended(world, cookie, his)
    await asyncio.gather(*(one.close() for one in his))


async def test_invariant_12_a_reload_that_takes_none_ends_them(world: World, notebook: tuple[Notebook, int]) -> None:
    tunnels = await several(world, world.cookie(await world.signed_in()), TUNNELS)
    write(world.place, notebook[1])
    await world.gateway.reload()
    assert await told(tunnels) == {(1008, "no longer allowed")}
    write(world.place, notebook[1], tunnel="{protocols: [websocket]}")
    await world.gateway.reload()


async def test_a_gateway_that_stops_says_so(world: World) -> None:
    tunnels = await several(world, world.cookie(await world.signed_in()), TUNNELS)
    ended = asyncio.create_task(world.gateway.stop())
    assert await told(tunnels) == {(1012, "service restart")}
    assert await ended == 0
