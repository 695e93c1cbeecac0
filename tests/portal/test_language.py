"""The choice of a language: kept, and the page shown once more in it."""

import re
from dataclasses import replace
from html import unescape

import pytest

from gateway.config.host_applications import HostApplications
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation

COOKIE = "__Host-ecluse-lang"
LINK = '/_ecluse/language?language=fr" lang="fr" hreflang="fr" referrerpolicy="same-origin">Français</a>'


def fields(reply: Reply) -> dict[str, str]:
    """Of the form that a page has where its address cannot be asked for again."""
    form = re.search('<form method="post" action="/_ecluse/language">(.*?)</form>', reply.text, re.DOTALL)
    assert form is not None, reply.text
    found = re.findall('name="([^"]*)" value="([^"]*)"', form[1])
    return {name: unescape(value) for name, value in found}


async def in_french(here: Installation, browser: Browser, reply: Reply) -> Reply:
    """By the form of this page."""
    host = reply.url.split("//")[1].partition(":")[0]
    shown = await browser.post(here.url(host, "/_ecluse/language"), fields(reply))
    assert '<html lang="fr">' in shown.text, shown.text
    assert browser.jar[host][COOKIE] == "fr"
    return shown


async def test_a_page_that_may_be_asked_for_again_is_so_by_a_link(here: Installation) -> None:
    browser, page = here.browser(), here.url(PORTAL, "/_ecluse/home?q=a")
    shown = await browser.get(page)
    assert LINK in shown.text
    assert "Vary" in shown.headers
    chosen = await browser.get(
        here.url(PORTAL, "/_ecluse/language?language=fr"), follow=False, Referer=page, Sec_Fetch_Site="same-origin"
    )
    assert (chosen.status, chosen.location, chosen.headers["Cache-Control"]) == (303, page, "no-store")
    (cookie,) = chosen.set_cookies
    assert cookie == f"{COOKIE}=fr; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000"
    assert '<html lang="fr">' in (await browser.get(page)).text


