"""A provider that is away: nobody is sent there unless they say so. Whether it is away, looks find out, which
tests/walks/test_provider_outages.py has on real providers."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.portal.browser import Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.test_organisations import links, serves, with_organisations
from tests.portal.test_waiting import at_the_waiting_page, leads_to


def link_with(reply: Reply, part: str) -> str:
    """The one link that has it."""
    (link,) = (link for link in map(unescape, re.findall('<a href="([^"]*)"', reply.text)) if part in link)
    return link


def all_the_same(reply: Reply) -> str:
    return link_with(reply, "all_the_same=1")


def is_away(here: Installation, *providers: str) -> None:
    for name in providers:
        here.standings.told(name, "away")


async def test_who_is_about_to_be_sent_there_is_told_and_may_try_it_all_the_same(here: Installation) -> None:
    is_away(here, "metropole")
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, "/dossier?id=7"))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    assert "Your sign-in service does not answer" in reply.text
    assert "<strong>Metropolis</strong>" in reply.text
    assert not here.metropole.asked
    assert "Choose another sign-in service" not in reply.text, "the application takes no other"
    arrived = await browser.get(here.url(PORTAL, all_the_same(reply)))
    assert (arrived.status, arrived.url) == (200, here.url(ACTES, "/dossier?id=7"))
    assert len(here.metropole.asked) == 1


async def test_the_page_leads_to_the_others_that_answer(here: Installation) -> None:
    is_away(here, "metropole")
    browser = here.browser()
    chooser = await browser.get(here.url(PERMIS))
    assert links(chooser) == [
        ("metropole", "Metropolis Does not answer for the moment"),
        ("departement", "Département"),
    ]
    reply = await browser.get(here.url(PORTAL, link_with(chooser, "provider=metropole")))
    assert [name for name, _ in links(reply)] == ["departement", "metropole"]
    assert links(await browser.get(here.url(PORTAL, link_with(reply, "/organisation?t=")))) == links(chooser)
    other = await browser.get(here.url(PORTAL, link_with(reply, "provider=departement")))
    assert other.text.startswith("permis for")
    assert not here.metropole.asked


async def test_no_other_is_offered_that_is_away_too(here: Installation) -> None:
    is_away(here, "metropole", "departement")
    reply = await here.browser().get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    assert [name for name, _ in links(reply)] == ["metropole"]
    assert "Wait a moment before you try again." in reply.text


async def test_with_a_table_of_organisations_the_one_for_everybody_is_offered(here: Installation) -> None:
    with_organisations(here)
    is_away(here, "metropole")
    login = here.url(PORTAL, "/_ecluse/login?provider=metropole")
    assert [name for name, _ in links(await here.browser().get(login))] == ["metropole"]
    serves(here, "departement", others=True)
    assert [name for name, _ in links(await here.browser().get(login))] == ["departement", "metropole"]


async def test_what_the_link_said_goes_on(here: Installation) -> None:
    """Another account, and a hint that the provider is told."""
    is_away(here, "metropole")
    browser = here.browser()
    reply = await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole&other_account=1&siret_hint=1&x=%ff"))
    asked = parse_qs(urlsplit(all_the_same(reply)).query)
    assert asked["provider"] + asked["other_account"] + asked["siret_hint"] == ["metropole", "1", "1"]
    await browser.get(here.url(PORTAL, all_the_same(reply)))
    assert here.metropole.asked[-1]["prompt"] == "login"


async def test_a_provider_that_the_application_does_not_list_is_refused_as_ever(here: Installation) -> None:
    is_away(here, "departement")
    start = (await here.browser().get(here.url(ACTES), follow=False)).location
    reply = await here.browser().get(f"{start.replace('/start?', '/login?')}&provider=departement")
    assert (reply.status, "all_the_same" in reply.text) == (404, False)


async def test_a_hint_of_an_application_s_link_sends_nobody_there(here: Installation) -> None:
    is_away(here, "metropole")
    reply = await here.browser().get(here.url(ACTES, "/?all_the_same=1"))
    assert reply.status == 503
    assert not here.metropole.asked


async def test_the_page_that_waits_says_so_each_time(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = here.browser()
    reply = await at_the_waiting_page(here, browser, monkeypatch)
    assert "has not answered yet" in reply.text
    monkeypatch.setattr("gateway.portal.waiting._HELD", 0.0)
    is_away(here, "metropole")
    again = await browser.get(leads_to(reply).replace("shown=1", "shown=2"), follow=False)
    assert "The sign-in service does not answer for the moment: <strong>Metropolis</strong>" in again.text


async def test_who_is_sent_and_who_comes_back_is_told_to_the_supervisor(here: Installation) -> None:
    browser = here.browser()
    begun = await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"), follow=False)
    assert here.standings.news() == {"metropole": {"sent": 1, "address": f"{here.metropole.issuer}/authorize"}}
    assert here.standings.news() == {}
    before = here.clock.monotonic()
    await browser.get(begun.location)
    back = here.standings.news()["metropole"]
    assert back == {"back": back["back"], "sent": 0}
    assert back["back"] >= before, "the provider has just answered for the code"
    is_away(here, "metropole")
    await here.browser().get(here.url(PERMIS))
    assert here.standings.news() == {"metropole": {"wanted": True}}, "a chooser that shows it keeps the looks going"


async def test_that_nobody_could_be_sent_is_told_too(here: Installation) -> None:
    here.change_provider("metropole", issuer="http://127.0.0.1:1")
    assert (await here.browser().get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))).status == 502
    assert here.standings.news() == {"metropole": {"sent": 1}}


async def test_an_answer_that_is_not_verified_is_nobody_s_return(here: Installation) -> None:
    here.metropole.tamper = lambda good: {**good, "nonce": "another"}
    assert (await here.browser().get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))).status >= 400
    assert "back" not in here.standings.news()["metropole"]
