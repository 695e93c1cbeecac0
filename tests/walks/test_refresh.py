"""Refresh tokens of npm oidc-provider, which rotates them: fifty requests at the moment of expiry, two workers."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.browser_like import Person
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.patience import PATIENCE
from tests.walks.moved_clock import Clock
from tests.walks.place import Place
from tests.walks.world import World, ask, everywhere, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Seconds that an access token lives here; it is renewed a quarter of that ahead.
LIFE = 4
# Seconds for which no second attempt with the same token is made: the first request may have come through.
HELD = 60
REFRESHED = 'ecluse_auth_refreshes_total{provider="alpha",reason="",result="success"}'


@dataclass
class Here:
    world: World
    provider: OpenIdProvider
    clock: Clock

    async def signed_in(self, login: str) -> Person:
        person = self.world.person()
        page = await person.step("GET", self.world.place.url())
        while not page.location.startswith(self.provider.issuer):
            page = await person.step("GET", page.location)
        async with browser() as at:
            back = await through_provider(at, page.location, self.provider.issuer, login)
        page = await self.world.follow(person, await person.step("GET", back))
        assert page.status == 200, page.text
        return person

    async def refreshed(self, least: float = 0) -> float:
        """As soon as it is so often."""
        return (await self.world.gateway.measured(lambda told: told.get(REFRESHED, 0) >= least)).get(REFRESHED, 0)


def made(place: Place, port: int = 0) -> OpenIdProvider:
    client = {
        "client_id": "ecluse",
        "client_secret": "a-secret-of-the-tests",
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    accounts = {name: {"preferred_username": name, "email": f"{name}@corp.example"} for name in ("alice", "bob")}
    options = {"ttl": {"AccessToken": LIFE}, "scopes": ["openid", "profile", "email", "offline_access"]}
    return OpenIdProvider([client], accounts, options=options, port=port)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("refresh"), workers=2)
    clock = Clock(place.folder / "seconds")
    with made(place) as provider:
        more = {
            "refresh": "true",
            "scopes": "[openid, profile, email, offline_access]",
            "request": "{prompt: [consent]}",
        }
        place.write_provider("alpha", provider.issuer, **more)
        async with opened(place, environment=clock.environment) as world:
            yield Here(world, provider, clock)
            world.gateway.is_clean()


async def test_fifty_requests_at_the_moment_of_expiry_cause_one_refresh(here: Here) -> None:
    world = here.world
    cookie = world.cookie(await here.signed_in("alice"))
    assert await everywhere(world.place, "/x", cookie) == {200}
    before, began = await here.refreshed(), time.monotonic()
    await asyncio.sleep(LIFE)
    answers = await asyncio.gather(*(ask(world.place.url(), f"/{number}", cookie) for number in range(50)))
    assert {answer.status for answer in answers} == {200}
    # One for each life of a token, and on a busy machine that may be more than one.
    assert await here.refreshed(before + 1) <= before + 1 + (time.monotonic() - began - LIFE) / (LIFE / 2)
    # The token was rotated: a second use of the old one would have ended the session.
    for _ in range(3):
        await asyncio.sleep(LIFE)
        answers = await asyncio.gather(*(ask(world.place.url(), f"/{number}", cookie) for number in range(20)))
        assert {answer.status for answer in answers} == {200}
    assert not world.gateway.lines(event="refresh.ended")
    text = world.gateway.text()
    assert "refresh_token" not in text


async def test_while_the_provider_is_away_the_session_stands_and_when_it_knows_it_no_more_it_ends(here: Here) -> None:
    world = here.world
    cookie, mark = world.cookie(await here.signed_in("bob")), world.gateway.mark()
    assert await everywhere(world.place, "/x", cookie) == {200}
    port = int(here.provider.issuer.rpartition(":")[2])
    here.provider.stop()
    await asyncio.sleep(LIFE)
    assert (await ask(world.place.url(), "/x", cookie)).status == 200
    await world.gateway.logged(mark, event="refresh.failed")
    assert await everywhere(world.place, "/x", cookie) == {200}
    # Another provider at its place: what it granted is gone.
    with made(world.place, port):
        here.clock.move(HELD)
        async with asyncio.timeout(PATIENCE):
            while not world.gateway.lines(mark, event="refresh.ended"):
                await ask(world.place.url(), "/x", cookie)
                await asyncio.sleep(0.5)
        assert await everywhere(world.place, "/x", cookie) == {401}
