"""In how many browsers a person is signed in at once, as people and their pages see it."""

from dataclasses import replace

import pytest

from tests.portal.browser import Browser
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.test_store_faults import LATE, MOST_STEPS, clicked, fail, mend

SEAT = "__Host-ecluse"
TITLE, TITRE = "You have signed in elsewhere", "Vous avez ouvert une session ailleurs"
SESSIONS = "/_ecluse/sessions"


def allow(here: Installation, most: int | None) -> None:
    gateway = here.snapshot.gateway
    limits = replace(gateway.limits, sessions_per_person=most)
    here.snapshot = replace(here.snapshot, gateway=replace(gateway, limits=limits))


async def signed_in(here: Installation, user: str = "alice") -> Browser:
    """A second later than all before it."""
    here.clock.ahead += 1
    browser = here.browser(user)
    assert (await browser.get(here.url(ACTES))).text == f"actes for {user}"
    return browser


async def test_the_oldest_browser_is_told_why_once_on_each_host_and_signs_in_again(here: Installation) -> None:
    allow(here, 1)
    first = await signed_in(here)
    assert (await first.get(here.url(PERMIS))).status == 200
    second = await signed_in(here)

    reply = await first.get(here.url(ACTES, "/dossier/7"))
    assert (reply.status, TITLE in reply.text, "Sign in</a>" in reply.text) == (401, True, True)
    assert SEAT not in first.jar[ACTES]
    reply = await first.get(here.url(PERMIS), Accept_Language="fr")
    assert (reply.status, TITRE in reply.text, "Se connecter</a>" in reply.text) == (401, True, True)

    here.clock.ahead += 1
    assert (await first.get(here.url(ACTES, "/dossier/7"))).text == "actes for alice"
    assert TITLE in (await second.get(here.url(ACTES))).text
    limited = [event for event in here.logged() if event["event"] == "session.limited"]
    assert [(event["sessions"], event["provider"]) for event in limited] == [(1, "metropole"), (1, "metropole")]
    assert here.counters.values["ecluse_auth_sessions_limited_total",] == 2
    assert [len(told) for told in here.revoker.told] == [1, 1]


async def test_who_may_be_in_two_browsers_stays_in_two_and_others_are_not_counted(here: Installation) -> None:
    allow(here, 2)
    browsers = [await signed_in(here) for _ in range(2)]
    bob = await signed_in(here, "bob")
    for browser in (*browsers, bob):
        assert (await browser.get(here.url(ACTES, "/again"))).status == 200
    await signed_in(here)
    assert [(await each.get(here.url(ACTES, "/again"))).status for each in (*browsers, bob)] == [401, 200, 200]


async def test_signing_in_again_in_the_same_browser_ends_nothing(here: Installation) -> None:
    allow(here, 1)
    browser = await signed_in(here)
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert (await browser.get(here.url(ACTES, "/again"))).status == 200
    assert here.revoker.told == []


async def test_the_portal_tells_the_limit_and_why_a_session_has_ended(here: Installation) -> None:
    first = await signed_in(here)
    assert "Number of browsers in which you" not in (await first.get(here.url(PORTAL, SESSIONS))).text
    allow(here, 1)
    told = (await first.get(here.url(PORTAL, SESSIONS))).text
    assert "Number of browsers in which you can be signed in at once: 1." in told
    assert "If you sign in with one more, your oldest session ends." in told
    told = (await first.get(here.url(PORTAL, SESSIONS), Accept_Language="fr")).text
    assert "Au-delà, la session la plus ancienne prend fin." in told

    await signed_in(here)
    reply = await first.get(here.url(PORTAL, SESSIONS))
    assert (reply.status, TITLE in reply.text, '<a href="/_ecluse/home">Sign in' in reply.text) == (401, True, True)
    assert "No session is open" in (await first.get(here.url(PORTAL, SESSIONS))).text


async def test_the_home_page_tells_it_before_it_asks_to_sign_in(here: Installation) -> None:
    allow(here, 1)
    first = await signed_in(here)
    await signed_in(here)
    assert TITLE in (await first.get(here.url(PORTAL, "/_ecluse/home"))).text
    assert TITLE not in (await first.get(here.url(PORTAL, "/_ecluse/home"))).text


def browsers(here: Installation) -> int:
    return len({record.browser_index for record in here.store.sessions.values()})


@LATE
async def test_where_the_store_fails_at_any_step_nobody_is_in_beside_the_one_that_should_be(
    here: Installation, late: bool
) -> None:
    allow(here, 1)
    await signed_in(here)
    for step in range(1, MOST_STEPS):
        here.clock.ahead += 1
        browser = here.browser()
        fail(here, step, late)
        reply = await browser.get(here.url(ACTES))
        if not mend(here):
            break
        if SEAT in browser.jar.get(PORTAL, {}):
            assert browsers(here) == 1, f"step {step}"
        if reply.status != 200:
            await clicked(browser, reply)
        assert (await browser.get(here.url(ACTES))).text == "actes for alice"
        assert browsers(here) == 1, f"step {step}"
    else:
        pytest.fail("it never ended")


async def test_without_the_key_nothing_is_asked_or_ended(here: Installation) -> None:
    first = await signed_in(here)
    await signed_in(here)
    assert (await first.get(here.url(ACTES, "/again"))).status == 200
    assert here.store.asked.count("subject") == 0
    allow(here, 9)
    await signed_in(here)
    assert here.store.asked.count("subject") == 1
    assert here.revoker.told == []
