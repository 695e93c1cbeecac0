"""What an app's script may read, and what a person sees on the portal."""

import json
from dataclasses import replace

import pytest

from gateway.model.provider import AttributeSource
from gateway.ops.log import short_reference
from gateway.translation.render import Translation
from gateway.translation.specs import Constant, CookieSpec, FromAttribute, HeaderSpec
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation


async def test_the_session_is_what_the_app_receives_about_the_person_and_no_more(here: Installation) -> None:
    """K019. A constant may be the secret of a service account, and every script of the host reads this page."""
    browser = here.browser()
    await browser.get(here.url(ACTES))
    reply = await browser.get(here.url(ACTES, "/_ecluse/session"))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    told = json.loads(reply.text)
    assert 1700 < told.pop("expires_in") <= 1800
    assert told == {
        "provider": "metropole",
        "headers": {"X-Remote-User": "alice"},
        "cookies": {},
    }
    for secret in ("a-secret-access-token", "sid-alice", *browser.jar[ACTES].values()):
        assert secret not in reply.text


async def test_where_one_host_is_portal_and_app_the_app_is_named_too(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    browser = one_host.browser()
    await browser.get(one_host.url(PERMIS))
    assert "permis" in (await browser.get(one_host.url(PERMIS, "/_ecluse/sessions"))).text
    (session,) = await one_host.sessions.of_browser(PERMIS, browser.jar[PERMIS]["__Host-ecluse"].encode())
    assert session.apps == ("permis",)


async def test_asking_is_no_use_of_the_session(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    for _ in range(3):
        here.clock.ahead += 700
        status = (await browser.get(here.url(ACTES, "/_ecluse/session"))).status
    assert status == 401


async def test_nobody_gets_401_json(here: Installation) -> None:
    """CS03."""
    reply = await here.browser().get(here.url(ACTES, "/_ecluse/session"), Origin="https://evil.example")
    assert reply.status == 401
    assert json.loads(reply.text) == {
        "error": "session.required",
        "message": "Please sign in",
        "reference": short_reference("request-1"),
        "request_id": "request-1",
        "login_url": here.url(ACTES, "/_ecluse/login?to=/"),
    }
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_a_provider_that_the_app_no_longer_lists_is_nobody(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    here.change("actes", providers=("departement",))
    assert (await browser.get(here.url(ACTES, "/_ecluse/session"))).status == 401


async def test_values_are_told_in_the_charset_of_the_app(here: Installation) -> None:
    specs = tuple(
        HeaderSpec(f"X-{encoding}", FromAttribute("uid"), encoding=encoding) for encoding in ("latin1", "utf8")
    )
    here.change("actes", translation=Translation.compile(specs, ()))
    here.metropole.tamper = lambda claims: claims | {"preferred_username": "Éloïse"}
    browser = here.browser()
    await browser.get(here.url(ACTES))
    told = json.loads((await browser.get(here.url(ACTES, "/_ecluse/session"))).text)
    assert told["headers"] == {"X-latin1": "Éloïse", "X-utf8": "Éloïse"}


async def test_a_constant_is_told_in_no_form(here: Installation) -> None:
    secret = Constant("Basic c2VydmljZTpzZWNyZXQ=")
    headers = (HeaderSpec("Authorization", secret), HeaderSpec("X-Proof", secret, encoding="base64"))
    cookies = (CookieSpec("proof", secret, encoding="percent-utf8"), CookieSpec("who", FromAttribute("uid")))
    here.change("actes", translation=Translation.compile(headers, cookies))
    browser = here.browser()
    await browser.get(here.url(ACTES))
    told = json.loads((await browser.get(here.url(ACTES, "/_ecluse/session"))).text)
    assert (told["headers"], told["cookies"]) == ({}, {"who": "alice"})


async def test_the_portal_lists_the_sessions_of_this_browser(here: Installation) -> None:
    here.change("elections", providers=("metropole",))
    browser = here.browser()
    await browser.get(here.url(ACTES))
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    await browser.get(here.url(ELECTIONS))
    await here.browser("bob").get(here.url(ACTES))
    reply = await browser.get(here.url(PORTAL, "/_ecluse/sessions"))
    assert reply.status == 200
    assert (reply.text.count("<h2>"), reply.text.count("Metropolis")) == (2, 2)
    assert ("actes" in reply.text, "elections" in reply.text) == (True, True)


@pytest.mark.parametrize(("language", "word"), [("en", "Account:"), ("fr", "Compte\u00a0:")])
async def test_a_list_of_sessions_names_the_person_of_each_in_both_languages(
    here: Installation, language: str, word: str
) -> None:
    here.change_provider("metropole", attributes={"uid": AttributeSource(("preferred_username",))})
    here.change("elections", providers=("metropole",))
    browser = here.browser()
    for host, target in ((ACTES, "/"), (PORTAL, "/_ecluse/login?provider=metropole"), (ELECTIONS, "/")):
        await browser.get(here.url(host, target))
    sessions = await browser.get(here.url(PORTAL, "/_ecluse/sessions"), Accept_Language=language)
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"), Accept_Language=language)
    assert sessions.text.count(f"<dt>{word}</dt><dd>alice</dd>") == 2
    assert home.text.count(f"{word} alice<br>") == 2


async def test_the_portal_shows_nothing_to_nobody(here: Installation) -> None:
    reply = await here.browser().get(here.url(PORTAL, "/_ecluse/sessions"))
    assert (reply.status, "Your applications ask you to sign in" in reply.text) == (401, True)
    assert '<p class="act"><a href="/_ecluse/home">Sign in</a></p>' in reply.text
    # With no provider at all, that page says the same: it does not lead to itself.
    here.snapshot = replace(here.snapshot, providers={})
    for path in ("/", "/_ecluse/home"):
        assert 'class="act"' not in (await here.browser().get(here.url(PORTAL, path))).text
