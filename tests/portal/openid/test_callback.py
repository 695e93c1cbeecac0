"""The provider's answer, and everything that looks like one."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from gateway.model.provider import Perimeter
from gateway.model.session import SeatLimits
from tests.portal.browser import Browser, Reply
from tests.portal.flow.test_start import begun
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation

Claims = dict[str, Any]


async def answered(here: Installation, browser: Browser, host: str = ACTES) -> str:
    """The callback URL that the provider sends this browser to, not yet visited."""
    asked = await browser.get(await begun(here, browser, host), follow=False)
    return (await browser.get(asked.location, follow=False)).location


def nobody(here: Installation, browser: Browser, reply: Reply) -> None:
    """No session was made and the code went nowhere."""
    assert reply.status in {400, 403, 404}
    assert [line for line in reply.set_cookies if line.startswith("__Host-ecluse=")] == []
    assert "__Host-ecluse" not in browser.jar.get(PORTAL, {})
    assert "__Host-ecluse" not in browser.jar.get(ACTES, {})


async def test_a_replayed_callback_makes_nothing(here: Installation) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    await browser.get(callback)
    before = dict(browser.jar[PORTAL])
    again = await browser.get(callback)
    assert (again.status, "You are already signed in" in again.text) == (400, True)
    assert 'href="/"' in again.text
    assert (browser.jar[PORTAL], again.set_cookies, here.metropole.redeemed) == (before, [], 1)
    assert here.codes() == ["login.transaction_gone"]


async def test_a_replayed_callback_in_another_browser_makes_nothing(here: Installation) -> None:
    browser, other = here.browser(), here.browser()
    callback = await answered(here, browser)
    await browser.get(callback)
    reply = await other.get(callback)
    nobody(here, other, reply)
    assert "too old" in reply.text
    assert "signed in" not in reply.text
    assert here.codes() == ["login.transaction_gone"]


async def test_a_callback_sent_eight_times_at_once_makes_one_session(here: Installation) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    replies = await asyncio.gather(*(browser.get(callback, follow=False) for _ in range(8)))
    assert sorted(reply.status for reply in replies) == [303] + [400] * 7
    assert here.metropole.redeemed == 1


@pytest.mark.parametrize("state", ["a" * 43, "", "x", "../../x", "a" * 5000])
async def test_a_state_that_is_none_of_ours_is_refused(here: Installation, state: str) -> None:
    browser = here.browser()
    await answered(here, browser)
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={quote(state)}&code=x"))
    nobody(here, browser, reply)
    assert here.metropole.redeemed == 0


async def test_the_state_of_another_browser_is_refused_and_used_up(here: Installation) -> None:
    """K011, K161, CS01: login CSRF. Y is made to open the callback of X's sign-in."""
    x, y = here.browser("xavier"), here.browser("yvonne")
    callback = await answered(here, x)
    await answered(here, y)
    nobody(here, y, await y.get(callback))
    nobody(here, x, await x.get(callback))
    assert here.metropole.redeemed == 0
    assert here.codes() == ["login.other_browser", "login.transaction_gone"]


async def test_a_browser_without_the_binding_is_refused(here: Installation) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    browser.jar[PORTAL] = {}
    nobody(here, browser, await browser.get(callback))
    assert here.codes() == ["login.other_browser"]


async def test_a_code_at_another_providers_callback_goes_nowhere(here: Installation) -> None:
    """Invariant 7."""
    browser = here.browser()
    callback = await answered(here, browser)
    nobody(here, browser, await browser.get(callback.replace("callback/metropole", "callback/departement")))
    nobody(here, browser, await browser.get(callback))
    assert (here.metropole.redeemed, here.departement.redeemed) == (0, 0)
    assert here.codes() == ["login.other_provider", "login.transaction_gone"]


@pytest.mark.parametrize("name", ["nobody", "", "metropole/", "METROPOLE", "%6detropole", "metropole/x"])
async def test_a_callback_of_no_provider_is_refused(here: Installation, name: str) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    nobody(here, browser, await browser.get(callback.replace("callback/metropole", f"callback/{name}")))


async def test_another_issuer_in_the_answer_is_refused(here: Installation) -> None:
    """RFC 9207."""
    browser = here.browser()
    callback = await answered(here, browser)
    nobody(here, browser, await browser.get(callback.replace(here.metropole.issuer, here.departement.issuer)))
    assert here.codes() == ["oidc.response.issuer"]
    assert here.metropole.redeemed == 0


@pytest.mark.parametrize("name", ["code", "state", "iss"])
async def test_a_parameter_sent_twice_is_refused(here: Installation, name: str) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    value = callback.partition(f"{name}=")[2].partition("&")[0]
    nobody(here, browser, await browser.get(f"{callback}&{name}={value}"))
    assert here.codes() == ["portal.parameters"]


async def test_parameters_that_mean_nothing_to_us_are_ignored(here: Installation) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    assert (await browser.get(f"{callback}&session_state=x&RelayState=//evil")).text == "actes for alice"


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (lambda claims: claims | {"nonce": "n" * 43}, "oidc.id_token.nonce"),
        (lambda claims: claims | {"iss": "http://127.0.0.1:1"}, "oidc.id_token.issuer"),
        (lambda claims: claims | {"aud": "another-client"}, "oidc.id_token.audience"),
        (lambda claims: claims | {"exp": 1}, "oidc.id_token.expired"),
        (lambda claims: claims | {"preferred_username": {"a": "b"}}, "login.mapping"),
    ],
)
async def test_a_token_that_fails_a_check_signs_nobody_in(
    here: Installation, tamper: Callable[[Claims], Claims], code: str
) -> None:
    here.metropole.tamper = tamper
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, "/plan"))
    nobody(here, browser, reply)
    assert f'{here.url(ACTES, "/_ecluse/login?to=/plan")}"' in reply.text, "a way back"
    (refused,) = [event for event in here.logged() if event["event"] == "login.refused"]
    assert (refused["code"], refused["provider"], refused["app"]) == (code, "metropole", "actes")
    assert refused["reference"] in reply.text


