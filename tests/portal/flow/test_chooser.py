"""Which provider is offered first, or alone, by where a person is and what they ask for."""

import re
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.portal.browser import Browser
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.test_organisations import FORGET, PAGE, links, serves, with_organisations

HERE = (ip_network("127.0.0.0/8"),)
ELSEWHERE = (ip_network("192.0.2.0/24"),)
LOGIN = "/_ecluse/login?to=/"


def without_departement(here: Installation) -> None:
    """`permis` listens to two others."""
    known = here.snapshot.providers
    here.snapshot = replace(here.snapshot, providers={**known, "commune": replace(known["metropole"], name="commune")})
    here.change("permis", providers=("metropole", "commune"))


async def test_the_provider_of_the_network_stands_first(here: Installation) -> None:
    serves(here, "departement", networks=HERE)
    serves(here, "metropole", networks=ELSEWHERE)
    for address in (here.url(PERMIS), here.url(PORTAL, "/_ecluse/home")):
        reply = await here.browser().get(address)
        assert [name for name, _ in links(reply)] == ["departement", "metropole"]
        first, _, other = reply.text.partition("Other sign-in services")
        assert "Suggested on your network" in first
        assert "provider=departement" in first
        assert "provider=metropole" in other, "a visitor finds theirs"


async def test_a_network_takes_nobody_to_a_provider_that_the_application_does_not_list(here: Installation) -> None:
    serves(here, "departement", networks=HERE)
    without_departement(here)
    reply = await here.browser().get(here.url(PERMIS))
    assert [name for name, _ in links(reply)] == ["metropole", "commune"]
    assert "Suggested on your network" not in reply.text


async def test_elsewhere_nothing_is_suggested(here: Installation) -> None:
    serves(here, "departement", networks=ELSEWHERE)
    reply = await here.browser().get(here.url(PERMIS))
    assert [name for name, _ in links(reply)] == ["metropole", "departement"]
    assert "on your network" not in reply.text


async def test_the_provider_of_the_network_stands_above_the_search_for_organisations(here: Installation) -> None:
    with_organisations(here)
    serves(here, "departement", departements=frozenset({"93"}), networks=HERE)
    reply = await here.browser().get(here.url(PERMIS))
    assert [name for name, _ in links(reply)] == ["departement"]
    assert reply.text.index("Suggested on your network") < reply.text.index("Another organisation")


@pytest.mark.parametrize("searched", [False, True])
async def test_who_is_signed_in_with_a_service_that_is_not_taken_is_told_so(here: Installation, searched: bool) -> None:
    """They are asked to choose although they have a session: the page says whose it is, and leads to what it opens."""
    if searched:
        with_organisations(here)
    browser, told = here.browser(), "does not accept the sign-in service of your open session: <span>Metropolis</span>"
    await browser.get(here.url(ACTES))
    known = here.snapshot.providers
    here.snapshot = replace(here.snapshot, providers={**known, "commune": replace(known["metropole"], name="commune")})
    here.change("permis", providers=("departement", "commune"))
    reply = await browser.get(here.url(PERMIS))
    assert told in reply.text
    assert '<a href="/_ecluse/home">Your applications</a>' in reply.text
    assert "Account: alice" in reply.text
    nobody = await here.browser().get(here.url(PERMIS))
    assert "your open session" not in nobody.text
    assert "Your applications" not in nobody.text


async def test_at_a_host_that_is_all_of_one_providers_people_nobody_is_asked(here: Installation) -> None:
    serves(here, "departement", hosts=frozenset({PERMIS}))
    reply = await here.browser().get(here.url(PERMIS))
    assert reply.text.startswith("permis for")
    assert not any("metropole" in hop for hop in reply.hops)


async def test_another_account_at_such_a_host_may_be_of_another_provider(here: Installation) -> None:
    serves(here, "departement", hosts=frozenset({PERMIS}))
    reply = await here.browser().get(here.url(PERMIS, f"{LOGIN}&other_account=1"))
    assert [name for name, _ in links(reply)] == ["metropole", "departement"]


