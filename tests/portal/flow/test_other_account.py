"""Another account, in one click: the provider asks who the person is, and the page asked for is kept."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from gateway.model.provider import Perimeter
from gateway.portal.flow.chooser import MOST_CHOICES
from tests.portal.browser import Browser, Reply
from tests.portal.flow.test_chooser import without_departement
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.test_language import fields
from tests.portal.test_organisations import links

OTHER = "other_account=1"
ORGANISATION = "other_account=organisation"
LOGIN_OTHER = f"/_ecluse/login?to=/dossier%3Fid%3D7&{OTHER}"


async def test_who_is_signed_in_becomes_another_and_comes_to_the_page(here: Installation) -> None:
    browser = here.browser()
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"
    assert "prompt" not in here.metropole.asked[-1]
    browser.jar["127.0.0.1"]["op"] = "bob"
    page = here.url(ACTES, "/dossier?id=7")
    login = here.url(ACTES, "/_ecluse/login?to=/dossier%3Fid%3D7")
    assert (await browser.get(login)).text == "actes for alice", "without it the person is known"
    reply = await browser.get(f"{login}&{OTHER}")
    assert (reply.url, reply.text) == (page, "actes for bob")
    assert here.metropole.asked[-1]["prompt"] == "login"
    assert len(here.metropole.asked) == 2


async def test_a_provider_that_lets_people_choose_an_account_is_asked_to(here: Installation) -> None:
    here.metropole.selects_account = True
    await here.browser().get(here.url(ACTES, f"/_ecluse/login?to=/&{OTHER}"))
    assert here.metropole.asked[-1]["prompt"] == "select_account"


async def test_the_session_goes_on_until_another_has_signed_in(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    await browser.get(here.url(ACTES, f"/_ecluse/login?to=/&{OTHER}"), follow=False)
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"


async def test_home_leads_to_the_provider_of_the_session_at_once(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f'href="/?{OTHER}"' in home.text
    browser.jar["127.0.0.1"]["op"] = "bob"
    await browser.get(here.url(PORTAL, f"/_ecluse/home?{OTHER}"))
    assert here.metropole.asked[-1]["prompt"] == "login"
    assert "Account: bob" in (await browser.get(here.url(PORTAL, "/_ecluse/home"))).text


async def test_home_has_a_way_to_another_organisation_beside_it(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f'href="/?{ORGANISATION}">Choose another organisation</a>' in home.text
    chooser = await browser.get(here.url(PORTAL, f"/_ecluse/home?{ORGANISATION}"))
    assert [name for name, _ in links(chooser)] == ["metropole", "departement"]
    assert f"/_ecluse/login?provider=departement&amp;{OTHER}" in chooser.text
    known = here.snapshot.providers
    here.snapshot = replace(here.snapshot, providers={"metropole": known["metropole"]})
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f'href="/?{OTHER}"' in home.text
    assert ORGANISATION not in home.text, "there is one alone"


# --- at an application that takes several providers: permis listens to metropole and departement


async def signed_in(here: Installation, provider: str) -> Browser:
    browser = here.browser()
    chooser = await browser.get(here.url(PERMIS))
    await browser.get(here.url(PORTAL, dict(links_to(chooser))[provider]))
    assert (await browser.get(here.url(PERMIS))).text == "permis for alice"
    return browser


def links_to(chooser: Reply) -> list[tuple[str, str]]:
    found = re.findall(r'href="(/_ecluse/login[?][^"]*provider=([a-z]+)[^"]*)"', chooser.text)
    return [(name, link.replace("&amp;", "&")) for link, name in found]


@pytest.mark.parametrize("provider", ["metropole", "departement"])
async def test_nobody_chooses_again_the_provider_of_their_session(here: Installation, provider: str) -> None:
    browser, asked = await signed_in(here, provider), getattr(here, provider).asked
    browser.jar["127.0.0.1"]["op"] = "bob"
    reply = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/dossier%3Fid%3D7&{OTHER}"))
    assert (reply.url, reply.text) == (here.url(PERMIS, "/dossier?id=7"), "permis for bob")
    assert ([one.get("prompt") for one in asked], reply.hops[0]) == ([None, "login"], here.url(PERMIS, LOGIN_OTHER))


async def test_a_session_of_the_portal_alone_says_it_too(here: Installation) -> None:
    """The application's host has no seat yet, or no more."""
    browser = await signed_in(here, "departement")
    del browser.jar[PERMIS]
    await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{OTHER}"))
    assert [one.get("prompt") for one in here.departement.asked] == [None, "login"]


async def test_of_two_sessions_that_of_the_application_counts(here: Installation) -> None:
    browser = await signed_in(here, "departement")
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{OTHER}"))
    assert [one.get("prompt") for one in here.departement.asked] == [None, "login"]


async def test_another_organisation_is_chosen_and_the_page_is_kept(here: Installation) -> None:
    browser = await signed_in(here, "departement")
    chooser = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/dossier%3Fid%3D7&{ORGANISATION}"))
    ways = dict(links_to(chooser))
    assert list(ways) == ["departement", "metropole"], "the one of the last time stands first"
    browser.jar["127.0.0.1"]["op"] = "bob"
    reply = await browser.get(here.url(PORTAL, ways["metropole"]))
    assert (reply.url, reply.text) == (here.url(PERMIS, "/dossier?id=7"), "permis for bob")
    assert here.metropole.asked[-1]["prompt"] == "login"


