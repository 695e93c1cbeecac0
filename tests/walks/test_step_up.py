"""A page that asks for more than the session has, through two workers and npm oidc-provider."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.browser_like import Person, Response
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.walks.moved_clock import Clock
from tests.walks.place import ONE, Place
from tests.walks.world import World, everywhere, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """\
  - {path: /**, allow: signed_in}
  - {path: /admin/**, allow: {acr_min: eidas2}}
  - {path: /recent/**, allow: {max_age: 10m}}
"""


@dataclass
class Here:
    world: World
    provider: OpenIdProvider
    clock: Clock

    async def goes(self, person: Person, at: ClientSession, target: str, login: str) -> tuple[Response, list[str]]:
        """To where the way ends; what the provider was asked on it, each time."""
        page, asked = await person.step("GET", self.world.place.url(ONE, target)), []
        for _ in range(30):
            link = page.location or page.way_on()
            if link.startswith(self.provider.issuer):
                asked.append(link)
                # The provider's clock is not moved.
                self.clock.move(0)
                link = await through_provider(at, link, self.provider.issuer, login)
            if not link:
                break
            page = await person.step("GET", link)
        return page, asked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place, clock = (
        Place(tmp_path_factory.mktemp("step_up"), workers=2),
        Clock(tmp_path_factory.mktemp("clock") / "seconds"),
    )
    place.write_app("one", ONE, access=RULES)
    client = {
        "client_id": "ecluse",
        "client_secret": "a-secret-of-the-tests",
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
    }
    accounts = {name: {"preferred_username": name, "email": f"{name}@corp.example"} for name in ("alice", "bob")}
    options = {"acrValues": ["eidas1", "eidas2", "eidas3"]}
    with OpenIdProvider([client], accounts, options=options, features={"claimsParameter": {"enabled": True}}) as op:
        place.write_provider("alpha", op.issuer)
        text = place.read("providers/alpha.yaml")
        place.write("providers/alpha.yaml", f"{text}can: [acr, fresh_login]\nlevels: {{ask: claims}}\n")
        async with opened(place, environment=clock.environment) as world:
            yield Here(world, op, clock)
            world.gateway.is_clean()


async def test_a_stronger_sign_in_opens_the_page_and_is_asked_for_once(here: Here) -> None:
    person = here.world.person()
    async with browser() as at:
        page, _ = await here.goes(person, at, "/", "alice/eidas1")
        assert page.status == 200
        weak = here.world.cookie(person)
        # What is no navigation is told by a 401 with the way to sign in, in every worker.
        assert await everywhere(here.world.place, "/admin/x", weak) == {401}
        refused = await person.script(here.world.place.url(ONE, "/admin/x"))
        assert refused.json()["error"] == "session.too_weak"
        assert refused.json()["login_url"].endswith("&level=eidas2")
        page, asked = await here.goes(person, at, "/admin/x?a=1", "alice/eidas2")
        assert (page.status, page.url) == (200, here.world.place.url(ONE, "/admin/x?a=1"))
        assert ["eidas2" in each for each in asked] == [True]
        strong = here.world.cookie(person)
        assert strong != weak
        assert await everywhere(here.world.place, "/admin/x", strong) == {200}


async def test_an_age_is_counted_on_each_request_and_asked_for_anew(here: Here) -> None:
    person = here.world.person()
    async with browser() as at:
        page, _ = await here.goes(person, at, "/recent/x", "bob/eidas1")
        assert page.status == 200
        cookie = here.world.cookie(person)
        assert await everywhere(here.world.place, "/recent/x", cookie) == {200}
        here.clock.move(601)
        assert await everywhere(here.world.place, "/recent/x", cookie) == {401}
        assert await everywhere(here.world.place, "/", cookie) == {200}
        page, asked = await here.goes(person, at, "/recent/x", "bob/eidas1")
        assert page.status == 200
        assert ["max_age=600" in each for each in asked] == [True]


async def test_nobody_signed_in_makes_one_trip_to_the_provider_for_a_page_that_asks_for_more(here: Here) -> None:
    person = here.world.person()
    refused = await person.script(here.world.place.url(ONE, "/admin/x"))
    assert refused.json()["error"] == "session.required"
    assert refused.json()["login_url"].endswith("&level=eidas2")
    async with browser() as at:
        page, asked = await here.goes(person, at, "/admin/x", "alice/eidas2")
        assert (page.status, page.url) == (200, here.world.place.url(ONE, "/admin/x"))
        assert ["eidas2" in each for each in asked] == [True]
