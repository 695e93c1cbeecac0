"""Invariant 12: one browser is one person, who acts for one organisation, at a time, on every host."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.config.snapshot import Logout
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import SeatLimits
from gateway.stores.records import RevokeSession, Write
from gateway.stores.sealing import StoreKeys
from tests.portal.browser import Browser
from tests.portal.flow.test_acting import COMMUNE, LYCEE, acts_for, arrived, choose, may_act_for
from tests.portal.installation import ACTES, ELECTIONS, KEYS, PERMIS, PORTAL, Installation

SEAT = "__Host-ecluse"
BINDING = "__Host-ecluse-b"
LOGIN = "/_ecluse/login?provider=metropole&other_account=1"


async def alice(here: Installation, *hosts: str) -> Browser:
    """On these hosts, all of them for one provider."""
    here.change("elections", providers=("metropole",))
    here.change("permis", providers=("metropole",))
    browser = here.browser()
    for host in hosts:
        assert (await browser.get(here.url(host))).text == f"{host.partition('.')[0]} for alice"
    return browser


def becomes(browser: Browser, person: str) -> None:
    """Who the provider says is there from now on."""
    browser.jar["127.0.0.1"]["op"] = person


async def who(here: Installation, browser: Browser, host: str) -> str | None:
    """Whom the seat of this host is of; None where it opens nothing."""
    cookie = browser.jar.get(host, {}).get(SEAT, "")
    seat = await here.sessions.load(host, cookie.encode())
    return None if seat is None else seat.identity.subject


@pytest.mark.parametrize("begun_at", [PORTAL, ELECTIONS])
async def test_who_signs_in_as_another_leaves_no_seat_of_the_first_on_any_host(
    here: Installation, begun_at: str
) -> None:
    browser = await alice(here, ACTES, PERMIS)
    seats = [await here.sessions.load(host, browser.jar[host][SEAT].encode()) for host in (ACTES, PERMIS)]
    becomes(browser, "bob")
    other = LOGIN if begun_at == PORTAL else "/_ecluse/login?to=/&other_account=1"
    await browser.get(here.url(begun_at, other))
    assert [await who(here, browser, host) for host in (ACTES, PERMIS)] == [None, None]
    assert [seat.live for seat in seats if seat is not None] == [False, False], "in force in every worker"
    assert (await browser.get(here.url(ACTES))).text == "actes for bob"
    assert await who(here, browser, PORTAL) == "bob"
    (line,) = [line for line in here.logged() if line["event"] == "session.others_ended"]
    names = StoreKeys(KEYS)
    of_alice, of_bob = (names.log_name(here.metropole.issuer, person) for person in ("alice", "bob"))
    assert (line["person"], line["by"], line["sessions"]) == (of_alice, of_bob, 1)


async def test_who_signs_in_once_more_keeps_what_is_open_elsewhere(here: Installation) -> None:
    browser = await alice(here, ACTES, PERMIS)
    await browser.get(here.url(PORTAL, LOGIN))
    assert [await who(here, browser, host) for host in (ACTES, PERMIS, PORTAL)] == ["alice"] * 3
    assert here.revoker.told == []


async def test_the_same_subject_of_another_provider_is_another_person(here: Installation) -> None:
    browser = await alice(here, ACTES)
    here.change("elections", providers=("departement",))
    await browser.get(here.url(ELECTIONS))
    assert [await who(here, browser, host) for host in (ACTES, ELECTIONS)] == [None, "alice"]


async def test_for_another_organisation_the_first_one_is_left_on_every_host(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    here.change("permis", providers=("metropole",))
    browser = here.browser()
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    await browser.get(here.url(PERMIS))
    assert (await acts_for(here, browser, PERMIS))[0] == LYCEE
    chooser = await browser.get(here.url(ACTES, "/_ecluse/login?to=/&other_account=1"))
    await browser.get((await choose(here, browser, chooser, COMMUNE)).location)
    assert (await acts_for(here, browser))[0] == COMMUNE
    assert await who(here, browser, PERMIS) is None
    await browser.get(here.url(PERMIS))
    assert (await acts_for(here, browser, PERMIS))[0] == COMMUNE


@pytest.mark.parametrize("lost", [SEAT, BINDING])
async def test_a_browser_is_known_by_its_seat_or_by_its_binding(here: Installation, lost: str) -> None:
    browser = await alice(here, ACTES)
    for name in [name for name in browser.jar[PORTAL] if name == lost or (lost == BINDING and name.startswith(lost))]:
        del browser.jar[PORTAL][name]
    becomes(browser, "bob")
    await browser.get(here.url(PORTAL, LOGIN))
    assert [await who(here, browser, host) for host in (ACTES, PORTAL)] == [None, "bob"]


async def test_a_browser_whose_portal_cookies_are_lost_is_known_at_the_next_hand_over(here: Installation) -> None:
    """The portal cannot know of it. The application's host does, and ends the first person's session everywhere."""
    browser = await alice(here, ACTES, PERMIS)
    browser.jar[PORTAL].clear()
    becomes(browser, "bob")
    await browser.get(here.url(PORTAL, LOGIN))
    assert await who(here, browser, ACTES) == "alice"
    assert (await browser.get(here.url(ACTES, "/_ecluse/login?to=/&other_account=1"))).text == "actes for bob"
    assert await who(here, browser, PERMIS) is None


async def test_of_two_sign_ins_at_once_one_person_is_left_at_the_most(here: Installation) -> None:
    browser = await alice(here, ACTES)
    tabs = []
    for person in ("bob", "carol"):
        becomes(browser, person)
        page = await browser.get(here.url(PORTAL, LOGIN), follow=False)
        while "/_ecluse/callback/" not in page.location:
            page = await browser.get(page.location, follow=False)
        tabs.append(page.location)
    await asyncio.gather(*(browser.get(url) for url in tabs))
    found = await here.sessions.of_browser(PORTAL, browser.jar[PORTAL][SEAT].encode())
    assert len({one.person for one in found}) <= 1
    assert await who(here, browser, ACTES) is None


def takes_no_end(perform: Any) -> Any:
    """As a shard that is out of reach, where the session that ends is in it."""

    async def performed(writes: Sequence[Write], now: int) -> bool:
        if any(isinstance(write, RevokeSession) for write in writes):
            raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")
        return bool(await perform(writes, now))

    return performed


async def test_while_the_first_cannot_be_ended_nobody_is_the_second(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await alice(here, ACTES)
    becomes(browser, "bob")

    with monkeypatch.context() as patched:
        patched.setattr(here.store, "perform", takes_no_end(here.store.perform))
        assert (await browser.get(here.url(PORTAL, LOGIN))).status == 503
        assert [await who(here, browser, host) for host in (ACTES, PORTAL)] == [None, None]
    await browser.get(here.url(PORTAL, LOGIN))
    assert [await who(here, browser, host) for host in (ACTES, PORTAL)] == [None, "bob"]
    assert not here.sessions.unwritten.among(one for told in here.revoker.told for one in told)


@pytest.mark.parametrize("begun_at", [PORTAL, ACTES])
async def test_the_applications_own_cookies_go_with_the_first_person(here: Installation, begun_at: str) -> None:
    here.change("actes", logout=Logout(cookies=(("JSESSIONID", "/"),)))
    browser = await alice(here, ACTES)
    becomes(browser, "bob")
    if begun_at == PORTAL:
        await browser.get(here.url(PORTAL, LOGIN))
    browser.jar[ACTES]["JSESSIONID"] = "of alice"
    await browser.get(here.url(ACTES, "/_ecluse/login?to=/&other_account=1" if begun_at == ACTES else "/"))
    assert await who(here, browser, ACTES) == "bob"
    assert not browser.jar[ACTES].get("JSESSIONID")


@pytest.mark.parametrize("next_person", ["bob", "alice"])
async def test_an_application_that_resumes_forgets_the_first_person_and_not_one_who_comes_back(
    here: Installation, next_person: str
) -> None:
    """A seat that ends by the application's own limit comes back as it was, for the same session alone."""
    limits = SeatLimits(idle=60)
    here.change("actes", seat_limits=limits, logout=Logout(cookies=(("JSESSIONID", "/"),)))
    browser = await alice(here, ACTES)
    here.clock.ahead += 61
    browser.jar[ACTES]["JSESSIONID"] = "of alice"
    if next_person == "bob":
        becomes(browser, "bob")
        await browser.get(here.url(PORTAL, LOGIN))
    assert (await browser.get(here.url(ACTES))).text == f"actes for {next_person}"
    assert browser.jar[ACTES].get("JSESSIONID") == {"bob": None, "alice": "of alice"}[next_person]


async def test_the_button_beside_a_session_says_that_its_end_is_not_written(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await alice(here, ACTES)
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    found = re.search('name="session" value="([0-9a-f]{32})"', home.text)
    assert found is not None, home.text
    monkeypatch.setattr(here.store, "perform", takes_no_end(here.store.perform))
    reply = await browser.post(here.url(PORTAL, "/_ecluse/sessions/end"), {"session": found[1]})
    assert (reply.status, await who(here, browser, ACTES)) == (503, None)
