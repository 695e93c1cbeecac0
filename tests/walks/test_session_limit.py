"""`limits.sessions_per_person` against a gateway that runs: the oldest browser is out in every worker, and told why."""

import time
from pathlib import Path

from tests.patience import until
from tests.walks.place import ONE, Place
from tests.walks.world import everywhere, opened


async def next_second() -> None:
    """Which of two sign-ins is older is told by whole seconds."""
    began = int(time.time())
    await until(lambda: int(time.time()) > began)


async def test_a_third_browser_ends_the_first_in_every_worker_and_its_page_says_why(tmp_path: Path) -> None:
    place = Place(tmp_path, workers=2, settings={"limits": "{sessions_per_person: 2}"})
    async with opened(place) as world:
        mark = world.gateway.mark()
        bob, people = world.cookie(await world.signed_in("bob")), []
        for _ in range(3):
            people.append(await world.signed_in())
            await next_second()
        cookies = [world.cookie(person) for person in people]
        assert [await everywhere(place, "/x", cookie) for cookie in (*cookies, bob)] == [{401}, {200}, {200}, {200}]
        page = await people[0].step("GET", place.url(ONE, "/x"))
        assert (page.status, "You have signed in elsewhere" in page.text) == (401, True)
        assert (await world.follow(people[0], await people[0].step("GET", place.url(ONE, "/x")))).status == 200
        assert [await everywhere(place, "/x", cookie) for cookie in (*cookies, bob)] == [{401}, {401}, {200}, {200}]
        await world.gateway.logged(mark, event="session.limited", sessions=1, number=2)
        await world.gateway.logged(mark, event="request.refused", code="session.limit")
        await world.gateway.measured(lambda read: read["ecluse_auth_sessions_limited_total"] == 2)
        world.gateway.is_clean()
