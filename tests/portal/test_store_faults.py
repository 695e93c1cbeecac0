"""A store on many nodes that fails between any two of its steps: it costs a click, and lets nobody in twice."""

import asyncio
import html
import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest

from gateway.stores.tickets.at_hand import AtHand
from tests.browser_like import Person, Response
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.openid.test_provider_logout import opens, token, told
from tests.portal.saml.region import IDP, Region, brought, region_installed

MOST_STEPS = 40
LATE = pytest.mark.parametrize("late", [False, True], ids=["not done", "done and not told of"])


def fail(here: Installation, step: int, late: bool) -> None:
    here.store.steps, here.store.fails_at, here.store.told_late = 0, step, late


def mend(here: Installation) -> bool:
    """Whether the store had failed."""
    failed = here.store.steps >= here.store.fails_at
    here.store.fails_at = 0
    return failed


async def clicked(browser: Browser, reply: Reply) -> Reply:
    """The one thing that a person can do on a page that says that the store is away: its link, or to load it again."""
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5"), reply.text
    link = re.search(r'<a [^>]*href="(?!/_ecluse/language)([^#"][^"]*)"', reply.text)
    return await browser.get(urljoin(reply.url, html.unescape(link[1])) if link else reply.url)


async def lets_nobody_else_in(here: Installation, hops: list[str]) -> None:
    """Every address of ours that the sign-in went through, opened once more in another browser."""
    stranger = here.browser("mallory")
    for hop in hops:
        if (urlsplit(hop).hostname or "").endswith(".localhost"):
            reply = await stranger.get(hop, follow=False)
            assert [line for line in reply.set_cookies if line.startswith("__Host-ecluse=")] == []
            assert "alice" not in reply.text


@LATE
@pytest.mark.parametrize("known", [False, True], ids=["new session", "second application"])
async def test_a_fault_at_any_step_of_a_sign_in_costs_a_click(here: Installation, known: bool, late: bool) -> None:
    clicks, page = 0, here.url(ACTES, "/page?number=7")
    for step in range(1, MOST_STEPS):
        browser = here.browser()
        if known:
            await browser.get(here.url(PERMIS, "/_ecluse/login?to=/"))
            await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
        fail(here, step, late)
        reply = await browser.get(page)
        if not mend(here):
            assert (reply.status, reply.text) == (200, "actes for alice")
            break
        again = reply
        if reply.status != 200:
            again = await clicked(browser, reply)
            clicks += 1
        if "Start again from the application" in again.text:
            # The store had taken the state and not said what it was for: no page can know the application.
            assert late
            again = await browser.get(page)
        assert (again.status, again.text) == (200, "actes for alice"), f"step {step}: {again.hops}: {again.text}"
        # A code whose page the store did not tell leads to the application's front page.
        assert again.url == page or "/_ecluse/enter?" in reply.url
        await lets_nobody_else_in(here, [*reply.hops, *again.hops])
    else:
        pytest.fail("it never ended")
    assert clicks >= 3


@dataclass
class SamlWalk:
    """A person's way to a page. `hops`: what their browser asked of us; `posted`: the provider's forms."""

    region: Region
    person: Person
    hops: list[str] = field(default_factory=list)
    posted: list[tuple[bytes, str | None]] = field(default_factory=list)

    async def to(self, url: str) -> Response:
        self.hops.append(url)
        return await self.on(await self.person.step("GET", url))

    async def on(self, reply: Response) -> Response:
        while reply.location:
            if reply.location.startswith(IDP):
                asked = brought(reply)
                self.posted.append((self.region.response(asked), asked.relay_state))
                reply = await self.region.answer(self.person, *self.posted[-1])
            else:
                self.hops.append(reply.location)
                reply = await self.person.step("GET", reply.location, initiator=reply.url)
        return reply

    async def clicked(self, reply: Response) -> Response:
        """As `clicked` above; a browser loads a form's page again by sending the form again."""
        assert (reply.status, reply.header("Retry-After")) == (503, "5"), reply.text
        links = [link for link in reply.links() if "#" not in link]
        if not links and reply.path == "/_ecluse/saml/acs":
            return await self.on(await self.region.answer(self.person, *self.posted[-1]))
        return await self.to(links[0] if links else reply.url)

    async def lets_nobody_in(self) -> None:
        """Every address of ours and every form of the provider's page once more, in another browser and in this one."""
        for person in (self.region.person(), self.person):
            replies = [await person.step("GET", hop) for hop in self.hops]
            for posted in self.posted:
                replies.append(await self.region.answer(person, *posted))
                if replies[-1].location:
                    replies.append(await person.step("GET", replies[-1].location, initiator=replies[-1].url))
            given = [line for reply in replies for line in reply.all("Set-Cookie") if line.startswith("__Host-ecluse=")]
            assert not given
            assert person is self.person or not any("alice" in reply.text for reply in replies)


