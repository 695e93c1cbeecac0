"""A provider takes its time: a page says so, and what came of the sign-in is shown once, in that browser."""

import asyncio
import re
from html import unescape
from urllib.parse import quote, urljoin

import pytest

from gateway.model.ports import Page
from gateway.model.transaction import WaitedPage
from gateway.portal import app
from gateway.wire.cookies import BINDING_COOKIE, binding_hash
from tests.patience import PATIENCE, until
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine any step may be late; only the one that a test slows down is to be."""
    monkeypatch.setattr(app, "_PATIENCE", PATIENCE)


def leads_to(reply: Reply) -> str:
    (url,) = re.findall('<meta http-equiv="refresh" content="0;url=([^"]*)">', reply.text)
    return unescape(url)


async def at_the_waiting_page(here: Installation, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Reply:
    """The provider takes its time for the token."""
    here.metropole.takes = 0.3
    url = here.url(PERMIS, "/_ecluse/login?provider=metropole&to=/agenda")
    while "/_ecluse/callback/" not in url:
        reply = await browser.get(url, follow=False)
        choose = re.search('href="(/_ecluse/login[^"]*provider=metropole)"', reply.text)
        url = here.url(PORTAL, unescape(choose[1])) if choose else urljoin(url, reply.location)
    with monkeypatch.context() as impatient:
        impatient.setattr(app, "_PATIENCE", 0.05)
        return await browser.get(url, follow=False)


async def test_who_waits_is_told_for_whom_and_arrives(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = here.browser()
    reply = await at_the_waiting_page(here, browser, monkeypatch)
    assert reply.status == 200
    assert "Metropolis" in reply.text
    assert leads_to(reply).startswith(here.url(PORTAL, "/_ecluse/wait?id="))
    arrived = await browser.get(leads_to(reply))
    assert (arrived.status, arrived.hops[-1]) == (200, here.url(PERMIS, "/agenda"))
    assert here.metropole.redeemed == 1


async def test_another_browser_gets_nothing_of_it_and_takes_nothing_away(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, thief = here.browser(), here.browser("mallory")
    url = leads_to(await at_the_waiting_page(here, browser, monkeypatch))
    await thief.get(here.url(PERMIS))
    stolen = await thief.get(url, follow=False)
    assert (stolen.status, stolen.headers.get("Set-Cookie")) == (400, None)
    nobody = await here.browser().get(url, follow=False)
    assert nobody.status == 400
    assert (await browser.get(url)).hops[-1] == here.url(PERMIS, "/agenda")
    again = await browser.get(url, follow=False)
    assert (again.location, again.headers.get("Set-Cookie")) == (here.url(PORTAL), None), "it is shown once"


async def test_a_worker_that_does_not_serve_it_finds_it_in_the_store(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.portal.waiting._LOOK", 0.02)
    browser = here.browser()
    await browser.get(here.url(ACTES))
    binding = bound(browser)
    waited = here.transactions.waited
    id = here.transactions.waiting_id()
    asked = asyncio.create_task(browser.get(here.url(PORTAL, f"/_ecluse/wait?id={id}&shown=1")))
    await asyncio.sleep(0.1)
    assert not asked.done()
    await waited.put(WaitedPage(binding, Page(200, ((b"X-Made", b"elsewhere"),), b"there")), "n", id)
    reply = await asked
    assert (reply.status, reply.headers["X-Made"], reply.text) == (200, "elsewhere", "there")


async def test_that_nothing_came_of_it_in_a_minute_is_said(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.portal.waiting._HELD", 0.0)
    browser = here.browser()
    await browser.get(here.url(ACTES))
    id = here.transactions.waiting_id()
    url = here.url(PORTAL, f"/_ecluse/wait?id={id}&shown=1")
    for shown in range(2, 10):
        url = leads_to(await browser.get(url, follow=False))
        assert url.endswith(f"&shown={shown}")
    assert (await browser.get(url)).status == 502
    for forged in ("10", "0", "-1", "1e9", ""):
        assert (await browser.get(here.url(PORTAL, f"/_ecluse/wait?id={id}&shown={forged}"))).status == 400


async def test_an_old_link_to_the_page_says_so_at_once_and_blames_no_provider(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the address of whatever came, a chooser for instance, which is bookmarked or left open."""
    browser = here.browser()
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"), follow=False)
    url = here.url(PORTAL, f"/_ecluse/wait?id={here.transactions.waiting_id()}&shown=1")
    monkeypatch.setattr("gateway.portal.waiting._HELD", 0.0)
    here.clock.ahead += 50
    assert (await browser.get(url, follow=False)).status == 200
    monkeypatch.setattr("gateway.portal.waiting._HELD", PATIENCE)
    here.clock.ahead += 130
    async with asyncio.timeout(PATIENCE / 2):
        reply = await browser.get(url, follow=False)
        assert (reply.status, "This sign-in page is too old" in reply.text) == (400, True)
        await browser.get(here.url(ACTES))
        assert (await browser.get(url, follow=False)).location == here.url(PORTAL)


async def test_nothing_is_held_or_looked_for_under_an_id_that_somebody_made_up(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))

    looked_for: list[str] = []

    async def peek(_: object, id: str) -> None:
        looked_for.append(id)

    monkeypatch.setattr(type(here.transactions.waited), "peek", peek)
    monkeypatch.setattr("gateway.portal.waiting._HELD", 0.0)
    ours = here.transactions.waiting_id()
    others = ours[:-1] + ("0" if ours[-1] != "0" else "1"), ("y" if ours[0] != "y" else "z") + ours[1:]
    for made_up in ("x", "", ours[:-1], *others, "é" * 107):
        reply = await browser.get(here.url(PORTAL, f"/_ecluse/wait?id={quote(made_up)}&shown=1"))
        assert reply.status == 400
    assert looked_for == []


async def test_one_request_is_held_for_an_id_and_it_is_the_last(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    url = here.url(PORTAL, f"/_ecluse/wait?id={here.transactions.waiting_id()}&shown=1")
    async with asyncio.TaskGroup() as asked:
        first = [asked.create_task(browser.get(url, follow=False)) for _ in range(5)]
        # Each ends the one before it: all have come when one is left.
        await until(lambda: sum(one.done() for one in first) == len(first) - 1)
        last = asked.create_task(browser.get(url, follow=False))
        await asyncio.wait(first)
        assert not last.done()
        assert {leads_to(one.result())[-8:] for one in first} == {"&shown=2"}


def bound(browser: Browser) -> str:
    """The hash of the browser's binding cookie, as records have it."""
    return binding_hash(browser.jar[PORTAL][BINDING_COOKIE.decode()].encode())
