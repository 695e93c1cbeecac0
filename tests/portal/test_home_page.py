"""`/` of the portal's host: where no page is the end of the way."""

import asyncio
import re
from dataclasses import replace

import pytest

from gateway.config.snapshot import Snapshot
from gateway.model.levels import ProviderLevels
from gateway.model.theme import ByLanguage
from gateway.policy.conditions import Group
from gateway.policy.levels import USUAL_LADDER, AcrMin, Ladder
from gateway.portal.applications import ApplicationList, fold_label
from tests.growth import steps
from tests.policy.short import rule, table
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.proxy.stand_ins import identity, seat

HOME = "/_ecluse/home"
EVERYBODY, CLOSED = table(rule("/**")), table(rule("/**", Group("nobody")))
_ASKED = Ladder(USUAL_LADDER, {"metropole": ProviderLevels(frozenset({"acr"}))})
# To whom signs in better; and to nobody, whose provider is not known to do that.
BETTER = table(rule("/**", AcrMin("eidas2", _ASKED)))
NEVER = table(rule("/**", AcrMin("eidas2", Ladder(USUAL_LADDER, {}))))


async def signed_in(here: Installation) -> Browser:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    for name, label in (("permis", {"fr": "Permis", "en": "Building permits"}), ("actes", {"": "État civil"})):
        here.change(name, routes=EVERYBODY, label=label)
    return browser


def applications(reply: Reply) -> list[tuple[str, str]]:
    """Address and what is said of each: its label, and what it asks for."""
    found = re.search('<ul class="choices">(.*?)</ul>', reply.text, re.DOTALL)
    links = [] if found is None else re.findall('<a href="([^"]*)"[^>]*>(.*?)</a>', found[1])
    return [(address, re.sub("<[^>]*>", "", text)) for address, text in links]


