"""On the portal: what comes next for a transaction."""

import asyncio
from dataclasses import replace

import pytest

from gateway.model.levels import ProviderLevels
from gateway.model.session import SeatLimits
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation


async def begun(here: Installation, browser: Browser, host: str = ACTES, target: str = "/plan") -> str:
    """The URL of `start` for a new transaction of this browser."""
    return (await browser.get(here.url(host, target), follow=False)).location


@pytest.mark.parametrize("query", ["", "?t=", "?t=unknown", "?x=1", "?t=" + "a" * 5000])
async def test_a_transaction_that_is_not_there_is_refused(here: Installation, query: str) -> None:
    reply = await here.browser().get(here.url(PORTAL, f"/_ecluse/start{query}"))
    assert (reply.status, "too old" in reply.text) == (400, True)
    assert here.codes() == ["login.transaction_gone"]


async def test_a_page_where_people_choose_that_is_over_leads_home(here: Installation) -> None:
    browser = here.browser()
    page = await begun(here, browser, PERMIS)
    here.clock.ahead += 3 * 3600
    reply = await browser.get(page)
    assert (reply.status, "too old" in reply.text) == (400, True)
    assert '<p class="act"><a href="/_ecluse/home">' in reply.text
    assert (await browser.get(here.url(PORTAL, "/_ecluse/home"))).status == 200


async def test_back_to_a_sign_in_that_is_over_leads_on_who_is_signed_in(here: Installation) -> None:
    browser = here.browser()
    start = await begun(here, browser)
    assert (await browser.get(start)).text == "actes for alice"
    assert "<h1>Your applications</h1>" in (await browser.get(start)).text
    framed = await browser.get(start, follow=False, **{"Sec-Fetch-Dest": "iframe"})
    assert framed.status in (400, 401)


@pytest.mark.parametrize("destination", ["image", "iframe", "empty", "script"])
@pytest.mark.parametrize("chosen", [False, True])
async def test_what_is_no_navigation_goes_to_no_provider(here: Installation, destination: str, chosen: bool) -> None:
    """Invariant 10: on any site's page, with a transaction of this very browser."""
    browser = here.browser()
    start = await begun(here, browser)
    if chosen:
        start = start.replace("/start?", "/login?provider=metropole&")
    reply = await browser.get(start, follow=False, **{"Sec-Fetch-Dest": destination})
    assert (reply.status, [key.kind for key in here.store.open_tickets]) == (401, ["transaction"])
    assert (await browser.get(start)).text == "actes for alice"


async def test_a_sign_in_that_its_application_does_not_accept_ends_and_is_not_asked_for_again(
    here: Installation,
) -> None:
    """An identity of another issuer than the application's file has for this provider's name."""
    app = here.snapshot.apps["actes"]
    here.change("actes", listed={"metropole": replace(app.listed["metropole"], issuer="https://elsewhere.example")})
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, here.codes()) == (400, ["login.loop"])
    assert "__Host-ecluse=" not in "".join(reply.set_cookies)


