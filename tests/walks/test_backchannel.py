"""npm oidc-provider tells that a person has signed out there: both workers know before it is answered."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.browser_like import Person
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, signed_out_there, through_provider
from tests.raw_http import Connection
from tests.walks.place import TWO, Place
from tests.walks.world import World, everywhere, opened, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Here:
    world: World
    provider: OpenIdProvider
    by_sid: bool

    async def signed_in(self, at: ClientSession, login: str) -> Person:
        person = self.world.person()
        page = await person.step("GET", self.world.place.url())
        while not page.location.startswith(self.provider.issuer):
            page = await person.step("GET", page.location)
        back = await through_provider(at, page.location, self.provider.issuer, login)
        page = await self.world.follow(person, await person.step("GET", back))
        assert page.status == 200, page.text
        return person


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[True, False], ids=["by sid", "by sub"])
async def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("backchannel"), workers=2)
    client = {
        "client_id": "ecluse",
        "client_secret": "a-secret-of-the-tests",
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
        "backchannel_logout_uri": place.portal("/_ecluse/oidc/backchannel/alpha"),
        "backchannel_logout_session_required": request.param,
    }
    accounts = {name: {"preferred_username": name, "email": f"{name}@corp.example"} for name in ("alice", "bob")}
    features = {"backchannelLogout": {"enabled": True}}
    with OpenIdProvider([client], accounts, features=features) as provider:
        place.write_provider("alpha", provider.issuer)
        async with opened(place) as world:
            yield Here(world, provider, request.param)
            world.gateway.is_clean()


async def test_a_sign_out_at_the_provider_is_in_force_in_every_worker_and_cuts_what_streams(here: Here) -> None:
    world, mark = here.world, here.world.gateway.mark()
    async with browser() as at, browser() as elsewhere:
        person, other = await here.signed_in(at, "alice"), await here.signed_in(elsewhere, "bob")
        await world.follow(person, await person.step("GET", world.place.url(TWO)))
        cookie, second, others = world.cookie(person), world.cookie(person, TWO), world.cookie(other)
        for asked in (cookie, others):
            assert await everywhere(world.place, "/x", asked) == {200}
        stream = await Connection.open(world.place.url())
        streaming = asyncio.create_task(stream.exchange(request("/stream?seconds=30", cookie)))
        await asyncio.sleep(1)
        await signed_out_there(at, here.provider.issuer)
        assert await everywhere(world.place, "/x", cookie) == {401}
        assert await everywhere(world.place, "/x", second, TWO) == {401}
        assert await everywhere(world.place, "/x", others) == {200}
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(streaming, 7)
        await stream.close()
    told = await world.gateway.logged(mark, event="logout.provider")
    assert (told["provider"], told["sessions"]) == ("alpha", 1)
    assert (await world.gateway.metrics())['ecluse_auth_provider_logouts_total{provider="alpha"}'] >= 1


async def test_by_sub_both_browsers_of_a_person_are_signed_out_by_sid_only_the_one(here: Here) -> None:
    world = here.world
    async with browser() as at, browser() as elsewhere:
        one, two = await here.signed_in(at, "alice"), await here.signed_in(elsewhere, "alice")
        await signed_out_there(at, here.provider.issuer)
        assert await everywhere(world.place, "/x", world.cookie(one)) == {401}
        assert await everywhere(world.place, "/x", world.cookie(two)) == {200 if here.by_sid else 401}
    (line,) = world.gateway.lines(event="logout.provider")[-1:]
    assert line["sessions"] == (1 if here.by_sid else 2)