@pytest.mark.parametrize(
    ("referer", "leads"),
    [
        ("/dossier?id=7", "/dossier?id=7"),
        ("/_ecluse/logout", "/_ecluse/logout"),
        ("/_ecluse/enter?code=abc", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
async def test_it_leads_to_this_host_alone_and_uses_nothing_up(here: Installation, referer: str, leads: str) -> None:
    told = {"Referer": here.url(PERMIS).rstrip("/") + referer} if referer else {}
    reply = await here.browser().get(
        here.url(PERMIS, "/_ecluse/language?language=en"), follow=False, Sec_Fetch_Site="same-origin", **told
    )
    assert reply.location == here.url(PERMIS).rstrip("/") + leads


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_other_site_chooses(here: Installation, method: str) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example/", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Referer": here.url(ACTES), "Origin": here.url(ACTES)},
        {},
    ):
        data = {"language": "fr", "page": "policy.denied", "reference": "r"} if method == "POST" else None
        reply = await here.browser().send(
            method, here.url(PERMIS, "/_ecluse/language?language=fr"), headers=headers, data=data
        )
        assert (reply.status, reply.set_cookies) == (403, [])


async def test_a_language_that_we_do_not_speak_is_refused(here: Installation) -> None:
    url = here.url(PERMIS, "/_ecluse/language")
    unknown = ({"language": "fr", "page": page} for page in ("nothing", "post_kept", "signed_out"))
    for data in ({"language": "de"}, {}, *unknown):
        assert (await here.browser().post(url, data)).status == 400


async def test_signing_out_is_told_in_the_other_language_and_not_done_twice(here: Installation) -> None:
    """Its page is asked for by itself, so that the choice, Back and a reload send nothing."""
    browser = here.browser()
    await browser.get(here.url(ACTES))
    out = await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert "You are signed out" in out.text
    assert LINK in out.text
    told = len(here.logged())
    link = here.url(ACTES, "/_ecluse/language?language=fr")
    shown = await browser.get(link, Referer=out.url, Sec_Fetch_Site="same-origin")
    assert shown.url == out.url
    assert "<h1>Votre session est fermée</h1>" in shown.text
    assert f'href="{here.url(ACTES)}"' in shown.text, "the way back to the application"
    assert not [event for event in here.logged()[told:] if event["event"] == "logout"]


async def test_an_error_of_a_provider_is_told_in_the_other_language_with_its_way_on(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={'x' * 43}&error=access_denied"))
    shown = await in_french(here, browser, reply)
    assert shown.status == reply.status == 400
    browser = here.browser()
    asked = (await browser.get((await browser.get(here.url(ACTES), follow=False)).location, follow=False)).location
    state = asked.partition("state=")[2].partition("&")[0]
    error = f"error=access_denied&iss={here.metropole.issuer}"
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={state}&{error}"))
    shown = await in_french(here, browser, reply)
    assert f"{here.url(ACTES)}_ecluse/login?to=/" in shown.text
    references = [re.findall("<code>(.*?)</code>", page.text) for page in (reply, shown)]
    assert references[0] == references[1]
    assert shown.status == 403


async def test_the_choice_goes_with_a_sign_in_to_the_other_hosts(here: Installation) -> None:
    browser = here.browser()
    browser.jar["actes.localhost"] = {COOKIE: "fr"}
    await browser.get(here.url(ACTES))
    assert browser.jar[PORTAL][COOKIE] == "fr"
    await browser.get(here.url(PERMIS))
    assert browser.jar["permis.localhost"][COOKIE] == "fr"


async def test_a_way_back_leads_into_an_application_alone(here: Installation) -> None:
    browser, url = here.browser(), here.url(PORTAL, "/_ecluse/language")
    for back, stays in (
        (here.url(ACTES, "/_ecluse/login?to=/"), True),
        ("/_ecluse/logout", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("javascript:alert(1)", False),
        (here.url(ACTES).rstrip("/") + ".evil.example/", False),
        ("http://[", False),
        # An application's host, by another scheme: a script, or a way past TLS.
        (f"javascript:{here.url(ACTES, '/').partition(':')[2]}%0aalert(1)", False),
        (here.url(ACTES, "/").replace("http", "ftp", 1), False),
    ):
        data = {"language": "en", "page": "policy.denied", "reference": "r", "back": back}
        reply = await browser.post(url, data)
        assert (f'href="{back}"' in reply.text) == stays, back
        assert reply.status == 403


async def test_an_applications_own_words_are_told_in_the_other_language(here: Installation) -> None:
    browser = here.browser()
    data = {"language": "fr", "page": "policy.not_allowed", "reference": "r"}
    data |= {"refusal.fr": "Réservé aux <élus>.", "refusal.en": "For elected members."}
    shown = await browser.post(here.url(ACTES, "/_ecluse/language"), data)
    assert "<p>Réservé aux &lt;élus&gt;.</p>" in shown.text
    back = await browser.post(here.url(ACTES, "/_ecluse/language"), fields(shown) | {"language": "en"})
    assert "<p>For elected members.</p>" in back.text


@pytest.mark.parametrize(("name", "services"), [("permis", 2), ("actes", 1)])
async def test_on_a_divided_host_it_is_the_page_of_the_application_that_it_leads_to(
    here: Installation, name: str, services: int
) -> None:
    browser, apps = here.browser(), here.snapshot.apps
    divided = [replace(apps[one], hosts=(ACTES,), path=f"/{one}") for one in ("actes", "permis")]
    await browser.get(here.url(ACTES))
    there = HostApplications(None, (divided[0], divided[1]))
    here.snapshot = replace(here.snapshot, exact_hosts={**here.snapshot.exact_hosts, ACTES: there})
    for link in (f"/_ecluse/login?to=/{name}/a%3Fb&other_account=1", f"/{name}/"):
        back = here.url(ACTES, link)
        data = {"language": "en", "page": "policy.not_allowed", "reference": "r", "back": back}
        shown = await browser.post(here.url(ACTES, "/_ecluse/language"), data)
        assert f'<p class="app">{name}</p>' in shown.text
        assert f'href="{back.replace("&", "&amp;")}"' in shown.text, "the way on is kept"
        is_login = "login" in link
        assert ("Choose another organisation" in shown.text) == (is_login and services > 1)
