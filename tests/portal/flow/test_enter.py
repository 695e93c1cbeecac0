"""The hand-over code on an app host: once, in time, on its host, in its browser."""

import asyncio

import pytest

from gateway.model.session import SeatLimits
from tests.portal.browser import Browser
from tests.portal.flow.test_start import begun
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation

OTHER = "autre.localhost"


async def handed_over(here: Installation, browser: Browser, host: str = ACTES) -> str:
    """The URL of `enter` for this browser, signed in on the portal, not yet visited."""
    if "__Host-ecluse" not in browser.jar.get(PORTAL, {}):
        await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    return (await browser.get(await begun(here, browser, host), follow=False)).location


def seatless(browser: Browser, host: str = ACTES) -> bool:
    return "__Host-ecluse" not in browser.jar.get(host, {})


async def test_a_code_gives_a_seat_and_the_page_asked_for(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(await handed_over(here, browser), follow=False)
    assert (reply.status, reply.location) == (303, here.url(ACTES, "/plan"))
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    assert seat.identity.subject == "alice"


async def test_the_limits_are_those_of_the_app(here: Installation) -> None:
    here.change("actes", seat_limits=SeatLimits(idle=60, absolute=100))
    browser = here.browser()
    await browser.get(await handed_over(here, browser))
    cookies = {host: browser.jar[host]["__Host-ecluse"].encode() for host in (ACTES, PORTAL)}
    here.clock.ahead += 61
    assert await here.sessions.load(ACTES, cookies[ACTES]) is None
    assert await here.sessions.load(PORTAL, cookies[PORTAL]) is not None


async def test_a_code_used_twice_goes_on_to_the_app_where_there_is_a_seat(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    await browser.get(enter)
    seat = browser.jar[ACTES]["__Host-ecluse"]
    again = await browser.get(enter, follow=False)
    assert (again.status, again.location, again.set_cookies) == (303, here.url(ACTES), [])
    assert browser.jar[ACTES]["__Host-ecluse"] == seat
    assert here.codes() == ["handover.code_gone"]


async def test_a_code_used_twice_without_a_seat_is_one_clean_start_and_then_the_page(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    await browser.get(enter)
    del browser.jar[ACTES]["__Host-ecluse"]
    again = await browser.get(enter, follow=False)
    assert again.location.startswith(here.url(PORTAL, "/_ecluse/start?t="))
    last = await browser.get(enter, follow=False)
    assert (last.status, "We cannot complete your sign-in" in last.text) == (400, True)
    assert seatless(browser)
    assert here.codes() == ["handover.code_gone", "handover.code_gone", "login.loop"]


SUBRESOURCES = [{"Sec-Fetch-Dest": destination} for destination in ("image", "iframe", "empty", "script")]


@pytest.mark.parametrize("headers", SUBRESOURCES)
async def test_a_made_up_code_of_a_subresource_begins_nothing(here: Installation, headers: dict[str, str]) -> None:
    """K152: any site's image, frame or script could begin sign-ins in a person's browser."""
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, "/_ecluse/enter?code=garbage"), **headers)
    assert (reply.status, reply.set_cookies) == (401, [])
    assert here.store.open_tickets == {}


async def test_a_made_up_code_sets_one_binding(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, "/_ecluse/enter?code=garbage"), follow=False)
    values = {line.partition(";")[0].partition("=")[2] for line in reply.set_cookies}
    assert (reply.status, len(values), len(reply.set_cookies)) == (303, 1, 2), "the binding, and its twin"
    assert (await browser.get(reply.location)).text == "actes for alice"