async def test_such_a_host_keeps_the_hints_of_the_link(here: Installation) -> None:
    request = here.snapshot.providers["departement"].request  # type: ignore[union-attr]
    here.change_provider("departement", request=replace(request, passed_on=frozenset({"login_hint"})))
    serves(here, "departement", hosts=frozenset({PERMIS}))
    browser = here.browser()
    start = (await browser.get(here.url(PERMIS, "/?login_hint=a%40lille.example"), follow=False)).location
    asked = (await browser.get(start, follow=False)).location
    assert parse_qs(urlsplit(asked).query)["login_hint"] == ["a@lille.example"]


@pytest.mark.parametrize("why", ["two", "silent", "unlisted"])
async def test_people_choose_where_the_host_says_nothing_for_certain(
    here: Installation, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(here, "departement", hosts=frozenset({PERMIS}))
    offered = ["metropole", "departement"]
    if why == "two":
        serves(here, "metropole", hosts=frozenset({PERMIS}))
    elif why == "silent":
        monkeypatch.setattr(here.federation, "is_silent", lambda provider: provider.name == "departement")
    else:
        without_departement(here)
        offered = ["metropole", "commune"]
    reply = await here.browser().get(here.url(PERMIS))
    assert [name for name, _ in links(reply)] == offered


# --- without a table of organisations, what was chosen in this browser


async def after_a_sign_in(here: Installation, provider: str) -> Browser:
    """Another day: the browser has what it was told to remember, and no session."""
    browser = here.browser()
    begun = await browser.get(here.url(PORTAL, f"/_ecluse/login?provider={provider}"), follow=False)
    assert not [one for one in begun.set_cookies if "ecluse-provider" in one], "only begun, by a link of anybody's"
    await browser.get(begun.location)
    later = here.browser()
    later.jar[PORTAL] = {name: value for name, value in browser.jar[PORTAL].items() if "ecluse-provider" in name}
    return later


async def test_the_provider_of_the_last_time_stands_first_until_it_is_forgotten(here: Installation) -> None:
    browser = await after_a_sign_in(here, "departement")
    assert browser.jar[PORTAL] == {"__Host-ecluse-provider": "departement"}
    for address in (here.url(PORTAL, "/_ecluse/home"), here.url(PERMIS)):
        reply = await browser.get(address)
        first, _, others = reply.text.partition("Other sign-in services")
        assert "Same as last time" in first
        assert "provider=departement" in first
        assert [name for name, _ in links(reply)] == ["departement", "metropole"], "each once"
        assert "provider=metropole" in others
    transaction = re.search(r'name="t" value="([^"]*)"', reply.text)
    assert transaction
    reply = await browser.post(here.url(PORTAL, FORGET), {"t": transaction[1]})
    assert reply.location == here.url(PORTAL, f"{PAGE}?t={transaction[1]}")
    reply = await browser.get(reply.location)
    assert [name for name, _ in links(reply)] == ["metropole", "departement"]
    assert "Same as last time" not in reply.text


async def test_the_provider_of_the_network_that_is_also_that_of_the_last_time_stands_once(here: Installation) -> None:
    serves(here, "departement", networks=HERE)
    browser = await after_a_sign_in(here, "departement")
    reply = await browser.get(here.url(PERMIS))
    assert [name for name, _ in links(reply)] == ["departement", "metropole"]
    assert "on your network" not in reply.text


@pytest.mark.parametrize("value", ["elections", "nobody", '"><script>', "metropole; __Host-ecluse-provider=a"])
async def test_what_the_application_does_not_list_is_not_offered_again(here: Installation, value: str) -> None:
    without_departement(here)
    browser = here.browser()
    browser.jar[PORTAL] = {"__Host-ecluse-provider": value}
    reply = await browser.get(here.url(PERMIS))
    assert "Same as last time" not in reply.text
    assert [name for name, _ in links(reply)] == ["metropole", "commune"]
    assert "<script" not in reply.text


async def test_where_nobody_chooses_nothing_is_remembered(here: Installation) -> None:
    here.snapshot = replace(here.snapshot, providers={"metropole": here.snapshot.providers["metropole"]})
    browser = here.browser()
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert "__Host-ecluse" in browser.jar[PORTAL]
    assert "__Host-ecluse-provider" not in browser.jar[PORTAL]
