"""A person is sent to a provider."""

import pytest

from gateway.oidc.authorization import code_challenge
from gateway.wire.cookies import binding_hash
from tests.portal.flow.test_start import begun
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation


async def test_the_request_carries_what_belongs_to_this_browser_and_provider(here: Installation) -> None:
    browser = here.browser()
    await browser.get(await begun(here, browser))
    (asked,) = here.metropole.asked
    assert asked["redirect_uri"] == here.url(PORTAL, "/_ecluse/callback/metropole")
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    # ProConnect wants 32 characters at least, FranceConnect 22.
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32


async def test_the_login_is_kept_under_its_state(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(await begun(here, browser), follow=False)
    parameters = dict(pair.split("=") for pair in reply.location.partition("?")[2].split("&"))
    login = await here.transactions.openid_logins.take(parameters["state"])
    assert login is not None
    assert login.issuer == here.metropole.issuer
    assert login is not None
    assert (login.provider, login.nonce) == ("metropole", parameters["nonce"])
    assert code_challenge(login.code_verifier) == parameters["code_challenge"]
    assert login.binding == binding_hash(browser.jar[PORTAL]["__Host-ecluse-b"].encode())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "login.unknown_provider"),
        ("?provider=", "login.unknown_provider"),
        ("?provider=nobody", "login.unknown_provider"),
        ("?provider=nobody&t={t}", "login.unknown_provider"),
        ("?provider=departement&t={t}", "login.unknown_provider"),
        ("?provider=metropole&t=unknown", "login.transaction_gone"),
        ("?provider=metropole&t=", "login.transaction_gone"),
        ("?provider=metropole&provider=departement&t={t}", "portal.parameters"),
        ("?provider=metropole&t={t}&t={t}", "portal.parameters"),
    ],
)
async def test_only_a_provider_that_the_app_lists_is_asked(here: Installation, query: str, code: str) -> None:
    browser = here.browser()
    t = (await begun(here, browser)).partition("?t=")[2]
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/login{query.replace('{t}', t)}"))
    assert (reply.status in {400, 404}, here.codes()) == (True, [code])
    assert here.metropole.asked == here.departement.asked == []


async def test_a_choice_is_followed(here: Installation) -> None:
    browser = here.browser()
    t = (await begun(here, browser, PERMIS)).partition("?t=")[2]
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/login?t={t}&provider=departement"))
    assert (reply.text, len(here.departement.asked), here.metropole.asked) == ("permis for alice", 1, [])


async def test_a_sign_in_to_the_portal_itself_ends_on_a_page_that_says_so(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert (reply.status, "You are signed in" in reply.text) == (200, True)
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"
    assert len(here.metropole.asked) == 1
