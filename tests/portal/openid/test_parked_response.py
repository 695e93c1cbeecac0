"""`response_mode: form_post`: the provider's page posts the answer from another site, without a cookie of ours."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from gateway.model.provider import AuthorizationParameters
from gateway.stores.tickets.tickets import OPENID_PARKED_BYTES, PARKED_OF_ONE
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PORTAL, Installation
from tests.portal.openid.test_callback import answered, nobody

CALLBACK = "/_ecluse/callback/metropole"


def by_form(here: Installation) -> None:
    here.change_provider("metropole", request=AuthorizationParameters(response_mode="form_post"))


async def posted(here: Installation, parameters: dict[str, str] | list[tuple[str, str]], **headers: str) -> Reply:
    """As the provider's page does it: a browser leaves its Lax cookies out, so this one has none."""
    cross_site = {"Origin": here.metropole.issuer, "Sec-Fetch-Site": "cross-site", **headers}
    return await here.browser().post(here.url(PORTAL, CALLBACK), data=parameters, **cross_site)


async def parameters(here: Installation, browser: Browser) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(await answered(here, browser)).query))


async def test_the_post_makes_nothing_and_the_get_that_follows_signs_in(here: Installation) -> None:
    by_form(here)
    browser = here.browser()
    reply = await posted(here, await parameters(here, browser))
    assert here.metropole.asked[-1]["response_mode"] == "form_post"
    assert (reply.status, reply.set_cookies, here.metropole.redeemed) == (303, [], 0)
    location = urlsplit(reply.location)
    assert f"{location.scheme}://{location.netloc}{location.path}" == here.url(PORTAL, CALLBACK)
    assert [name for name, _ in parse_qsl(location.query)] == ["parked"]
    assert (await browser.get(reply.location)).text == "actes for alice"


async def test_a_code_in_an_address_is_refused_where_a_form_was_asked_for_but_an_error_is_heard(
    here: Installation,
) -> None:
    by_form(here)
    browser = here.browser()
    nobody(here, browser, await browser.get(await answered(here, browser)))
    assert here.metropole.redeemed == 0
    state = (await parameters(here, browser))["state"]
    error = urlencode({"error": "access_denied", "state": state, "iss": here.metropole.issuer})
    await browser.get(here.url(PORTAL, f"{CALLBACK}?{error}"))
    assert here.codes() == ["oidc.response.parameter", "login.provider_refused"]


async def test_it_is_taken_once_and_by_its_own_browser(here: Installation) -> None:
    by_form(here)
    browser, other = here.browser(), here.browser()
    parked = (await posted(here, await parameters(here, browser))).location
    nobody(here, other, await other.get(parked))
    nobody(here, browser, await browser.get(parked))
    assert here.metropole.redeemed == 0
    assert here.codes() == ["login.other_browser", "login.transaction_gone"]


async def test_a_response_that_is_parked_twice_signs_in_once(here: Installation) -> None:
    by_form(here)
    browser = here.browser()
    sent = await parameters(here, browser)
    parked = [(await posted(here, sent)).location for _ in range(3)]
    replies = await asyncio.gather(*(browser.get(each) for each in parked))
    assert [reply.text for reply in replies].count("actes for alice") == 1
    assert here.metropole.redeemed == 1


async def test_it_is_kept_for_a_minute(here: Installation) -> None:
    by_form(here)
    browser = here.browser()
    parked = (await posted(here, await parameters(here, browser))).location
    here.clock.ahead += 60
    nobody(here, browser, await browser.get(parked))


async def test_a_refusal_comes_by_the_same_way(here: Installation) -> None:
    by_form(here)
    browser = here.browser()
    state = (await parameters(here, browser))["state"]
    sent = {"error": "access_denied", "state": state, "iss": here.metropole.issuer}
    reply = await browser.get((await posted(here, sent)).location)
    assert reply.status == 403
    assert here.codes() == ["login.provider_refused"]


@pytest.mark.parametrize(
    ("mode", "sent", "code"),
    [
        (None, {"state": "s" * 43, "code": "x"}, "oidc.response.parameter"),
        ("query", {"state": "s" * 43, "code": "x"}, "oidc.response.parameter"),
        ("form_post", {"code": "x"}, "oidc.response.state"),
        ("form_post", {"state": "<script>", "code": "x"}, "oidc.response.state"),
        ("form_post", [("state", "s" * 43), ("state", "s" * 43)], "portal.parameters"),
        ("form_post.jwt", {"response": "x"}, "oidc.id_token.form"),
    ],
)
async def test_what_was_not_asked_for_is_not_kept(here: Installation, mode: Any, sent: Any, code: str) -> None:
    here.change_provider("metropole", request=AuthorizationParameters(response_mode=mode))
    reply = await posted(here, sent)
    assert reply.status in (400, 403)
    assert here.codes() == [code]


def kept(here: Installation) -> int:
    return here.store.tickets("response")


async def test_a_response_to_nothing_is_not_kept_and_takes_no_sign_in(here: Installation) -> None:
    """A stranger's posts write nothing, whatever they hold; who is signed in is told so."""
    by_form(here)
    browser = here.browser()
    sent = await parameters(here, browser)
    for number in range(4):
        reply = await posted(here, {"state": f"{number}" * 43, "code": "x" * 40_000})
        assert (reply.status, reply.location) == (303, here.url(PORTAL, f"{CALLBACK}?parked="))
    assert kept(here) == 0
    nobody(here, browser, await browser.get(here.url(PORTAL, f"{CALLBACK}?parked=")))
    assert (await browser.get((await posted(here, sent)).location)).text == "actes for alice"
    again = await browser.get((await posted(here, sent)).location)
    assert (again.status, "signed in" in again.text, kept(here)) == (400, True, 0)
    assert here.codes() == ["login.transaction_gone"] * 2


async def test_the_keeping_is_bounded(here: Installation) -> None:
    """Who has a sign-in under way fills no place but its own: a few responses, and none that is large."""
    by_form(here)
    browser, other = here.browser(), here.browser("bob")
    first = (await posted(here, await parameters(here, browser))).location
    flood = await parameters(here, other)
    for _ in range(10):
        await posted(here, flood)
    assert kept(here) == 1 + PARKED_OF_ONE
    assert (await posted(here, flood | {"code": "x" * OPENID_PARKED_BYTES})).status == 413
    assert (await browser.get(first)).text == "actes for alice"


async def test_hints_are_passed_on_from_the_login_address(here: Installation) -> None:
    here.change_provider("metropole", request=AuthorizationParameters(passed_on=frozenset({"login_hint"})))
    await here.browser().get(here.url(PORTAL, "/_ecluse/login?provider=metropole&login_hint=helene%40m.example&x=1"))
    assert here.metropole.asked[-1]["login_hint"] == "helene@m.example"
    assert "x" not in here.metropole.asked[-1]
    await here.browser().get(here.url(ACTES))
    assert "login_hint" not in here.metropole.asked[-1]
