"""Applications that divide a host by paths: each has its own sign-in, and its own way back."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser_like import Response
from tests.walks.place import ONE, Place
from tests.walks.world import SEAT, World, ask, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIVIDED = "divided.localhost"
WIKI = "  - {path: /wiki/**, allow: signed_in}\n  - {path: /wiki/admin/**, allow: {group: admins}}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("divided"))
    headers = "{{headers: {{{}: {{from: uid}}}}}}"
    place.write_app("wiki", DIVIDED, path="/wiki", access=WIKI, translate=headers.format("X-Wiki-User"))
    place.write_app(
        "forms", DIVIDED, path="/forms", providers="beta", access="  - {path: /forms/**, allow: signed_in}\n",
        translate=headers.format("X-Forms-User"), logout="{cookies: [forms], cookie_paths: [/forms]}",
    )  # fmt: skip
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def test_a_sign_in_leads_back_to_the_application_that_was_asked(world: World) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/page?x=1"))
    page = await person.step("GET", world.place.url(DIVIDED, "/wiki/page?x=1"))
    told = page.json()["headers"]
    assert (page.status, told["x-wiki-user"], "x-forms-user" in told) == (200, "alice", False)


async def test_each_listens_to_its_own_providers(world: World) -> None:
    """One host is one seat: who is signed in by a provider that the other does not list signs in there anew."""
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    cookie = world.cookie(person, DIVIDED)
    assert (await ask(world.place.url(), "/wiki/", cookie, DIVIDED)).status == 200
    assert (await ask(world.place.url(), "/forms/", cookie, DIVIDED)).status == 401
    page = await world.follow(person, await person.step("GET", world.place.url(DIVIDED, "/forms/a")), "bob")
    assert (page.url, page.json()["headers"]["x-forms-user"]) == (world.place.url(DIVIDED, "/forms/a"), "bob")


async def test_the_sign_in_link_is_of_the_application_that_it_leads_to(world: World) -> None:
    for to, user in (("/forms/a", "x-forms-user"), ("/wiki/a", "x-wiki-user")):
        person = world.person()
        page = await person.step("GET", world.place.url(DIVIDED, f"/_ecluse/login?to={to}"))
        page = await world.follow(person, page)
        assert (page.url, page.json()["headers"][user]) == (world.place.url(DIVIDED, to), "alice")
    # A path that is nobody's leads to a page of one of them.
    person = world.person()
    page = await world.follow(person, await person.step("GET", world.place.url(DIVIDED, "/_ecluse/login?to=/nobody")))
    assert page.url in {world.place.url(DIVIDED, "/wiki/"), world.place.url(DIVIDED, "/forms/")}


@pytest.mark.parametrize("path", ["/wiki/", "/forms/"])
async def test_a_code_that_is_used_again_leads_to_the_application_that_it_was_made_for(world: World, path: str) -> None:
    """Without its record, nothing but the link itself says so. What a stranger writes there names no other place."""
    person = world.person()
    page = await person.step("GET", world.place.url(DIVIDED, f"{path}page"))
    page = await world.follow(person, page, before="/_ecluse/enter?")
    enter = page.location
    assert (await person.step("GET", enter, initiator=page.url)).location == world.place.url(DIVIDED, f"{path}page")
    assert (await person.step("GET", enter)).location == world.place.url(DIVIDED, path)
    for to in ("https://evil.example/", "//evil.example/", "/nobody", "/wiki/../x"):
        link = f"{enter.partition('&to=')[0]}&to={to}"
        assert (await person.step("GET", link)).location in {
            world.place.url(DIVIDED, f"/{one}/") for one in ("wiki", "forms")
        }
    assert (await person.step("GET", f"{enter}&to=/x")).status == 400


async def test_signing_out_ends_both_and_clears_the_cookies_of_each(world: World) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    cookie = world.cookie(person, DIVIDED)
    page = await world.log_out(person, DIVIDED)
    cleared = page.history[0].all("Set-Cookie")
    assert "forms=; Path=/forms; Max-Age=0" in cleared
    assert person.jar.get(DIVIDED, SEAT) is None
    assert (await ask(world.place.url(), "/wiki/", cookie, DIVIDED)).status == 401


def ways_on(page: Response) -> set[str]:
    """Without the one to the middle of the page itself."""
    return {link for link in page.links() if not link.endswith("#main")}


@pytest.mark.parametrize("path", ["/wiki/", "/forms/"])
async def test_who_signs_out_is_led_back_to_the_application_that_they_came_from(world: World, path: str) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    logout = world.place.url(DIVIDED, "/_ecluse/logout")
    page = await person.step("GET", logout, [("Referer", world.place.url(DIVIDED, f"{path}page?x=1"))])
    (form,) = page.forms()
    assert form.action == f"{logout}?to={path}"
    page = await person.post(form.action, "", headers=[("Sec-Fetch-Site", "same-origin")])
    assert page.status == 200
    assert ways_on(page) == {world.place.url(DIVIDED, path)}


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example/", "/nobody", "/wiki/..//evil.example", "forms", "/wiki/&to=/forms/"],
)
async def test_whatever_the_address_says_the_way_back_is_a_home_of_this_host(world: World, to: str) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    logout = world.place.url(DIVIDED, f"/_ecluse/logout?to={to}")
    page = await person.post(logout, "", headers=[("Sec-Fetch-Site", "same-origin")])
    assert page.status == 200
    assert ways_on(page) < {world.place.url(DIVIDED, f"/{one}/") for one in ("wiki", "forms")}


async def test_the_rules_of_each_hold_below_its_path_alone(world: World) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    cookie = world.cookie(person, DIVIDED)
    for target, status in (("/wiki/admin/", 403), ("/WIKI/", 400), ("/%77iki/admin/", 400), ("/nobody", 404)):
        assert (await ask(world.place.url(), target, cookie, DIVIDED)).status == status, target


async def test_what_an_application_receives_is_told_by_its_path(world: World) -> None:
    person = await world.signed_in(url=world.place.url(DIVIDED, "/wiki/"))
    cookie = world.cookie(person, DIVIDED)
    reading = await ask(world.place.url(), "/_ecluse/session?to=/wiki/", cookie, DIVIDED)
    assert json.loads(bytes(reading.body))["headers"] == {"X-Wiki-User": "alice"}
    assert (await ask(world.place.url(), "/_ecluse/session?to=/forms/", cookie, DIVIDED)).status == 401
    assert (await ask(world.place.url(), "/", world.cookie(await world.signed_in()), ONE)).status == 200
