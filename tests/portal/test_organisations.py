"""A person finds their organisation, and is led to the service that signs its people in."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from gateway.model.directory import FileSource
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import ServesOrganisations
from gateway.model.transaction import OTHER_ACCOUNT
from gateway.organisations.index import organisation_index_path
from gateway.organisations.indexing import make_organisations
from gateway.portal.http.provider_cookie import remember_provider
from tests.portal.browser import Browser, Reply
from tests.portal.installation import PERMIS, PORTAL, Installation

TABLE = """\
name,kind,place,siren,siret,departement,postcodes,domains,insee
Lille,commune,Nord (59),215903501,21590350100017,59,59000,lille.example,59350
Roubaix,commune,Nord (59),215905126,21590512600011,59,59100,,59512
Saint-Denis,commune,Seine-Saint-Denis (93),219300662,,93,93200,,
Saint-Denis,commune,La Réunion (974),219740115,,974,97400,,
Syndicat <b>des eaux</b>,,,,,80,80000,,
"""
PAGE = "/_ecluse/organisation"


@pytest.fixture
async def asks(here: Installation) -> Installation:
    return with_organisations(here)


def with_organisations(here: Installation) -> Installation:
    """`metropole` serves Lille, `departement` the département 93; both are listed by `permis`."""
    path = Path(here.state) / "organisations.csv"
    path.write_text(TABLE, encoding="utf-8")
    table = OrganisationTable("communes", FileSource(str(path), "csv"), "INSEE – Licence Ouverte", "2026-01-15")
    make_organisations([table], Path(here.state))
    serves(here, "metropole", siren=frozenset({"215903501"}), domains=frozenset({"metropole.example"}))
    serves(here, "departement", departements=frozenset({"93"}))
    here.snapshot = replace(here.snapshot, organisations=(table,))
    return here


def serves(here: Installation, provider: str, **what: Any) -> None:
    here.change_provider(provider, serves=ServesOrganisations(**what))


def links(reply: Reply) -> list[tuple[str, str]]:
    """Provider and text of each that leads to a sign-in."""
    found = re.findall(r'<a href="[^"]*login\?[^"]*provider=([a-z]+)[^"]*"[^>]*>(.*?)</a>', reply.text, re.DOTALL)
    return [(provider, " ".join(re.sub("<[^>]*>", "", text).split())) for provider, text in found]


async def asked(here: Installation, browser: Browser | None = None) -> tuple[Browser, str]:
    """The page before anything is typed, and the transaction that it has."""
    browser = here.browser() if browser is None else browser
    reply = await browser.get(here.url(PERMIS))
    assert reply.status == 200
    assert "What is your organisation?" in reply.text
    assert links(reply) == [], "no provider is told of before"
    found = re.search(r'name="t" value="([^"]*)"', reply.text)
    assert found
    return browser, found[1]


async def find(here: Installation, browser: Browser, typed: str, transaction: str = "") -> Reply:
    more = f"&t={transaction}" if transaction else ""
    return await browser.get(here.url(PORTAL, f"{PAGE}?q={typed}{more}"))


async def test_an_organisation_leads_to_the_service_that_signs_its_people_in(asks: Installation) -> None:
    browser, transaction = await asked(asks)
    reply = await find(asks, browser, "LILLE", transaction)
    assert links(reply) == [("metropole", "Lille Municipality, Nord (59)")]
    link = re.search(r'href="([^"]*provider=metropole[^"]*)"', reply.text)
    assert link
    end = await browser.get(asks.url(PORTAL, link[1].replace("&amp;", "&")))
    assert end.url.startswith(asks.url(PERMIS)), "the page that was asked for at first"


async def test_a_shared_name_has_its_place_beside_it(asks: Installation) -> None:
    browser, transaction = await asked(asks)
    reply = await find(asks, browser, "st%20denis", transaction)
    assert links(reply) == [("departement", "Saint-Denis Municipality, Seine-Saint-Denis (93)")]
    assert "La Réunion (974)" in reply.text
    assert "No sign-in service is available here for this organisation." in reply.text


@pytest.mark.parametrize("typed", ["somebody%40lille.example", "somebody%40sub.lille.example", "215903501", "59000"])
async def test_an_address_or_a_number_will_do(asks: Installation, typed: str) -> None:
    browser, transaction = await asked(asks)
    assert [provider for provider, _ in links(await find(asks, browser, typed, transaction))] == ["metropole"]


async def test_an_address_of_a_domain_that_a_provider_names_leads_to_it(asks: Installation) -> None:
    browser, transaction = await asked(asks)
    assert links(await find(asks, browser, "a%40metropole.example", transaction)) == [("metropole", "Metropolis")]


async def test_only_what_the_application_listens_to_is_offered(asks: Installation) -> None:
    browser, transaction = await asked(asks)
    asks.change("permis", providers=("departement",))
    assert links(await find(asks, browser, "lille", transaction)) == []
    serves(asks, "departement", others=True)
    found = links(await find(asks, browser, "lille", transaction))
    assert found == [("departement", "Lille Municipality, Nord (59)"), ("departement", "Département")]


async def test_a_provider_for_all_others_stands_beside_the_search(asks: Installation) -> None:
    serves(asks, "departement", others=True)
    browser = asks.browser()
    reply = await browser.get(asks.url(PORTAL, "/_ecluse/home"))
    assert links(reply) == [("departement", "Département")]
    assert "Can you not find your organisation?" in reply.text


async def test_several_providers_of_one_organisation_are_both_offered(asks: Installation) -> None:
    serves(asks, "departement", siren=frozenset({"215903501"}))
    browser, transaction = await asked(asks)
    found = links(await find(asks, browser, "lille", transaction))
    assert sorted(found) == [("departement", "Département"), ("metropole", "Metropolis")]


async def test_a_stranger_is_asked_for_their_organisation_at_home(asks: Installation) -> None:
    browser = asks.browser()
    reply = await browser.get(asks.url(PORTAL, "/_ecluse/home"))
    assert "What is your organisation?" in reply.text
    assert links(reply) == []
    assert links(await find(asks, browser, "lille")) == [("metropole", "Lille Municipality, Nord (59)")]


async def test_another_account_is_asked_for_through_a_search_too(asks: Installation) -> None:
    browser = asks.browser()
    reply = await browser.get(asks.url(PORTAL, f"/_ecluse/home?{OTHER_ACCOUNT}=1"))
    assert f'<input type="hidden" name="{OTHER_ACCOUNT}" value="1">' in reply.text
    reply = await browser.get(asks.url(PORTAL, f"{PAGE}?{OTHER_ACCOUNT}=1&q=lille"))
    assert f"provider=metropole&amp;{OTHER_ACCOUNT}=1" in reply.text


FORGET = "/_ecluse/organisation/forget"


async def test_the_provider_that_was_chosen_stands_first_until_it_is_forgotten(
    asks: Installation,
) -> None:
    browser, transaction = await asked(asks)
    reply = await find(asks, browser, "lille", transaction)
    link = re.search(r'href="([^"]*provider=metropole[^"]*)"', reply.text)
    assert link
    chosen = asks.url(PORTAL, link[1].replace("&amp;", "&"))
    reply = await browser.get(chosen, follow=False)
    assert not [one for one in reply.set_cookies if "ecluse-provider" in one], "only begun, by a link of anybody's"
    await browser.get(reply.location)
    cookie = browser.jar[PORTAL]["__Host-ecluse-provider"]
    assert remember_provider(cookie) == (
        "__Host-ecluse-provider=metropole; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=15552000"
    ), "nothing of the person, nor of their organisation"
    browser = asks.browser()
    browser.jar[PORTAL] = {"__Host-ecluse-provider": cookie}
    reply = await browser.get(asks.url(PERMIS))
    assert links(reply) == [("metropole", "Metropolis")]
    assert "Same as last time" in reply.text
    found = re.search(r'name="t" value="([^"]*)"', reply.text)
    assert found
    reply = await browser.post(asks.url(PORTAL, FORGET), {"t": found[1], "to": "https://evil.example"})
    assert reply.location == asks.url(PORTAL, f"{PAGE}?t={found[1]}")
    reply = await browser.get(reply.location)
    assert reply.status == 200
    assert "Same as last time" not in reply.text


async def test_another_site_makes_nobody_forget(asks: Installation) -> None:
    cross = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    reply = await asks.browser().post(asks.url(PORTAL, FORGET), {"t": "x"}, **cross)
    assert reply.status == 403
    assert reply.set_cookies == []


async def test_a_form_with_what_is_no_text_is_forgotten_all_the_same(asks: Installation) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = await asks.browser().post(asks.url(PORTAL, FORGET), b"t=%ff", **form)
    assert (reply.status, reply.location) == (303, asks.url(PORTAL, f"{PAGE}?t=%FF"))
    assert (await asks.browser().get(reply.location)).status == 400


@pytest.mark.parametrize("value", ["elections", "nobody", '"><script>', "metropole; __Host-ecluse-provider=a"])
async def test_what_no_longer_serves_the_application_is_not_offered_again(asks: Installation, value: str) -> None:
    browser = asks.browser()
    browser.jar[PORTAL] = {"__Host-ecluse-provider": value}
    reply = await browser.get(asks.url(PERMIS))
    assert links(reply) == []
    assert reply.text.count("<script") == 1, "our own alone"


async def test_a_link_of_another_site_chooses_no_provider_of_the_next_sign_in(asks: Installation) -> None:
    """A sign-in that the provider refused has told nothing of the person."""
    browser = asks.browser()
    reply = await browser.get(asks.url(PORTAL, "/_ecluse/login?provider=metropole"), follow=False)
    state = parse_qs(urlsplit(reply.location).query)["state"][0]
    refused = (
        f"/_ecluse/callback/metropole?state={state}&error=access_denied&iss={quote(asks.metropole.issuer, safe='')}"
    )
    reply = await browser.get(asks.url(PORTAL, refused))
    assert reply.status == 403
    assert "__Host-ecluse-provider" not in browser.jar[PORTAL]


async def test_whose_data_these_are_is_shown_with_their_day(asks: Installation) -> None:
    reply = await asks.browser().get(asks.url(PORTAL, "/_ecluse/home"))
    words = re.sub("<[^>]*>", "", reply.text)
    assert "INSEE – Licence Ouverte (15\u00a0January 2026)" in " ".join(words.split(" "))


async def test_where_nothing_can_be_searched_the_services_are_shown(asks: Installation) -> None:
    organisation_index_path(Path(asks.state)).unlink()
    browser, transaction = await asked(asks)
    reply = await find(asks, browser, "lille", transaction)
    assert "Organisations cannot be searched at the moment" in reply.text
    assert [provider for provider, _ in links(reply)] == ["metropole", "departement"]


async def test_the_organisation_is_told_to_a_provider_that_is_told_it(asks: Installation) -> None:
    request = replace(asks.snapshot.providers["metropole"].request, passed_on=frozenset({"siret_hint"}))  # type: ignore[union-attr]
    asks.change_provider("metropole", request=request)
    browser, transaction = await asked(asks)
    assert "&amp;siret_hint=21590350100017" in (await find(asks, browser, "lille", transaction)).text
    asks.change_provider("departement", request=request)
    reply = await find(asks, browser, "st%20denis", transaction)
    assert len(links(reply)) == 1
    assert "siret_hint" not in reply.text, "the table has none for it"


@pytest.mark.parametrize("typed", ["%22%3E%3Cscript%3E", "%22%20OR%20name:*", "%ff%fe", "+", "%00", "a" * 5000])
async def test_whatever_is_typed_is_text(asks: Installation, typed: str) -> None:
    reply = await find(asks, asks.browser(), typed)
    assert reply.status == 200
    assert reply.text.count("<script") == 1, "our own alone"
    assert "<b>" not in (await find(asks, asks.browser(), "syndicat")).text


async def test_nothing_of_what_is_typed_is_logged_or_kept(asks: Installation) -> None:
    browser, transaction = await asked(asks)
    for typed in ("somebody%40secret.example", "secretname", "secretname%ff"):
        await find(asks, browser, typed, transaction)
    organisation_index_path(Path(asks.state)).write_bytes(b"no index")
    await find(asks, browser, "secretname", transaction)
    reply = await find(asks, browser, "secretname", "gone")
    assert reply.status == 400
    assert "secretname" not in reply.text
    assert "secret" not in str(asks.logged()).lower()
    assert all("secret" not in value for cookies in browser.jar.values() for value in cookies.values())


async def test_without_a_table_the_page_is_the_list_of_services(here: Installation) -> None:
    reply = await here.browser().get(here.url(PORTAL, PAGE))
    assert [provider for provider, _ in links(reply)] == ["metropole", "departement"]
    assert "What is your organisation?" not in reply.text


async def test_where_its_service_does_not_answer_the_second_way_in_stands_beside_it(
    asks: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one for everybody, as ProConnect is."""
    browser, transaction = await asked(asks)
    serves(asks, "departement", others=True)
    found = links(await find(asks, browser, "lille", transaction))
    assert found == [("metropole", "Lille Municipality, Nord (59)"), ("departement", "Département")]
    monkeypatch.setattr(asks.federation, "is_silent", lambda provider: provider.name == "metropole")
    assert links(await find(asks, browser, "lille", transaction)) == [
        ("metropole", "Metropolis Does not answer for the moment"),
        ("departement", "Département"),
        ("departement", "Département"),
    ]
    monkeypatch.setattr(asks.federation, "is_silent", lambda provider: True)
    assert [name for name, _ in links(await find(asks, browser, "lille", transaction))] == [
        "metropole",
        "departement",
    ], "no second way in that does not answer either, but for that of everybody below"
