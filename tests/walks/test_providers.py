"""Several providers on one application: the person chooses, and each application hears its own alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser_like import Person, Response
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Application one listens to both providers, two to alpha alone."""
    place = Place(tmp_path_factory.mktemp("providers"))
    both = "{headers: {X-Remote-User: {from: uid}, X-Provider: {from: provider}}}"
    place.write_app("one", ONE, providers="alpha, beta", translate=both)
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def chosen(world: World, person: Person, page: Response, provider: str, login: str) -> Response:
    """From the chooser page on, by one of its links."""
    (link,) = (link for link in page.links() if link.endswith(f"provider={provider}"))
    return await world.follow(person, await person.step("GET", link, initiator=page.url), login)


async def chooser(world: World, person: Person) -> Response:
    return await world.follow(person, await person.step("GET", world.place.url(ONE, "/page?x=1")))


@pytest.mark.parametrize("provider", ["alpha", "beta"])
async def test_the_person_chooses_on_a_plain_page_and_comes_back_to_the_page_asked_for(
    world: World, provider: str
) -> None:
    person = world.person()
    page = await chooser(world, person)
    assert (page.status, page.origin) == (200, world.place.portal(""))
    assert sorted(link.rpartition("=")[2] for link in page.links() if "provider=" in link) == ["alpha", "beta"]
    page = await chosen(world, person, page, provider, "alice")
    assert page.url == world.place.url(ONE, "/page?x=1")
    told = page.json()["headers"]
    assert (told["x-remote-user"], told["x-provider"]) == ("alice", provider)


async def test_who_came_by_another_provider_signs_in_again_and_is_that_person_everywhere(world: World) -> None:
    person = world.person()
    page = await chosen(world, person, await chooser(world, person), "beta", "alice")
    assert page.json()["headers"]["x-provider"] == "beta"
    asked = len(world.alpha.asked)
    page = await world.follow(person, await person.step("GET", world.place.url(TWO)), "bob")
    assert page.json()["headers"]["x-remote-user"] == "bob"
    assert len(world.alpha.asked) == asked + 1
    # Invariant 12: one browser is one person at a time. The seat of beta's alice has ended.
    page = await world.follow(person, await person.step("GET", world.place.url(ONE)), "bob")
    assert (page.json()["headers"]["x-provider"], page.json()["headers"]["x-remote-user"]) == ("alpha", "bob")


async def test_one_sign_out_ends_what_both_hosts_have(world: World) -> None:
    person = world.person()
    await chosen(world, person, await chooser(world, person), "beta", "alice")
    await world.follow(person, await person.step("GET", world.place.url(TWO)), "bob")
    assert (await world.log_out(person, TWO)).status == 200
    for host in (ONE, TWO):
        assert (await person.step("GET", world.place.url(host))).status == 303


async def test_a_provider_that_the_application_does_not_list_cannot_be_chosen(world: World) -> None:
    person, mark = world.person(), world.gateway.mark()
    begun = await person.step("GET", world.place.url(TWO))
    forced = begun.location.replace("/start?", "/login?") + "&provider=beta"
    page = await person.step("GET", forced)
    assert (page.status, page.location) == (404, "")
    await world.gateway.logged(mark, event="login.refused", code="login.unknown_provider")


async def test_a_provider_that_is_down_says_so_and_the_other_still_serves(world: World) -> None:
    mark, good = world.gateway.mark(), world.place.read("providers/beta.yaml")
    world.place.write("providers/beta.yaml", good.replace(f":{world.place.provider_port}/", ":1/"))
    await world.gateway.reload()
    person = world.person()
    page = await chosen(world, person, await chooser(world, person), "beta", "alice")
    assert page.status == 502
    assert (await world.gateway.logged(mark, event="provider.unreachable"))["reference"] in page.text
    page = await chosen(world, person, await chooser(world, person), "alpha", "alice")
    assert page.json()["headers"]["x-provider"] == "alpha"
    world.place.write("providers/beta.yaml", good)
    await world.gateway.reload()


async def test_a_perimeter_that_is_narrowed_holds_for_who_is_signed_in_already(world: World) -> None:
    good, narrower = world.place.read("providers/alpha.yaml"), "email_domains: [elsewhere.example]"
    person = await world.signed_in("bob", world.place.url(TWO))
    assert (await person.step("GET", world.place.url(TWO))).status == 200
    mark = world.gateway.mark()
    world.place.write(
        "providers/alpha.yaml", good.replace("email_domains: [corp.example, root.corp.example]", narrower)
    )
    await world.gateway.reload()
    page = await world.follow(person, await person.step("GET", world.place.url(TWO)), "bob")
    assert page.status == 403
    await world.gateway.logged(mark, event="login.refused", code="login.outside_perimeter")
    world.place.write("providers/alpha.yaml", good)
    await world.gateway.reload()
    assert (await person.step("GET", world.place.url(TWO))).status == 200, "the session is as it was"
