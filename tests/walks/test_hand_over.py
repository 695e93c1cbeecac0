"""One sign-in for every application, a seat for each host, and a code between them that is good once, here, and now."""

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.browser_like import Person, Response
from tests.walks.moved_clock import Clock
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.world import BINDING, SEAT, World, ask, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENTER = "/_ecluse/enter"
LIFE, MOST_TRIES = 30, 50
REFERENCE = re.compile(r"(?<=<code>)[2-9C-Y]{8}(?=</code>)")


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock") / "seconds")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("hand-over"), workers=2)
    async with opened(place, environment=clock.environment) as world:
        yield world
        world.gateway.is_clean()


@pytest.fixture(autouse=True)
def now(clock: Clock) -> Iterator[None]:
    yield
    clock.move(0)


async def to_enter(world: World, person: Person, login: str = "alice", host: str = ONE) -> str:
    """The portal has given its code; the URL on the application's host, not yet asked for."""
    page = await person.step("GET", world.place.url(host, "/page"))
    return (await world.follow(person, page, login, before=ENTER)).location


async def gives_no_seat(world: World, person: Person, url: str, code: str = "", *, host: str = ONE) -> Response:
    """`code`: what the log says of it."""
    mark = world.gateway.mark()
    page = await person.step("GET", url)
    assert person.jar.get(host, SEAT) is None, f"there is a seat on {host}"
    said = {"code": code} if code else {}
    if not page.location:
        assert page.status == 400
        # The line of this very page: that of the one before may still be on its way to the log.
        reference = REFERENCE.search(page.text)
        assert reference is not None
        said["reference"] = reference[0]
    await world.gateway.logged(mark, event="handover.refused", **said)
    return page


async def test_two_applications_on_two_hosts_need_one_sign_in(world: World) -> None:
    person = await world.signed_in()
    asked = len(world.alpha.asked)
    page = await world.follow(person, await person.step("GET", world.place.url(TWO, "/other?x=1")))
    assert (page.status, page.url) == (200, world.place.url(TWO, "/other?x=1"))
    assert page.json()["headers"]["x-remote-user"] == "alice"
    assert len(world.alpha.asked) == asked
    seats = {person.jar.get(host, SEAT) for host in (ONE, TWO, PORTAL_HOST)}
    assert None not in seats
    assert len(seats) == 3


async def test_the_cookie_of_one_application_copied_to_the_other_is_refused(world: World) -> None:
    person = await world.signed_in()
    await world.follow(person, await person.step("GET", world.place.url(TWO)))
    for host, other in ((ONE, TWO), (TWO, ONE), (PORTAL_HOST, ONE), (ONE, PORTAL_HOST)):
        stolen = world.cookie(person, host)
        target = "/_ecluse/sessions" if other == PORTAL_HOST else "/"
        assert (await ask(world.place.url(), target, stolen, other)).status == 401, f"{host} to {other}"
    assert (await ask(world.place.url(), "/", world.cookie(person))).status == 200


async def test_logout_on_one_ends_both(world: World) -> None:
    person = await world.signed_in()
    await world.follow(person, await person.step("GET", world.place.url(TWO)))
    cookies = {host: world.cookie(person, host) for host in (ONE, TWO)}
    assert (await world.log_out(person)).status == 200
    assert person.jar.get(ONE, SEAT) is None
    for host, cookie in cookies.items():
        assert (await ask(world.place.url(), "/", cookie, host)).status == 401


async def test_a_code_used_twice_gives_one_seat(world: World) -> None:
    person = world.person()
    enter = await to_enter(world, person)
    first = await person.step("GET", enter)
    assert first.location == world.place.url(ONE, "/page")
    seat = person.jar.get(ONE, SEAT)
    again = await person.step("GET", enter)
    assert (again.location, again.all("Set-Cookie")) == (world.place.url(ONE), [])
    assert person.jar.get(ONE, SEAT) == seat


async def test_a_code_that_comes_late_is_refused_whoever_brings_it(world: World, clock: Clock) -> None:
    person = world.person()
    enter = await to_enter(world, person)
    clock.move(LIFE + 1)
    page = await gives_no_seat(world, person, enter, "handover.code_gone")
    assert "/_ecluse/start?t=" in page.location, "no clean start"
    await gives_no_seat(world, person, enter, "handover.code_gone")


async def test_a_code_that_comes_just_in_time_is_taken(world: World, clock: Clock) -> None:
    for _ in range(MOST_TRIES):
        clock.move(0)
        began, person = time.monotonic(), world.person()
        enter = await to_enter(world, person)
        clock.move(LIFE - 2)
        page = await person.step("GET", enter)
        # On a busy machine a second goes by, and it came too late.
        if time.monotonic() - began < 1:
            break
    assert page.location == world.place.url(ONE, "/page")
    assert person.jar.get(ONE, SEAT) is not None


async def test_a_code_on_another_host_is_refused_and_then_on_its_own_too(world: World) -> None:
    person = world.person()
    enter = await to_enter(world, person)
    await gives_no_seat(world, person, enter.replace(ONE, TWO), "handover.other_host", host=TWO)
    await gives_no_seat(world, person, enter, "handover.code_gone")


@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "somebody"])
async def test_a_code_in_another_browser_is_refused_and_then_in_its_own_too(world: World, signed_in: bool) -> None:
    person, thief = world.person(), world.person()
    enter = await to_enter(world, person)
    if signed_in:
        await world.follow(thief, await thief.step("GET", world.place.url(TWO)), "bob")
    await thief.step("GET", world.place.url(ONE))
    assert thief.jar.get(ONE, BINDING) is not None
    page = await gives_no_seat(world, thief, enter, "handover.other_browser")
    assert page.all("Set-Cookie") == []
    await gives_no_seat(world, person, enter, "handover.code_gone")


async def test_what_browser_x_began_and_y_finishes_gives_neither_a_session_that_is_not_its_own(world: World) -> None:
    x, y = world.person(), await world.signed_in("bob", world.place.url(TWO))
    begun = await x.step("GET", world.place.url(ONE, "/page"))
    # Y, who is signed in, is lured into finishing it: the code is made for Y's session and X's browser.
    finished = await y.step("GET", begun.location)
    assert ENTER in finished.location
    await gives_no_seat(world, y, finished.location, "handover.other_browser")
    await gives_no_seat(world, x, finished.location, "handover.code_gone")
    # And X goes on: it is asked who it is, and is never Bob.
    page = await world.follow(x, await x.step("GET", world.place.url(ONE, "/page")), "alice")
    assert page.json()["headers"]["x-remote-user"] == "alice"
    page = await world.follow(y, await y.step("GET", world.place.url(ONE, "/page")))
    assert page.json()["headers"]["x-remote-user"] == "bob"
