"""Who may act for several organisations chooses one, and is nobody of the others there."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.model.directory import FileSource
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import AttributeSource, Perimeter
from gateway.organisations.indexing import make_organisations
from tests.portal.browser import Browser, Reply, leads_to
from tests.portal.installation import ACTES, PORTAL, Installation
from tests.portal.openid.test_provider_logout import token, told

LYCEE, COMMUNE, OTHER = "19590123400017", "21590350100017", "21590512600011"
SOURCES = {
    name: AttributeSource((claim,))
    for name, claim in {"uid": "preferred_username", "siret": "siret", "siren": "siren", "grade": "grade"}.items()
}


def may_act_for(here: Installation, *sirets: str, **more: Any) -> None:
    told = {"siret": list(sirets), "siren": [siret[:9] for siret in sirets], "grade": ["A", *sirets]}
    here.metropole.tamper = lambda claims: {**claims, **told, **more}
    here.change_provider("metropole", tenant_attribute="siret", chooses_tenant=True, attributes=SOURCES)


async def arrived(here: Installation, browser: Browser) -> Reply:
    """At the page that asks, on the way to an application."""
    page = await browser.get(here.url(ACTES, "/dossiers?a=1"))
    assert (page.status, urlsplit(page.url).path) == (200, "/_ecluse/acting")
    return page


async def choose(here: Installation, browser: Browser, page: Reply, siret: str, **headers: str) -> Reply:
    id = parse_qs(urlsplit(page.url).query)["c"][0]
    return await browser.post(here.url(PORTAL, "/_ecluse/acting"), {"c": id, "organisation": siret}, **headers)


async def acts_for(here: Installation, browser: Browser, host: str = ACTES) -> tuple[str | None, dict[str, Any]]:
    seat = await here.sessions.load(host, browser.jar[host]["__Host-ecluse"].encode())
    assert seat is not None
    return seat.tenant, dict(seat.identity.attributes)


async def test_the_session_has_the_one_that_was_chosen_and_no_number_of_another(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    assert re.findall('name="organisation" value="([^"]*)"', page.text) == [LYCEE, COMMUNE]
    assert "__Host-ecluse" not in browser.jar.get(PORTAL, {}), "nobody is signed in before they have chosen"
    chosen = await choose(here, browser, page, COMMUNE)
    reply = await browser.get(chosen.location)
    assert reply.url == here.url(ACTES, "/dossiers?a=1")
    assert await acts_for(here, browser) == (
        COMMUNE,
        {"uid": ("alice",), "siret": (COMMUNE,), "siren": (COMMUNE[:9],), "grade": ("A", COMMUNE)},
    )
    assert [line["tenant"] for line in here.logged() if line["event"] == "login.succeeded"] == [COMMUNE]


async def test_a_choice_says_nothing_of_a_provider_that_has_died_since(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    assert here.standings.news()["metropole"].get("back")
    await choose(here, browser, page, COMMUNE)
    assert here.standings.news() == {}


async def test_a_number_of_another_is_one_also_where_it_is_tagged_or_grouped(here: Installation) -> None:
    own, others = "215 903 501 00017", [f"{{SIRET}}{LYCEE}", f"{{siren}}{LYCEE[:9]}", "195 901 234 00017"]
    may_act_for(here, LYCEE, COMMUNE, grade=["A", own, *others, f"{{SIRET}}{COMMUNE}"])
    browser = here.browser()
    await browser.get((await choose(here, browser, await arrived(here, browser), COMMUNE)).location)
    assert (await acts_for(here, browser))[1]["grade"] == ("A", own, f"{{SIRET}}{COMMUNE}")


async def test_a_choice_is_remembered_and_changing_it_ends_what_was_before(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    as_teacher = browser.jar[ACTES]["__Host-ecluse"].encode()
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert LYCEE in home.text
    assert "Act for another organisation" in home.text
    await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    await browser.get(here.url(ACTES))
    assert (await acts_for(here, browser))[0] == LYCEE, "remembered in this browser"

    as_teacher = browser.jar[ACTES]["__Host-ecluse"].encode()
    seat = await here.sessions.load(ACTES, as_teacher)
    assert seat is not None
    changed = await browser.post(here.url(PORTAL, "/_ecluse/acting/change"))
    # A page that leads there, and no redirect: browsers hold the form's page against one to another origin.
    assert (changed.status, leads_to(changed)) == (200, here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert not seat.live, "in force in every worker"
    assert await here.sessions.load(ACTES, as_teacher) is None, "not both at once"
    page = await browser.get(changed.location)
    assert urlsplit(page.url).path == "/_ecluse/acting"
    await choose(here, browser, page, COMMUNE)
    assert (await acts_for(here, browser, PORTAL))[0] == COMMUNE
    await browser.get(here.url(ACTES))
    assert (await acts_for(here, browser))[0] == COMMUNE


# As the documented import writes it: no SIRET.
NAMES = """\
name,siren
Lille,215903501
Roubaix,215905126
"""


def with_names(here: Installation) -> None:
    path = Path(here.state) / "organisations.csv"
    path.write_text(NAMES, encoding="utf-8")
    table = OrganisationTable("communes", FileSource(str(path), "csv"))
    make_organisations([table], Path(here.state))
    here.snapshot = replace(here.snapshot, organisations=(table,))


async def test_organisations_are_named_by_their_siren_with_the_number_beside(here: Installation) -> None:
    with_names(here)
    # However many there are.
    others = [f"21590351100{number:03d}" for number in range(40)]
    may_act_for(here, LYCEE, *others, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    assert f"<strong>{LYCEE}</strong>" in page.text, "no table has it"
    assert f"<strong>Lille</strong><br><small>{COMMUNE}</small>" in page.text
    assert "Act for Lille" in page.text
    await browser.get((await choose(here, browser, page, COMMUNE)).location)
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f"<strong>Lille</strong><br><small>{COMMUNE}</small>" in home.text


async def test_the_page_that_asks_is_read_in_another_language_and_asks_still(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    assert 'href="/_ecluse/language?language=fr"' in page.text
    french = await browser.get(
        here.url(PORTAL, "/_ecluse/language?language=fr"), Referer=page.url, Sec_Fetch_Site="same-origin"
    )
    assert french.url == page.url
    assert "Pour quelle organisation agissez-vous" in french.text
    assert (await choose(here, browser, french, COMMUNE)).status == 200


async def test_who_may_act_for_one_is_not_asked_and_offered_no_change(here: Installation) -> None:
    may_act_for(here, LYCEE)
    browser = here.browser()
    reply = await browser.get(here.url(ACTES))
    assert urlsplit(reply.url).path == "/"
    assert (await acts_for(here, browser))[0] == LYCEE


async def test_where_the_file_lets_nobody_choose_several_are_refused(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    here.change_provider("metropole", chooses_tenant=False)
    browser = here.browser()
    browser.jar.setdefault(PORTAL, {})["__Host-ecluse-organisation"] = LYCEE
    assert (await browser.get(here.url(ACTES))).status == 403
    assert here.codes() == ["login.mapping"]


@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_invariant_12_a_page_that_was_left_open_signs_nobody_in_after_a_sign_out(
    here: Installation, host: str
) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    left_open = await arrived(here, browser)
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    here.clock.ahead += 1
    assert (await browser.post(here.url(host, "/_ecluse/logout"))).status == 200
    reply = await choose(here, browser, left_open, COMMUNE)
    assert (reply.status, here.codes()) == (400, ["login.transaction_gone"])
    # Who signs in anew chooses anew.
    browser.jar[PORTAL].pop("__Host-ecluse-organisation")
    assert (await choose(here, browser, await arrived(here, browser), COMMUNE)).status == 200


async def test_nor_where_nobody_was_signed_in_yet_or_another_organisation_is_asked_for(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    left_open = await arrived(here, browser)
    here.clock.ahead += 1
    # Nobody is signed in, and there is something to end all the same.
    form = (await browser.get(here.url(PORTAL, "/_ecluse/logout"))).text
    assert '<form method="post" action="/_ecluse/logout">' in form
    await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    assert (await choose(here, browser, left_open, COMMUNE)).status == 400
    left_open = await arrived(here, browser)
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    here.clock.ahead += 1
    assert (await browser.post(here.url(PORTAL, "/_ecluse/acting/change"))).status == 200
    assert (await choose(here, browser, left_open, LYCEE)).status == 400


@pytest.mark.parametrize("named", [{"sub": None}, {"sid": None}])
async def test_nor_after_the_provider_has_signed_them_out(here: Installation, named: dict[str, Any]) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser, bob = here.browser(), here.browser("bob")
    page, of_bob = await arrived(here, browser), await arrived(here, bob)
    here.clock.ahead += 1
    assert (await told(here, token(here.metropole, **named))).status == 200
    assert (await choose(here, browser, page, COMMUNE)).status == 400
    assert (await choose(here, bob, of_bob, COMMUNE)).status == 200


@pytest.mark.parametrize("remembered", [OTHER, "", "x" * 100, "\u00e9"])
async def test_what_a_browser_says_to_remember_chooses_among_the_person_s_own_alone(
    here: Installation, remembered: str
) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    browser.jar.setdefault(PORTAL, {})["__Host-ecluse-organisation"] = remembered
    await arrived(here, browser)


async def test_an_organisation_that_is_not_theirs_cannot_be_chosen(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    for siret in (OTHER, "", LYCEE + " ", LYCEE[:9]):
        assert (await choose(here, browser, page, siret)).status == 403
    assert (await choose(here, browser, page, LYCEE)).status == 200, "and the choice is still open"


async def test_a_choice_works_once_in_the_browser_that_was_asked_and_from_our_page_alone(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser, thief = here.browser(), here.browser("mallory")
    page = await arrived(here, browser)
    await arrived(here, thief)
    assert (await choose(here, thief, page, LYCEE)).status == 400
    assert (await thief.get(page.url)).status == 400
    assert "__Host-ecluse" not in thief.jar.get(PORTAL, {})
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert (await choose(here, browser, page, LYCEE, **headers)).status == 403
    assert (await choose(here, browser, page, LYCEE)).status == 200
    assert (await choose(here, browser, page, COMMUNE)).status == 400


async def test_a_sign_in_to_the_portal_itself_is_chosen_for_once_too(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert (await choose(here, browser, page, LYCEE)).status == 200
    assert (await acts_for(here, browser, PORTAL))[0] == LYCEE
    assert (await choose(here, browser, page, COMMUNE)).status == 400
    assert (await acts_for(here, browser, PORTAL))[0] == LYCEE


async def test_a_provider_outside_its_perimeter_asks_nobody(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    here.change_provider("metropole", perimeter=Perimeter(siret=frozenset({LYCEE})))
    browser = here.browser()
    assert (await browser.get(here.url(ACTES))).status == 403
    assert here.codes() == ["login.outside_perimeter"]


async def test_what_changed_while_somebody_chose_is_held_against_them(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    page = await arrived(here, browser)
    here.change_provider("metropole", perimeter=Perimeter(siret=frozenset({LYCEE})))
    assert (await choose(here, browser, page, COMMUNE)).status == 403
    here.change_provider("metropole", perimeter=Perimeter(), chooses_tenant=False)
    assert (await choose(here, browser, page, COMMUNE)).status == 403
    providers = {name: one for name, one in here.snapshot.providers.items() if name != "metropole"}
    here.snapshot = replace(here.snapshot, providers=providers)
    assert (await choose(here, browser, page, COMMUNE)).status in (400, 404)


async def test_nobody_changes_who_is_not_here(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    assert (await here.browser().post(here.url(PORTAL, "/_ecluse/acting/change"))).status == 401


async def test_nor_after_the_button_beside_one_session_or_an_operators_end(here: Installation) -> None:
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    left_open = await arrived(here, browser)
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    found = re.search('name="session" value="([0-9a-f]{32})"', home.text)
    assert found is not None
    here.clock.ahead += 1
    assert (await browser.post(here.url(PORTAL, "/_ecluse/sessions/end"), {"session": found[1]})).status == 303
    assert (await choose(here, browser, left_open, COMMUNE)).status == 400
    browser = here.browser()
    left_open = await arrived(here, browser)
    here.clock.ahead += 1
    await here.transactions.sign_in_ends.mark("an operator", "all")
    assert (await choose(here, browser, left_open, COMMUNE)).status == 400


@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_who_comes_as_another_chooses_for_whom_they_act(here: Installation, host: str) -> None:
    """What the person before has chosen is not taken for the next, whichever page they began at."""
    may_act_for(here, LYCEE, COMMUNE)
    browser = here.browser()
    await browser.get((await choose(here, browser, await arrived(here, browser), LYCEE)).location)
    browser.jar["127.0.0.1"]["op"] = "bob"
    at = "/?other_account=1" if host == PORTAL else "/_ecluse/login?to=/&other_account=1"
    page = await browser.get(here.url(host, at))
    assert urlsplit(page.url).path == "/_ecluse/acting"
    await choose(here, browser, page, COMMUNE)
    assert (await acts_for(here, browser, PORTAL))[0] == COMMUNE