async def test_a_person_finds_the_applications_that_policy_lets_them_into(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await browser.get(here.url(PORTAL, HOME))
    assert reply.status == 200
    assert applications(reply) == [
        (here.url(PERMIS), "Building permits"),
        (here.url(ACTES), "État civil"),
    ]
    here.change("permis", routes=CLOSED)
    here.change("actes", providers=("departement",))
    reply = await browser.get(here.url(PORTAL, HOME))
    assert applications(reply) == []
    assert "No application is open to this account" in reply.text


async def test_what_a_stronger_sign_in_would_open_is_among_them(here: Installation) -> None:
    browser = await signed_in(here)
    usual = (here.url(ACTES), "État civil")
    for routes, listed in (
        (BETTER, [(here.url(PERMIS), "Building permits Asks for a stronger sign-in"), usual]),
        (NEVER, [usual]),
    ):
        here.change("permis", routes=routes)
        assert applications(await browser.get(here.url(PORTAL, HOME))) == listed


async def test_an_application_is_listed_by_the_page_that_people_begin_with(here: Installation) -> None:
    browser = await signed_in(here)
    inside = table(rule("/agenda/**"), rule("/**", Group("nobody")))
    here.change("permis", routes=inside)
    assert [label for _, label in applications(await browser.get(here.url(PORTAL, HOME)))] == ["État civil"]
    here.change("permis", routes=inside, start="/agenda/jour?vue=liste")
    assert applications(await browser.get(here.url(PORTAL, HOME)))[0] == (
        here.url(PERMIS, "/agenda/jour?vue=liste"),
        "Building permits",
    )
    here.change("permis", routes=inside, start="/agenda-admin")
    assert [label for _, label in applications(await browser.get(here.url(PORTAL, HOME)))] == ["État civil"]


@pytest.mark.parametrize(("search", "found"), [("etat", 1), ("CIVIL éta", 1), ("permits", 1), ("i", 2), ("école", 0)])
async def test_they_are_found_by_any_part_of_their_label(here: Installation, search: str, found: int) -> None:
    browser = await signed_in(here)
    assert len(applications(await browser.get(here.url(PORTAL, f"{HOME}?q={search}")))) == found


async def test_what_is_searched_for_is_shown_as_text(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await browser.get(here.url(PORTAL, f"{HOME}?q=%22%3E%3Cscript%3E"))
    assert reply.text.count("<script") == 1, "our own alone"
    assert "None of your applications has this name." in reply.text


async def test_from_what_is_found_a_link_leads_back_to_all(here: Installation) -> None:
    browser, link = await signed_in(here), '<a href="?">All your applications</a>'
    for search, page in (("permits", HOME), ("zzz", "/")):
        reply = await browser.get(here.url(PORTAL, f"{page}?q={search}"))
        assert link in reply.text
        reply = await browser.get(here.url(PORTAL, f"{page}?"))
        assert len(applications(reply)) == 2
        assert link not in reply.text


async def test_fifty_stand_on_a_page(here: Installation) -> None:
    browser = await signed_in(here)
    labels: list[ByLanguage] = [{"": f"Application {number:02}"} for number in range(60)]
    one = here.snapshot.apps["actes"]
    here.change("actes", label={"": "Application 99"})
    apps = {**here.snapshot.apps} | {
        f"a{number}": replace(one, name=f"a{number}", label=label, hosts=(f"a{number}.localhost",))
        for number, label in enumerate(labels)
    }
    here.snapshot = replace(here.snapshot, apps=apps)
    first, second = [await browser.get(here.url(PORTAL, f"{HOME}?q=application&page={n}")) for n in (1, 2)]
    assert [len(applications(page)) for page in (first, second)] == [50, 11]
    assert ("Next page" in first.text, "Previous page" in first.text) == (True, False)
    assert ("Next page" in second.text, "Previous page" in second.text) == (False, True)


async def test_a_reload_while_the_list_is_made_leaves_no_list_of_before(here: Installation) -> None:
    here.change("actes", routes=EVERYBODY)
    one = here.snapshot.apps["actes"]

    def snapshot(label: str, number: int) -> Snapshot:
        hosts = {f"{label}{at}": (f"a{at}.localhost",) for at in range(number)}
        apps = {name: replace(one, name=name, label={"": label}, hosts=its) for name, its in hosts.items()}
        return replace(here.snapshot, apps=apps)

    who = replace(identity(uid="helene"), issuer=one.listed["metropole"].issuer)
    listed, person = ApplicationList(), seat(PORTAL, who)
    old, new = snapshot("old", 400), snapshot("new", 2)

    async def labels(of: Snapshot) -> set[str]:
        return {found.label.text async for found, _ in listed.open_to(of, person, "en", "", 0.0)}

    before = asyncio.create_task(labels(old))
    await asyncio.sleep(0)
    assert await labels(new) == {"new"}
    assert await before == {"old"}
    assert await labels(new) == {"new"}


async def test_a_button_ends_one_session(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await browser.get(here.url(PORTAL, HOME))
    (key,) = re.findall('name="session" value="([0-9a-f]{32})"', reply.text)
    wrong = await browser.post(here.url(PORTAL, "/_ecluse/sessions/end"), {"session": "0" * 32})
    assert wrong.status == 303
    assert (await browser.get(here.url(ACTES), follow=False)).status == 200
    ended = await browser.post(here.url(PORTAL, "/_ecluse/sessions/end"), {"session": key})
    assert (ended.status, ended.location) == (303, here.url(PORTAL))
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303
    assert "Choose your sign-in service" in (await browser.get(here.url(PORTAL, HOME))).text


async def test_no_other_site_ends_a_session(here: Installation) -> None:
    browser = await signed_in(here)
    (key,) = re.findall('name="session" value="([0-9a-f]{32})"', (await browser.get(here.url(PORTAL, HOME))).text)
    for headers in (
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    ):
        reply = await browser.post(here.url(PORTAL, "/_ecluse/sessions/end"), {"session": key}, **headers)
        assert reply.status == 403
    assert (await browser.get(here.url(ACTES), follow=False)).status == 200


async def test_nobody_chooses_where_to_sign_in_and_comes_home(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(PORTAL, HOME))
    assert reply.status == 200
    assert [label for _, label in applications(reply)] == ["Metropolis", "Département"]
    link = applications(reply)[0][0]
    arrived = await browser.get(here.url(PORTAL, link))
    assert '<a href="/">' in arrived.text
    assert "Your applications" in (await browser.get(here.url(PORTAL, HOME))).text


async def test_where_one_host_is_portal_and_app_home_has_an_address_of_its_own(one_host: Installation) -> None:
    browser = one_host.browser()
    await browser.get(one_host.url(PERMIS, "/_ecluse/login?provider=metropole"))
    assert (await browser.get(one_host.url(PERMIS, HOME))).status == 200


def test_labels_are_compared_without_accents_and_case() -> None:
    assert fold_label("État CIVIL – Œuvre") == "etat civil – œuvre"
    assert steps(lambda: fold_label("x" * 200)) < 500
