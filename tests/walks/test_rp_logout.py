"""Signing out of an application and of npm oidc-provider in one, by the application's own link."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.browser_like import Person, Response
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, confirm_sign_out, through_provider
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, everywhere, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOGOUT = "{scope: global, links: [/sortir, /app/~logout.*], url: /bye, cookies: [PHPSESSID]}"


@dataclass
class Here:
    world: World
    provider: OpenIdProvider
    method: str

    async def signed_in(self, at: ClientSession) -> Person:
        person = self.world.person()
        page = await self.to_provider(person)
        back = await through_provider(at, page.location, self.provider.issuer, "alice")
        page = await self.world.follow(person, await person.step("GET", back))
        assert page.status == 200, page.text
        return person

    async def to_provider(self, person: Person) -> Response:
        page = await person.step("GET", self.world.place.url())
        while not page.location.startswith(self.provider.issuer):
            page = await person.step("GET", page.location)
        return page


# What oidc-provider asks for before it takes a form at its authorization and logout endpoints.
TAKES_POST = {
    "enableHttpPostMethods": True,
    "cookies": {"keys": ["of-the-tests"], "long": {"sameSite": "none"}, "short": {"sameSite": "none"}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["post", "get"])
async def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("rp_logout"), workers=2)
    place.write_app("one", ONE, logout=LOGOUT)
    client = {
        "client_id": "ecluse",
        "client_secret": "a-secret-of-the-tests",
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
        "post_logout_redirect_uris": [place.portal("/_ecluse/logged-out")],
    }
    accounts = {"alice": {"preferred_username": "alice", "email": "alice@corp.example"}}
    with OpenIdProvider([client], accounts, options=TAKES_POST if request.param == "post" else None) as provider:
        place.write_provider("alpha", provider.issuer)
        text = place.read("providers/alpha.yaml")
        place.write("providers/alpha.yaml", f"{text}logout: {{method: {request.param}}}\n")
        async with opened(place) as world:
            yield Here(world, provider, request.param)
            world.gateway.is_clean()


@pytest.mark.parametrize("link", ["/sortir", "/app/logout.do?next=%2F"])
async def test_the_applications_link_signs_out_here_and_there(here: Here, link: str) -> None:
    world = here.world
    async with browser() as at:
        person = await here.signed_in(at)
        await world.follow(person, await person.step("GET", world.place.url(TWO)))
        cookie, second = world.cookie(person), world.cookie(person, TWO)
        seen = world.upstream.requests
        page = await person.step("GET", world.place.url(ONE, link), initiator=world.place.url())
        assert page.status == 200
        assert "PHPSESSID=; Path=/; Max-Age=0" in page.all("Set-Cookie")
        # The application has had the one call at /bye, and the link itself never came to it.
        assert world.upstream.requests == seen + 1
        assert await everywhere(world.place, "/x", cookie) == {401}
        assert await everywhere(world.place, "/x", second, TWO) == {401}
        if here.method == "post":
            (form,) = page.forms()
            assert (form.method, form.action) == ("post", f"{here.provider.issuer}/session/end")
            back = await confirm_sign_out(at, form.action, dict(form.fields))
        else:
            _skip, onward = page.links()
            assert onward.startswith(f"{here.provider.issuer}/session/end?id_token_hint=")
            back = await confirm_sign_out(at, onward)
        assert back.startswith(world.place.portal("/_ecluse/logged-out?state="))
        page = await person.step("GET", back)
        assert (page.status, "You are signed out" in page.text, page.location) == (200, True, "")
        # It does not sign in again by itself; whoever asks for it types a password again.
        asked = (await here.to_provider(person)).location + "&prompt=none"
        assert "error=login_required" in await through_provider(at, asked, here.provider.issuer, "alice")


async def test_a_link_of_another_site_shows_the_form_alone(here: Here) -> None:
    async with browser() as at:
        person = await here.signed_in(at)
        page = await person.step("GET", here.world.place.url(ONE, "/sortir"), initiator="https://evil.example/")
        assert [form.action for form in page.forms()] == [here.world.place.url(ONE, "/_ecluse/logout")]
        assert await everywhere(here.world.place, "/x", here.world.cookie(person)) == {200}