@LATE
@pytest.mark.parametrize("elsewhere", [False, True], ids=["at one worker", "at several"])
async def test_a_fault_at_any_step_of_a_sign_in_by_saml_costs_a_click(
    late: bool, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the navigation over the provider's POST and `finish`, where the response and the login are spent and the
    assertion used up, to the application. `elsewhere`: each step at a worker that has not put what it reads."""
    if elsewhere:
        monkeypatch.setattr(AtHand, "find", lambda *_: None)
    async with region_installed() as region:
        here, failed_at = region.here, []
        page = here.url(PERMIS, "/dossier?id=7")
        for step in range(1, MOST_STEPS):
            walk = SamlWalk(region, region.person())
            fail(here, step, late)
            reply = await walk.to(page)
            if not mend(here):
                assert (reply.status, reply.text) == (200, "permis for alice")
                break
            again = reply
            if reply.status != 200:
                failed_at.append(reply.path)
                again = await walk.clicked(reply)
            assert (again.status, again.text) == (200, "permis for alice"), f"step {step}: {walk.hops}: {again.text}"
            # A code whose page the store did not tell leads to the application's front page.
            assert again.url == page or reply.path == "/_ecluse/enter"
            await walk.lets_nobody_in()
        else:
            pytest.fail("it never ended")
        assert failed_at.count("/_ecluse/saml/acs") == 1 + elsewhere
        # One more, but where chance puts what is spent and what is written in one shard: it is one step there.
        assert failed_at.count("/_ecluse/saml/finish") >= 2 + elsewhere


@pytest.mark.parametrize("elsewhere", [False, True], ids=["at one worker", "at several"])
async def test_a_fault_at_finish_tells_no_other_browser_where_the_person_was_going(
    elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if elsewhere:
        monkeypatch.setattr(AtHand, "find", lambda *_: None)
    async with region_installed() as region:
        for own in (True, False):
            person = region.person()
            asked = await region.asked(person, "/dossier?id=7")
            finish = (await region.answer(person, region.response(asked), asked.relay_state)).location
            # The parked assertion is read with its login, and the next step fails: how many follow is up to the shards.
            fail(region.here, 1 + elsewhere, late=False)
            browser = person if own else region.person()
            reply = await browser.step("GET", finish, initiator=f"{IDP}/sso")
            assert mend(region.here)
            assert (reply.status, "dossier" in reply.text) == (503, own)


@LATE
async def test_a_sign_out_is_said_to_be_done_when_it_is_whatever_step_fails(here: Installation, late: bool) -> None:
    for step in range(1, MOST_STEPS):
        browser = here.browser()
        await browser.get(here.url(ACTES))
        cookies = {host: jar["__Host-ecluse"] for host, jar in browser.jar.items() if "__Host-ecluse" in jar}
        fail(here, step, late)
        reply = await browser.post(here.url(ACTES, "/_ecluse/logout"))
        failed = mend(here)
        if reply.status != 200:
            assert reply.status == 503
            reply = await browser.post(here.url(ACTES, "/_ecluse/logout"))
        assert reply.status == 200
        for host, cookie in cookies.items():
            assert await here.sessions.load(host, cookie.encode()) is None
        if not failed:
            return
    pytest.fail("it never ended")


@LATE
async def test_a_providers_sign_out_that_failed_at_any_step_is_sent_again_and_ends_what_is_left(
    here: Installation, late: bool
) -> None:
    """By subject: sessions of two browsers, which a store on several nodes keeps apart."""
    for step in range(1, MOST_STEPS):
        browsers = [here.browser(), here.browser()]
        for browser in browsers:
            await browser.get(here.url(ACTES))
        logout = token(here.metropole, sid=None)
        fail(here, step, late)
        first = await told(here, logout)
        failed = mend(here)
        # A mark that the store does not take is written later: the sessions have ended all the same.
        assert first.status in ((503, 200) if failed else (200,))
        if failed:
            # As a worker does each second.
            await here.sessions.write_ends()
            assert (await told(here, logout)).status == 200
        assert [await opens(here, browser) for browser in browsers] == [False, False]
        here.clock.ahead += 1
        later = here.browser()
        await later.get(here.url(ACTES))
        assert (await told(here, logout)).status == 200
        assert await opens(here, later), "a replay ends nothing that began later"
        if not failed:
            return
    pytest.fail("it never ended")


async def test_two_deliveries_of_one_token_while_the_store_fails_leave_nobody_signed_in(here: Installation) -> None:
    statuses = set()
    for step in range(1, MOST_STEPS):
        browser = here.browser()
        await browser.get(here.url(ACTES))
        logout = token(here.metropole)
        fail(here, step, late=False)
        replies = await asyncio.gather(*(told(here, logout) for _ in range(2)))
        failed = mend(here)
        statuses |= {reply.status for reply in replies}
        if 200 not in [reply.status for reply in replies]:
            assert (await told(here, logout)).status == 200
        assert not await opens(here, browser)
        if not failed:
            break
        here.clock.ahead += 1
    assert statuses == {200, 503}
