"""A frame on a page of a listed host: a session that is there gives it a seat, and nobody is asked anything."""

from dataclasses import replace

import pytest

from gateway.model.levels import Need, ProviderLevels
from gateway.policy.levels import USUAL_LADDER, Ladder
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PORTAL, Installation

INTRANET = "http://intranet.localhost"
FRAME = {"Sec_Fetch_Dest": "iframe", "Sec_Fetch_Site": "same-site"}


def listed(here: Installation, **more: object) -> Browser:
    here.change("actes", embedded_by=(INTRANET,), **more)
    return here.browser()


async def framed(here: Installation, browser: Browser, *, steps: int = 9, **headers: str) -> Reply:
    """Where the frame's way ends, or after so many steps."""
    reply = await browser.get(here.url(ACTES, "/plan?a=b"), follow=False, **(FRAME | headers))
    for _ in range(steps):
        if reply.status != 303:
            break
        reply = await browser.get(reply.location, follow=False, **(FRAME | headers))
    return reply


def is_for(here: Installation, reply: Reply) -> bool:
    """Whether pages of the listed host, and the application's own, may show it in a frame, and nobody else's."""
    (policy,) = reply.headers.getall("Content-Security-Policy")
    own = here.url(ACTES).removesuffix("/")
    ancestors = [part for part in policy.split("; ") if part.startswith("frame-ancestors")]
    return ancestors == [f"frame-ancestors {INTRANET} {own}"] and "X-Frame-Options" not in reply.headers


async def test_a_session_gives_the_frame_a_seat_and_no_provider_is_asked(here: Installation) -> None:
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    asked = len(here.metropole.asked)
    for number, word in enumerate(("/_ecluse/start?t=", "/_ecluse/enter?code=", "/plan?a=b")):
        step = await framed(here, browser, steps=number)
        assert (step.status, word in step.location, is_for(here, step)) == (303, True, True)
        browser.jar.pop(ACTES, None)
    reply = await framed(here, browser)
    assert (reply.status, reply.text, reply.url) == (200, "actes for alice", here.url(ACTES, "/plan?a=b"))
    assert len(here.metropole.asked) == asked


async def test_without_one_the_frame_leads_to_a_window_of_its_own(here: Installation) -> None:
    browser = listed(here)
    reply = await framed(here, browser)
    assert (reply.status, here.codes(), here.metropole.asked) == (401, ["session.required"], [])
    assert is_for(here, reply)
    link = here.url(ACTES, "/_ecluse/login?to=/plan%3Fa%3Db")
    assert f'<a href="{link}" target="_top">' in reply.text
    assert "opens in the whole window" in reply.text
    assert here.store.open_tickets == {}, "nobody goes on with it"
    assert (await browser.get(link)).text == "actes for alice"


async def test_nor_with_one_that_is_not_enough(here: Installation) -> None:
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    asked = len(here.metropole.asked)
    here.change("actes", providers=("departement",))
    reply = await framed(here, browser)
    assert (reply.status, is_for(here, reply), len(here.metropole.asked)) == (401, True, asked)
    assert here.departement.asked == []


async def test_nor_after_a_sign_out(here: Installation) -> None:
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    assert (await framed(here, browser)).status == 401


async def test_what_was_begun_at_the_top_does_not_go_on_in_a_frame(here: Installation) -> None:
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    start = (await browser.get(here.url(ACTES, "/plan"), follow=False)).location
    reply = await browser.get(start, follow=False, **FRAME)
    assert (reply.status, here.codes()) == (401, ["session.required"])
    assert (await browser.get(start)).text == "actes for alice"


async def test_nor_does_what_a_frame_began_where_the_file_lists_nobody_any_more(here: Installation) -> None:
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    start = (await framed(here, browser, steps=0)).location
    here.change("actes", embedded_by=())
    assert (await browser.get(start, follow=False, **FRAME)).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Dest": "iframe", "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Dest": "image", "Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Dest": "empty", "Sec_Fetch_Site": "same-origin"},
        {**FRAME, "Sec_Purpose": "prefetch"},
    ],
)
async def test_what_a_frame_began_goes_on_in_no_other_way(here: Installation, headers: dict[str, str]) -> None:
    """A redirect by another site is cross-site from there on."""
    browser = listed(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    start = (await framed(here, browser, steps=0)).location
    reply = await browser.get(start, follow=False, **headers)
    assert (reply.status, reply.set_cookies) == (401, [])


async def test_in_another_browser_it_gives_no_seat(here: Installation) -> None:
    """Headers are written by whoever wants to; cookies are not."""
    mine, theirs = listed(here), here.browser("mallory")
    await theirs.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    start = (await framed(here, mine, steps=0)).location
    enter = (await theirs.get(start, follow=False, **FRAME)).location
    reply = await theirs.get(enter, follow=False, **FRAME)
    assert (reply.status, here.codes(), is_for(here, reply)) == (400, ["handover.other_browser"], True)
    assert "__Host-ecluse" not in theirs.jar.get(ACTES, {})


async def test_a_stronger_sign_in_is_asked_for_at_the_top_alone(here: Installation) -> None:
    said = ProviderLevels(frozenset({"acr"}))
    here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, {"metropole": said}))
    here.change_provider("metropole", levels=said)
    browser = listed(here)
    await browser.get(here.url(ACTES))
    asked = len(here.metropole.asked)
    here.needs[ACTES] = Need(level="eidas2")
    reply = await framed(here, browser)
    assert (reply.status, is_for(here, reply), len(here.metropole.asked)) == (401, True, asked)


async def test_a_code_is_answered_in_no_frame_where_the_file_lists_nobody(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    start = (await browser.get(here.url(ACTES, "/plan"), follow=False)).location
    enter = (await browser.get(start, follow=False)).location
    reply = await browser.get(enter, follow=False, **FRAME)
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