async def test_what_lies_outside_the_perimeter_signs_nobody_in(here: Installation) -> None:
    """Invariant 5."""
    here.change_provider("metropole", perimeter=Perimeter(attributes={"uid": frozenset({"bob"})}))
    browser = here.browser("alice")
    nobody(here, browser, await browser.get(here.url(ACTES)))
    assert here.codes() == ["login.outside_perimeter"]
    assert (await here.browser("bob").get(here.url(ACTES))).text == "actes for bob"


async def test_a_provider_that_the_app_no_longer_lists_signs_nobody_in(here: Installation) -> None:
    browser = here.browser()
    callback = await answered(here, browser)
    here.change("actes", providers=("departement",))
    nobody(here, browser, await browser.get(callback))
    assert here.codes() == ["login.unknown_provider"]
    assert here.metropole.redeemed == 0


async def test_a_sign_in_that_took_too_long_is_refused(here: Installation) -> None:
    """CS01: a state after its time."""
    browser = here.browser()
    callback = await answered(here, browser)
    here.clock.ahead += 3600
    nobody(here, browser, await browser.get(callback))
    assert here.codes() == ["login.transaction_gone"]


async def test_a_transaction_that_another_tab_has_used_up_makes_no_session(here: Installation) -> None:
    browser = here.browser()
    start = await begun(here, browser)
    one, other = [
        (await browser.get((await browser.get(start, follow=False)).location, follow=False)) for _ in range(2)
    ]
    assert (await browser.get(one.location)).text == "actes for alice"
    before = dict(browser.jar[PORTAL])
    late = await browser.get(other.location)
    assert (late.status, late.set_cookies, browser.jar[PORTAL]) == (400, [], before)
    assert here.codes() == ["login.transaction_gone"]
    assert here.counters.values["ecluse_auth_logins_total", "metropole", "success", ""] == 1
    assert len(here.store.sessions) == 1


async def test_an_app_that_says_sign_in_refuses_an_older_authentication(here: Installation) -> None:
    here.change("permis", seat_then="sign_in", seat_limits=SeatLimits(absolute=30), providers=("metropole",))
    here.metropole.honours_max_age = False
    browser = here.browser()
    await browser.get(here.url(ACTES))
    assert (await browser.get(here.url(PERMIS))).status == 200
    here.clock.ahead += 60
    reply = await browser.get(here.url(PERMIS))
    assert (reply.status, "too old for this application" in reply.text) == (403, True)
    assert here.codes() == ["login.not_fresh"]
    assert "__Host-ecluse" not in browser.jar[PERMIS], "the one that ended is cleared, and none was given"


async def test_an_app_that_says_sign_in_refuses_a_provider_that_does_not_say_when(here: Installation) -> None:
    here.change("permis", seat_then="sign_in", providers=("metropole",))
    here.metropole.tamper = lambda claims: {name: claim for name, claim in claims.items() if name != "auth_time"}
    assert (await here.browser().get(here.url(PERMIS))).status == 403
    assert here.codes() == ["login.not_fresh"]


async def test_a_session_is_kept_with_what_ends_and_finds_it(here: Installation) -> None:
    here.change_provider("metropole", session_idle=600, session_absolute=3600)
    browser = here.browser()
    await browser.get(here.url(ACTES))
    cookie = browser.jar[PORTAL]["__Host-ecluse"].encode()
    (summary,) = await here.sessions.of_browser(PORTAL, cookie)
    assert (summary.provider, summary.apps) == ("metropole", ("actes",))
    assert summary.expires_at - summary.created_at == 3600
    here.clock.ahead += 601
    assert await here.sessions.load(PORTAL, cookie) is None


async def test_the_session_is_found_by_this_browsers_binding_even_where_only_its_twin_is_left(
    here: Installation,
) -> None:
    """Two people with no binding at hand must never share one browser in the store: a logout would end both."""
    people = [here.browser("xavier"), here.browser("yvonne")]
    for browser in people:
        callback = await answered(here, browser)
        del browser.jar[PORTAL]["__Host-ecluse-b"]
        assert (await browser.get(callback)).status == 200
    x, y = (browser.jar[PORTAL]["__Host-ecluse"].encode() for browser in people)
    assert len(await here.sessions.end_browser(PORTAL, x)) == 1
    assert await here.sessions.load(PORTAL, y) is not None


async def test_the_seat_that_the_browser_brought_ends_even_if_it_has_lost_its_binding(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    older = browser.jar[PORTAL]["__Host-ecluse"]
    browser.jar[PORTAL] = {"__Host-ecluse": older}
    here.clock.ahead += 60
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=departement"))
    here.clock.ahead += 10
    assert browser.jar[PORTAL]["__Host-ecluse"] != older
    assert await here.sessions.load(PORTAL, older.encode()) is None


async def test_a_session_that_does_not_last_until_it_is_used_stops_there(here: Installation) -> None:
    """Asking again at once would go round for ever, past every counter."""
    here.change_provider("metropole", session_idle=0)
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, len(here.metropole.asked)) == (400, 1)
    assert here.codes() == ["handover.code_gone"]
