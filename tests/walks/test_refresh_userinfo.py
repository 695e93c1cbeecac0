"""A person loses a group at the provider: at the next refresh it is lost here, in both workers, and streams cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.raw_http import Connection
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, everywhere, opened, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Seconds between two refreshes.
LIFE = 3
WITHIN = 60.0
RULES = """\
  - {path: /**, allow: signed_in}
  - {path: /admin/**, allow: {group: admins}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("refresh_userinfo"), workers=2)
    issuer = f"http://127.0.0.1:{place.provider_port}/alpha"
    place.write_provider("alpha", issuer, refresh="true", refresh_userinfo="true")
    for name, host in (("one", ONE), ("two", TWO)):
        place.write_app(name, host, access=RULES)
    async with opened(place) as world:
        world.alpha.lifetime = LIFE
        yield world
        world.gateway.is_clean()


async def everywhere_becomes(world: World, target: str, cookie: str, host: str, status: int) -> None:
    async with asyncio.timeout(WITHIN):
        while await everywhere(world.place, target, cookie, host) != {status}:
            await asyncio.sleep(0.2)


async def test_a_group_that_is_lost_there_is_lost_here_and_one_that_is_given_is_here(world: World) -> None:
    person = await world.signed_in("root")
    await world.follow(person, await person.step("GET", world.place.url(TWO)), "root")
    cookies = {host: world.cookie(person, host) for host in (ONE, TWO)}
    for host, cookie in cookies.items():
        assert await everywhere(world.place, "/admin/x", cookie, host) == {200}
    stream, seen = await Connection.open(world.place.url()), world.upstream.requests
    streaming = asyncio.create_task(stream.exchange(request("/admin/stream?seconds=300", cookies[ONE])))
    async with asyncio.timeout(WITHIN):
        while world.upstream.requests == seen:
            await asyncio.sleep(0.05)
    asked = len(world.alpha.asked)
    world.alpha.people["root"]["groups"] = ["users"]
    for host, cookie in cookies.items():
        await everywhere_becomes(world, "/admin/x", cookie, host, 403)
        assert await everywhere(world.place, "/x", cookie, host) == {200}
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(streaming, WITHIN)
    await stream.close()
    world.alpha.people["root"]["groups"] = ["users", "admins"]
    for host, cookie in cookies.items():
        await everywhere_becomes(world, "/admin/x", cookie, host, 200)
    assert len(world.alpha.asked) == asked, "nobody went to the provider for it"


async def test_who_is_no_longer_one_of_ours_is_signed_out(world: World) -> None:
    person, mark = await world.signed_in("bob"), world.gateway.mark()
    cookie = world.cookie(person)
    assert await everywhere(world.place, "/x", cookie) == {200}
    world.alpha.people["bob"]["email"] = "bob@evil.example"
    await everywhere_becomes(world, "/x", cookie, ONE, 401)
    await world.gateway.logged(mark, event="refresh.ended", code="login.outside_perimeter")
