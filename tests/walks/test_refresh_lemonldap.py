"""Refresh tokens of LemonLDAP::NG, of its session and beyond it: ahead of expiry, and until it knows them no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from deploy.demo.ports import free
from tests.browser_like import Person
from tests.idp.keys import new_pair
from tests.op.lemonldap import LemonLdapOp, through_lemonldap
from tests.op.walk import browser
from tests.patience import PATIENCE
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, ask, everywhere, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "ofTheTests0123456789"
# Seconds that an access token lives here; it is renewed a quarter of that ahead.
LIFE = 4
# Seconds that a sign-in is new enough for the application `two`, and as many as it takes on a busy machine.
FRESH = 6
REFRESHED = 'ecluse_auth_refreshes_total{provider="alpha",reason="",result="success"}'


@dataclass
class Here:
    world: World
    provider: LemonLdapOp
    offline: bool

    async def signed_in(self, person: Person, at: ClientSession, host: str = ONE) -> str:
        page = await person.step("GET", self.world.place.url(host))
        while not page.location.startswith(self.provider.url):
            page = await person.step("GET", page.location or page.way_on())
        back = await through_lemonldap(at, page.location, self.provider.url, "dwho")
        page = await self.world.follow(person, await person.step("GET", back))
        assert page.status == 200, page.text
        return self.world.cookie(person, host)

    async def forgets(self, at: ClientSession) -> None:
        """The person signs out there; a token of `offline_access` outlives that, until somebody takes it away."""
        async with at.get(f"{self.provider.url}/?logout=1") as page:
            assert page.status == 200, await page.text()
        if self.offline:
            self.provider.forget_refresh_tokens()

    async def used_until(self, cookie: str, event: str, mark: int) -> None:
        """The person goes on, as people do: nothing is refreshed for who is away."""
        async with asyncio.timeout(PATIENCE):
            while not self.world.gateway.lines(mark, event=event):
                await ask(self.world.place.url(), "/x", cookie)
                await asyncio.sleep(0.2)

    async def refreshed(self, cookie: str, times: int) -> None:
        before = (await self.world.gateway.metrics()).get(REFRESHED, 0)
        async with asyncio.timeout(PATIENCE):
            while (await self.world.gateway.metrics()).get(REFRESHED, 0) < before + times:
                assert (await ask(self.world.place.url(), "/x", cookie)).status == 200
                await asyncio.sleep(0.2)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[False, True], ids=["of the session", "offline"])
async def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("refresh"), workers=2)
    offline = bool(request.param)
    client = {
        "ClientSecret": SECRET,
        "RedirectUris": place.portal("/_ecluse/callback/alpha"),
        "IDTokenSignAlg": "RS256",
        "BypassConsent": 1,
        "AccessTokenExpiration": LIFE,
        "RefreshToken": int(not offline),
        "AllowOffline": int(offline),
        "RefreshTokenRotation": 1,
    }
    (port,) = free(1)
    with LemonLdapOp(port, new_pair("op"), clients={"ecluse": client}) as provider:
        provider.start("")
        scopes = "[openid, profile, email, offline_access]" if offline else "[openid, profile, email]"
        told = {"client_id": "ecluse", "client_secret": SECRET, "refresh": "true", "scopes": scopes}
        place.write_only_provider("alpha", provider.url, "badwolf.org", told, "preset: lemonldap\ncan: [fresh_login]\n")
        place.write_app("two", TWO, access=f"  - {{path: /**, allow: {{max_age: {FRESH}s}}}}\n")
        async with opened(place) as world:
            yield Here(world, provider, offline)
            world.gateway.is_clean()


async def test_it_is_asked_ahead_of_the_end_until_it_knows_the_session_no_more(here: Here) -> None:
    world, mark = here.world, here.world.gateway.mark()
    async with browser() as at:
        cookie = await here.signed_in(world.person(), at)
        assert await everywhere(world.place, "/x", cookie) == {200}
        await here.refreshed(cookie, times=3)
        assert not world.gateway.lines(mark, event="refresh.failed")
        await here.forgets(at)
    await here.used_until(cookie, "refresh.ended", mark)
    (line,) = world.gateway.lines(mark, event="refresh.ended")
    assert (line["provider"], line["code"]) == ("alpha", "oidc.refresh.ended")
    assert await everywhere(world.place, "/x", cookie) == {401}


async def test_who_signs_in_once_more_for_another_application_keeps_the_session_of_the_first(here: Here) -> None:
    """The provider says then of the first, too, that the person has just signed in."""
    world, mark = here.world, here.world.gateway.mark()
    person = world.person()
    async with browser() as at:
        cookie = await here.signed_in(person, at)
        await asyncio.sleep(FRESH + 1)
        await here.signed_in(person, at, TWO)
        await here.refreshed(cookie, times=3)
    assert not world.gateway.lines(mark, event="refresh.ended")