async def test_a_transaction_is_served_once(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    start = await begun(here, browser, PERMIS)
    assert (await browser.get(start, follow=False)).location.startswith(here.url(PERMIS, "/_ecluse/enter?code="))
    assert (await browser.get(start, follow=False)).location == here.url(PORTAL, "/")
    assert here.codes() == ["login.transaction_gone"]


async def test_a_transaction_is_served_once_when_asked_for_at_the_same_time(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    start = await begun(here, browser, PERMIS)
    replies = await asyncio.gather(*(browser.get(start, follow=False) for _ in range(8)))
    assert [reply.location.startswith(here.url(PERMIS, "/_ecluse/enter?code=")) for reply in replies].count(True) == 1


async def test_a_session_of_a_provider_that_the_app_does_not_list_does_not_serve(here: Installation) -> None:
    """Invariant 5."""
    browser = here.browser()
    await browser.get(here.url(ACTES))
    reply = await browser.get(await begun(here, browser, ELECTIONS), follow=False)
    assert reply.location.startswith(here.departement.issuer)


async def test_a_session_of_a_provider_that_was_taken_away_does_not_serve(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    start = await begun(here, browser, PERMIS)
    here.change("permis", providers=("departement",))
    assert (await browser.get(start, follow=False)).location.startswith(here.departement.issuer)


async def test_an_app_that_was_taken_away_is_not_gone_to(here: Installation) -> None:
    browser = here.browser()
    start = await begun(here, browser)
    here.change("actes", hosts=("elsewhere.localhost",))
    assert (await browser.get(start)).status == 400


async def test_a_host_that_was_given_to_another_app_is_not_gone_to(here: Installation) -> None:
    browser = here.browser()
    start = await begun(here, browser)
    here.change("actes", hosts=())
    here.change("permis", hosts=(PERMIS, ACTES))
    assert (await browser.get(start)).status == 400
    assert here.codes() == ["login.transaction_gone"]


async def test_an_app_without_a_provider_says_so(here: Installation) -> None:
    here.change("actes", providers=("forgotten",))
    assert (await here.browser().get(here.url(ACTES))).status == 404
    assert here.codes() == ["login.unknown_provider"]


async def test_a_transaction_of_one_browser_served_in_another_gives_no_session(here: Installation) -> None:
    """X begins, Y, who is signed in, is made to open X's link: the code it gets is of no use in either."""
    x, y = here.browser("xavier"), here.browser("yvonne")
    await y.get(here.url(PERMIS, "/_ecluse/login?to=/"))
    await y.get(here.url(ACTES))
    start = await begun(here, x, PERMIS)
    enter = (await y.get(start, follow=False)).location
    refused = await y.get(enter)
    assert (refused.status, "another browser" in refused.text, refused.set_cookies) == (400, True, [])
    reply = await x.get(enter, follow=False)
    assert reply.location.startswith(here.url(PORTAL, "/_ecluse/start?t=")), "burnt: a clean start for X"
    assert "__Host-ecluse" not in x.jar[PERMIS]


async def test_on_one_host_too_it_gives_no_session_and_is_used_up(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    x, y = one_host.browser("xavier"), one_host.browser("yvonne")
    await y.get(one_host.url(PERMIS))
    start = await begun(one_host, x, PERMIS)
    assert (await y.get(start)).status == 400
    assert (await x.get(start)).status == 400
    assert one_host.codes() == ["login.other_browser", "login.transaction_gone"]


async def test_on_one_host_too_a_sign_in_for_another_browser_makes_no_session(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    x, y = one_host.browser("xavier"), one_host.browser("yvonne")
    start = await begun(one_host, x, PERMIS)
    assert (await y.get(start)).status == 400
    assert (one_host.metropole.redeemed, one_host.store.sessions) == (1, {})
    assert "__Host-ecluse" not in y.jar[PERMIS]
    assert (await x.get(start)).status == 400
    assert one_host.codes() == ["login.other_browser", "login.transaction_gone"]


async def test_an_app_that_says_sign_in_has_the_provider_asked_anew_when_a_seat_has_ended(here: Installation) -> None:
    """A session's first seat on a host needs no more than the session; from its end on, no other one is made of it."""
    here.change("permis", seat_then="sign_in", seat_limits=SeatLimits(absolute=120), providers=("metropole",))
    browser = here.browser()
    await browser.get(here.url(ACTES))
    for _ in range(2):
        here.clock.ahead += 50
        assert (await browser.get(here.url(PERMIS))).text == "permis for alice"
        # Thrown away before its end: there is as little to be afraid of as with the first.
        del browser.jar[PERMIS]["__Host-ecluse"]
    assert len(here.metropole.asked) == 1
    here.clock.ahead += 80
    assert (await browser.get(here.url(PERMIS))).text == "permis for alice"
    assert [asked.get("max_age") for asked in here.metropole.asked] == [None, "0"]


async def test_without_a_session_such_an_app_has_the_provider_asked_anew(here: Installation) -> None:
    here.change("permis", seat_then="sign_in", providers=("metropole",))
    assert (await here.browser().get(here.url(PERMIS))).text == "permis for alice"
    assert [asked.get("max_age") for asked in here.metropole.asked] == ["0"]


async def test_a_provider_that_asks_nobody_anew_is_not_told_to_and_does_where_the_person_has_just_signed_in(
    here: Installation,
) -> None:
    """ProConnect refuses a request with `max_age`."""
    here.change("permis", seat_then="sign_in", seat_limits=SeatLimits(absolute=120), providers=("metropole",))
    here.change_provider("metropole", levels=ProviderLevels())
    browser = here.browser()
    assert (await browser.get(here.url(PERMIS))).text == "permis for alice"
    here.clock.ahead = 121
    assert (await browser.get(here.url(PERMIS))).status == 403
    assert here.codes()[-1] == "login.not_fresh"
    assert [asked.get("max_age") for asked in here.metropole.asked] == [None, None]


async def test_who_comes_back_after_the_end_of_a_short_seat_has_not_gone_round(here: Installation) -> None:
    here.change("permis", seat_limits=SeatLimits(idle=2), providers=("metropole",))
    browser = here.browser()
    for _ in range(6):
        assert (await browser.get(here.url(PERMIS))).text == "permis for alice"
        here.clock.ahead += 3


async def test_whose_seats_do_not_come_back_goes_round_however_short_they_are(here: Installation) -> None:
    here.change("permis", seat_limits=SeatLimits(idle=2), providers=("metropole",))
    browser, statuses = here.browser(), []
    for _ in range(5):
        statuses.append((await browser.get(here.url(PERMIS))).status)
        browser.jar[PERMIS].pop("__Host-ecluse", None)
    assert statuses == [200, 200, 200, 400, 400]


async def test_tabs_opened_together_on_such_an_app_need_one_sign_in(here: Installation) -> None:
    here.change("permis", seat_then="sign_in", providers=("metropole",))
    browser = here.browser()
    starts = [await begun(here, browser, PERMIS, f"/{n}") for n in range(3)]
    for start in starts:
        assert (await browser.get(start)).text == "permis for alice"
    assert len(here.metropole.asked) == 1


async def test_a_tab_left_open_past_the_end_of_a_seat_gets_none_by_the_authentication_of_that_seat(
    here: Installation,
) -> None:
    here.change(
        "permis", seat_then="sign_in", seat_limits=SeatLimits(idle=None, absolute=120), providers=("metropole",)
    )
    browser = here.browser()
    left_open = await begun(here, browser, PERMIS, "/left-open")
    assert (await browser.get(await begun(here, browser, PERMIS))).text == "permis for alice"
    here.clock.ahead += 121
    assert (await browser.get(left_open)).text == "permis for alice"
    assert [asked.get("max_age") for asked in here.metropole.asked] == ["0", "0"], "asked anew"