@pytest.mark.parametrize("why", ["nobody", "silent", "unlisted"])
async def test_people_choose_where_their_provider_cannot_be_asked(
    here: Installation, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, offered = await signed_in(here, "departement"), ["metropole", "departement"]
    if why == "nobody":
        browser.jar.clear()
    elif why == "silent":
        monkeypatch.setattr(here.federation, "is_silent", lambda provider: provider.name == "departement")
        # The one of the last time stands first.
        offered = ["departement", "metropole"]
    else:
        without_departement(here)
        offered = ["metropole", "commune"]
    chooser = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{OTHER}"))
    assert [name for name, _ in links(chooser)] == offered
    assert len(here.departement.asked) == 1
    if why != "unlisted":
        home = await browser.get(here.url(PORTAL, f"/_ecluse/home?{OTHER}"))
        assert [name for name, _ in links(home)] == offered


async def test_the_one_that_is_left_is_asked(here: Installation) -> None:
    browser = await signed_in(here, "departement")
    here.change("permis", providers=("metropole",))
    reply = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{OTHER}"))
    assert reply.text == "permis for alice"
    assert [one["prompt"] for one in here.metropole.asked] == ["login"]


# --- links that others make


async def test_a_link_names_no_provider_at_an_application(here: Installation) -> None:
    browser = await signed_in(here, "departement")
    for more in ("provider=metropole", "idp_hint=metropole", f"t=x&{OTHER[:-1]}organisation=1"):
        link = f"/_ecluse/login?to=/&{OTHER}&{more}"
        reply = await browser.get(here.url(PERMIS, link), follow=False)
        if reply.status == 303:
            await browser.get(reply.location)
    assert here.metropole.asked == []


@pytest.mark.parametrize("value", ["departement", "2", "Organisation", "%ff", "https%3A%2F%2Fevil.example"])
async def test_what_a_link_says_of_another_account_is_no_more_than_that(here: Installation, value: str) -> None:
    browser = await signed_in(here, "metropole")
    await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&other_account={value}"))
    assert [one.get("prompt") for one in here.metropole.asked] == [None, "login"]
    assert here.departement.asked == []


@pytest.mark.parametrize("how", [OTHER, ORGANISATION])
@pytest.mark.parametrize(
    "to", ["https%3A%2F%2Fevil.example/", "//evil.example/", "/%5Cevil.example", "/_ecluse/logout"]
)
async def test_nobody_is_led_where_a_link_says(here: Installation, how: str, to: str) -> None:
    browser = await signed_in(here, "metropole")
    page = await browser.get(here.url(PERMIS, f"/_ecluse/login?to={to}&{how}"))
    if how == ORGANISATION:
        page = await browser.get(here.url(PORTAL, dict(links_to(page))["metropole"]))
    assert page.url == here.url(PERMIS)


@pytest.mark.parametrize("how", [OTHER, ORGANISATION])
async def test_a_provider_that_is_not_listed_is_refused_on_the_way(here: Installation, how: str) -> None:
    browser = await signed_in(here, "metropole")
    start = (await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{how}"), follow=False)).location
    here.change("permis", providers=("metropole",))
    await browser.get(start.replace("/start?", "/login?provider=departement&"))
    assert (here.codes(), here.departement.asked) == (["login.unknown_provider"], [])


async def test_no_picture_asks_for_another_account(here: Installation) -> None:
    browser = await signed_in(here, "metropole")
    image = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"}
    reply = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{OTHER}"), **image)
    assert reply.status == 401
    # Browsers say along all of a redirect what it is for.
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/home?{OTHER}"), follow=False, **image)
    assert (await browser.get(reply.location, **image)).status == 401
    assert len(here.metropole.asked) == 1


# --- a sign-in as somebody else that came to nothing


async def refused_by_provider(here: Installation, browser: Browser, how: str, error: str) -> Reply:
    """The provider of the session answers with an error, to who chose it or is asked by it at once."""
    page = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/dossier%3Fid%3D7&{how}"), follow=False)
    page = await browser.get(page.location, follow=False)
    if how == ORGANISATION:
        page = await browser.get(here.url(PORTAL, dict(links_to(page))["metropole"]), follow=False)
    state = parse_qs(urlsplit(page.location).query)["state"][0]
    said = f"state={state}&error={error}&iss={quote(here.metropole.issuer, safe='')}"
    return await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?{said}"))


def way_on(reply: Reply, text: str) -> str:
    found = re.search(rf'<a href="([^"]*)">{text}</a>', reply.text)
    return "" if found is None else unescape(found[1])


@pytest.mark.parametrize("error", ["access_denied", "login_required", "temporarily_unavailable"])
async def test_who_starts_again_is_asked_again_and_does_not_stay_who_they_are(here: Installation, error: str) -> None:
    browser = await signed_in(here, "metropole")
    refused = await refused_by_provider(here, browser, OTHER, error)
    assert (await browser.get(here.url(PERMIS))).text == "permis for alice", "until somebody has signed in"
    elsewhere = await browser.get(way_on(refused, "Choose another organisation"))
    assert list(dict(links_to(elsewhere))) == ["metropole", "departement"]
    browser.jar["127.0.0.1"]["op"] = "bob"
    reply = await browser.get(way_on(refused, "Start again"))
    assert (reply.url, reply.text) == (here.url(PERMIS, "/dossier?id=7"), "permis for bob")


async def test_who_chose_an_organisation_starts_again_at_the_choice(here: Installation) -> None:
    browser = await signed_in(here, "departement")
    refused = await refused_by_provider(here, browser, ORGANISATION, "access_denied")
    assert way_on(refused, "Choose another organisation") == "", "it is where one starts again"
    chooser = await browser.get(way_on(refused, "Start again"))
    assert list(dict(links_to(chooser))) == ["departement", "metropole"]


@pytest.mark.parametrize("value", ["departement", "%26again%3D1%26to%3D/x", "1" * 2000])
async def test_what_a_link_says_of_another_account_is_kept_nowhere_and_stands_in_no_page(
    here: Installation, value: str
) -> None:
    browser = await signed_in(here, "metropole")
    refused = await refused_by_provider(here, browser, f"other_account={value}", "access_denied")
    assert way_on(refused, "Start again") == here.url(PERMIS, LOGIN_OTHER)
    assert way_on(refused, "Choose another organisation") == here.url(PERMIS, LOGIN_OTHER).replace(OTHER, ORGANISATION)


async def test_who_is_no_person_of_the_one_they_chose_has_both_ways_on(here: Installation) -> None:
    browser = await signed_in(here, "metropole")
    here.change_provider("departement", perimeter=Perimeter(attributes={"uid": frozenset({"nobody"})}))
    chooser = await browser.get(here.url(PERMIS, f"/_ecluse/login?to=/&{ORGANISATION}"))
    refused = await browser.get(here.url(PORTAL, dict(links_to(chooser))["departement"]))
    login = here.url(PERMIS, "/_ecluse/login?to=/&")
    assert refused.status == 403
    assert way_on(refused, "Use another account") == login + OTHER
    assert way_on(refused, "Choose another organisation") == login + ORGANISATION


async def test_who_has_no_session_has_one_link_to_the_choice_and_not_two(here: Installation) -> None:
    here.change_provider("departement", perimeter=Perimeter(attributes={"uid": frozenset({"nobody"})}))
    browser = here.browser()
    chooser = await browser.get(here.url(PERMIS, "/dossier?id=7"))
    refused = await browser.get(here.url(PORTAL, dict(links_to(chooser))["departement"]))
    in_french = await browser.post(here.url(PORTAL, "/_ecluse/language"), fields(refused))
    for shown, text in ((refused, "Use another account"), (in_french, "Utiliser un autre compte")):
        assert shown.status == 403
        assert way_on(shown, text) == here.url(PERMIS, LOGIN_OTHER)
        assert ORGANISATION not in shown.text
    chooser = await browser.get(way_on(refused, "Use another account"))
    assert list(dict(links_to(chooser))) == ["metropole", "departement"]
    reply = await browser.get(here.url(PORTAL, dict(links_to(chooser))["metropole"]))
    assert (reply.url, reply.text) == (here.url(PERMIS, "/dossier?id=7"), "permis for alice")


async def test_at_the_portal_itself_who_is_refused_chooses_again(here: Installation) -> None:
    here.change_provider("departement", perimeter=Perimeter(attributes={"uid": frozenset({"nobody"})}))
    for browser in (here.browser(), await signed_in(here, "metropole")):
        refused = await browser.get(here.url(PORTAL, "/_ecluse/login?provider=departement"))
        assert refused.status == 403
        assert way_on(refused, "Use another account") == f"/_ecluse/home?{ORGANISATION}"
        chooser = await browser.get(here.url(PORTAL, f"/_ecluse/home?{ORGANISATION}"))
        assert list(dict(links_to(chooser))) == ["metropole", "departement"]


# --- the portal takes more than a page shows, and has no table of organisations


@pytest.mark.parametrize("silent", [False, True])
async def test_where_there_are_too_many_to_choose_from_nobody_is_led_to_a_choice(
    here: Installation, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    browser, known = await signed_in(here, "metropole"), here.snapshot.providers
    more = {f"p{number}": replace(known["departement"], name=f"p{number}") for number in range(MOST_CHOICES)}
    here.snapshot = replace(here.snapshot, providers={**known, **more})
    monkeypatch.setattr(here.federation, "is_silent", lambda provider: silent)
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f'href="/?{OTHER}"' in home.text
    assert ORGANISATION not in home.text
    for number, how in enumerate((OTHER, ORGANISATION), start=2):
        await browser.get(here.url(PORTAL, f"/?{how}"))
        assert [one.get("prompt") for one in here.metropole.asked] == [None, *["login"] * (number - 1)]
    assert "No session is open" in (await here.browser().get(here.url(PORTAL, f"/?{ORGANISATION}"))).text