async def test_a_clean_start_ends_on_the_home_page(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    await browser.get(enter)
    del browser.jar[ACTES]["__Host-ecluse"]
    reply = await browser.get(enter)
    assert (reply.text, reply.url) == ("actes for alice", here.url(ACTES))


async def test_a_code_that_came_late_is_refused(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    here.clock.ahead += 31
    reply = await browser.get(enter, follow=False)
    assert "start?t=" in reply.location
    assert seatless(browser)
    assert here.codes() == ["handover.code_gone"]


async def test_a_code_on_another_host_is_refused_and_burnt(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    await begun(here, browser, PERMIS)
    elsewhere = await browser.get(enter.replace(ACTES, PERMIS))
    assert (elsewhere.status, seatless(browser, PERMIS)) == (400, True)
    await browser.get(enter, follow=False)
    assert seatless(browser)
    assert here.codes() == ["handover.other_host", "handover.code_gone"]


async def test_a_code_on_another_host_of_the_same_application_is_refused(here: Installation) -> None:
    """Each host has a cookie of its own; the code was asked for by this browser on the other one."""
    here.change("actes", hosts=(ACTES, OTHER))
    browser = here.browser()
    enter = await handed_over(here, browser)
    browser.jar[OTHER] = dict(browser.jar[ACTES])
    elsewhere = await browser.get(enter.replace(ACTES, OTHER))
    assert (elsewhere.status, seatless(browser, OTHER)) == (400, True)
    assert here.codes() == ["handover.other_host"]


async def test_a_code_in_another_browser_is_refused_and_burnt(here: Installation) -> None:
    """K152, CS01: session swap."""
    browser, other = here.browser("xavier"), here.browser("yvonne")
    enter = await handed_over(here, browser)
    await begun(here, other)
    reply = await other.get(enter)
    assert (reply.status, seatless(other)) == (400, True)
    await browser.get(enter, follow=False)
    assert seatless(browser)
    assert here.codes() == ["handover.other_browser", "handover.code_gone"]


async def test_a_code_in_a_browser_without_a_binding_is_refused(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    browser.jar[ACTES] = {}
    assert (await browser.get(enter)).status == 400
    assert here.codes() == ["handover.other_browser"]


async def test_a_code_of_a_session_that_has_ended_is_refused(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    assert (await browser.get(enter)).status == 400
    assert seatless(browser)


async def test_a_code_of_a_provider_that_the_app_no_longer_lists_is_refused(here: Installation) -> None:
    """Invariant 5."""
    browser = here.browser()
    enter = await handed_over(here, browser)
    here.change("actes", providers=("departement",))
    assert (await browser.get(enter)).status == 404
    assert seatless(browser)
    assert here.codes() == ["login.unknown_provider"]


async def test_a_code_sent_eight_times_at_once_gives_one_seat(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    replies = await asyncio.gather(*(browser.get(enter, follow=False) for _ in range(8)))
    seats = [line for reply in replies for line in reply.set_cookies if line.startswith("__Host-ecluse=")]
    assert len(seats) == 1


async def test_an_older_seat_of_this_browser_on_this_host_ends(here: Installation) -> None:
    browser = here.browser()
    await browser.get(await handed_over(here, browser))
    older = browser.jar[ACTES]["__Host-ecluse"].encode()
    here.clock.ahead += 60
    await browser.get(await handed_over_again(here, browser))
    here.clock.ahead += 10
    assert browser.jar[ACTES]["__Host-ecluse"].encode() != older
    assert await here.sessions.load(ACTES, older) is None


async def test_a_seat_of_another_session_that_the_browser_brought_ends_too(here: Installation) -> None:
    browser = here.browser()
    await browser.get(await handed_over(here, browser))
    older = browser.jar[ACTES]["__Host-ecluse"].encode()
    browser.jar[PORTAL] = {}
    here.clock.ahead += 60
    await browser.get(await handed_over_again(here, browser))
    here.clock.ahead += 10
    assert browser.jar[ACTES]["__Host-ecluse"].encode() != older
    assert await here.sessions.load(ACTES, older) is None


async def handed_over_again(here: Installation, browser: Browser) -> str:
    """As a challenge for another reason would: with the seat still in the jar, but not sent."""
    seat = browser.jar[ACTES].pop("__Host-ecluse")
    enter = await handed_over(here, browser)
    browser.jar[ACTES]["__Host-ecluse"] = seat
    return enter


async def test_a_seat_copied_to_another_host_is_refused(here: Installation) -> None:
    browser = here.browser()
    await browser.get(await handed_over(here, browser))
    browser.jar[PERMIS] = {"__Host-ecluse": browser.jar[ACTES]["__Host-ecluse"]}
    assert (await browser.get(here.url(PERMIS), follow=False)).status == 303
    browser.jar[PERMIS] = {"__Host-ecluse": browser.jar[PORTAL]["__Host-ecluse"]}
    assert (await browser.get(here.url(PERMIS), follow=False)).status == 303


@pytest.mark.parametrize("query", ["", "?code=", "?x=1"])
async def test_no_code_is_no_step(here: Installation, query: str) -> None:
    reply = await here.browser().get(here.url(ACTES, f"/_ecluse/enter{query}"))
    assert (reply.status, here.codes()) == (400, ["handover.code_gone"])


async def test_two_codes_are_refused_and_neither_is_used(here: Installation) -> None:
    browser = here.browser()
    enter = await handed_over(here, browser)
    code = enter.partition("code=")[2]
    assert (await browser.get(f"{enter}&code={code}")).status == 400
    assert (await browser.get(enter)).text == "actes for alice"
