"""A session that is not strong enough, or too old: asked once of its own provider, looked at again, never a loop."""

import re
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from gateway.config.snapshot import Logout
from gateway.model.levels import Need, ProviderLevels
from gateway.model.provider import AuthorizationParameters
from gateway.policy.levels import USUAL_LADDER, Ladder
from gateway.portal.http.look import ASKS_ANEW, digest
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation
from tests.portal.logout.test_sign_out import hosts_open

ALL = frozenset({"fresh_login", "acr", "amr"})
EIDAS2, RECENT, OTP = Need(level="eidas2"), Need(max_age=60), Need(amr=("otp",))


@pytest.fixture(autouse=True)
def levels(here: Installation) -> None:
    said = {name: ProviderLevels(ALL) for name in ("metropole", "departement")}
    here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, said))
    here.change_provider("metropole", levels=said["metropole"])


def says(here: Installation, **claims: Any) -> None:
    here.metropole.tamper = lambda good: {**good, **claims}


async def signed_in(here: Installation, host: str = ACTES, **claims: Any) -> Browser:
    says(here, **claims)
    browser = here.browser()
    await browser.get(here.url(host))
    return browser


def needed_at(here: Installation, need: Need, host: str = ACTES, to: str = "/admin") -> str:
    """As the data plane sends a person there, and as the link of its 401 does."""
    age = "" if need.max_age is None else f"&max_age={need.max_age}"
    level = f"&level={need.level}" if need.level else ""
    return here.url(host, f"/_ecluse/login?to={to}{level}{age}{'&amr=' + '+'.join(need.amr) if need.amr else ''}")


def way_on(reply: Reply) -> str:
    """Of the page that says why; empty on another."""
    found = re.search(r'class="act"><a href="(/_ecluse/login\?t=[^"]*)"', reply.text)
    return unescape(found[1]) if found else ""


async def stepped(browser: Browser, url: str, *, follow: bool = True) -> Reply:
    """By the page that says why, where there is one."""
    reply = await browser.get(url, follow=follow)
    way = way_on(reply) if follow else ""
    return await browser.get(urljoin(reply.url, way)) if way else reply


async def test_the_log_says_at_which_level_a_person_signed_in(here: Installation) -> None:
    await signed_in(here, acr="eidas2")
    await signed_in(here)
    lines = [line for line in here.logged() if line["event"] == "login.succeeded"]
    assert [line["sign_in_level"] for line in lines] == ["eidas2", ""]


async def test_a_page_says_why_before_a_person_is_sent_on(here: Installation) -> None:
    browser = await signed_in(here, acr="eidas1")
    asked = len(here.metropole.asked)
    reply = await browser.get(needed_at(here, EIDAS2))
    assert (reply.status, '<h1>A stronger <span class="whole">sign-in</span> is needed</h1>' in reply.text) == (
        200,
        True,
    )
    assert "<dd>substantial</dd>" in reply.text
    assert "Metropolis" in reply.text
    assert "Account: alice" in reply.text
    assert f'href="{here.url(ACTES)}"' in reply.text
    assert len(here.metropole.asked) == asked, "nobody was asked anything yet"
    here.clock.ahead = 61
    assert (
        '<h1>A recent <span class="whole">sign-in</span> is needed</h1>'
        in (await browser.get(needed_at(here, RECENT))).text
    )
    # What a link of anybody's names is no text of ours.
    strange = needed_at(here, Need(amr=("<b>call-0800</b>",)))
    assert "0800" not in (await browser.get(strange)).text
    # The page may be asked for again, in another language, and out of a browser's memory.
    assert "/_ecluse/language?language=fr" in reply.text
    assert f"<script>{ASKS_ANEW}</script>" in reply.text
    assert f"script-src 'sha256-{digest(ASKS_ANEW)}'" in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("need", "claims", "stronger"),
    [
        (Need(level="eidas2", max_age=60), {"acr": "eidas2"}, False),
        (Need(level="eidas1", max_age=60), {"acr": "eidas2"}, False),
        (Need(level="eidas3", max_age=60), {"acr": "eidas2"}, True),
        (Need(max_age=60, amr=("otp",)), {"amr": ["otp"]}, False),
        (Need(max_age=60, amr=("otp",)), {"amr": ["pwd"]}, True),
        (Need(level="eidas2", amr=("otp",)), {"acr": "eidas2", "amr": ["pwd"]}, True),
    ],
)
async def test_the_page_blames_nothing_that_the_session_has(
    here: Installation, need: Need, claims: dict[str, Any], stronger: bool
) -> None:
    browser = await signed_in(here, **claims)
    here.clock.ahead = 61
    reply = await browser.get(needed_at(here, need))
    title = "A stronger sign-in is needed" if stronger else "A recent sign-in is needed"
    assert (reply.status, f"<title>{title} – " in reply.text) == (200, True)
    assert ("<dt>Authentication level asked for:</dt>" in reply.text) is (need.level == "eidas3")
    # All of it is asked of the provider all the same: a new sign-in may be a weaker one.
    says(here, **claims)
    await browser.get(urljoin(reply.url, way_on(reply)))
    asked = here.metropole.asked[-1]
    assert ("acr_values" in asked) is bool(need.level)


async def test_a_stronger_sign_in_is_asked_for_in_the_providers_way_and_looked_at_again(here: Installation) -> None:
    browser = await signed_in(here, acr="eidas1")
    before = browser.jar[ACTES]["__Host-ecluse"]
    says(here, acr="eidas2")
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert (reply.text, urlsplit(reply.url).path) == ("actes for alice", "/admin")
    assert here.metropole.asked[-1]["acr_values"] == "eidas2 eidas3"
    assert "max_age" not in here.metropole.asked[-1]
    # A new session, under a new id (SE01); the seat before it ends.
    assert browser.jar[ACTES]["__Host-ecluse"].partition(".")[0] != before.partition(".")[0]
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    assert seat.identity.acr == "eidas2"


@pytest.mark.parametrize("page", ["/_ecluse/home", "/_ecluse/sessions"])
async def test_a_session_that_no_host_uses_any_more_is_not_listed(here: Installation, page: str) -> None:
    browser = await signed_in(here, acr="eidas1")
    await browser.get(here.url(PERMIS))
    reply = await browser.get(here.url(PORTAL, page))
    assert reply.text.count("This page uses this session.") == 1
    assert re.findall("Authentication level:.*\n?.*low", reply.text)
    says(here, acr="eidas2")
    await stepped(browser, needed_at(here, EIDAS2))
    here.clock.ahead = 60
    both = (await browser.get(here.url(PORTAL, page))).text
    # The other application still goes by the weaker one; how strong that is, only its own cookie would tell.
    assert (both.count("Opened:"), both.count("This page uses this session."), both.count("Authentication level:")) == (
        2,
        1,
        1,
    )
    assert "substantial" in both
    await browser.get(needed_at(here, EIDAS2, PERMIS), follow=True)
    here.clock.ahead = 120
    one = (await browser.get(here.url(PORTAL, page))).text
    assert (one.count("Opened:"), one.count("This page uses this session.")) == (1, 1)


async def test_what_the_application_and_the_gateway_know_of_the_person_stays_until_they_have_signed_in_anew(
    here: Installation,
) -> None:
    """The session lives: its cookies, which are cleared where one has ended, are not."""
    browser = await signed_in(here, acr="eidas1")
    here.change("actes", logout=Logout(cookies=(("JSESSIONID", "/"),)))
    reply = await stepped(browser, needed_at(here, EIDAS2), follow=False)
    assert reply.status == 303
    assert [line.partition("=")[0] for line in reply.set_cookies if "Max-Age=0" in line] == []
    assert await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode()) is not None


async def test_by_an_essential_claim_where_the_provider_wants_that(here: Installation) -> None:
    here.change_provider("metropole", levels=ProviderLevels(ALL, ask="claims"))
    browser = await signed_in(here, acr="eidas1")
    says(here, acr="eidas3")
    await stepped(browser, needed_at(here, EIDAS2))
    asked = here.metropole.asked[-1]
    assert asked["claims"] == '{"id_token":{"acr":{"essential":true,"values":["eidas2","eidas3"]}}}'
    assert "acr_values" not in asked


@pytest.mark.parametrize("acr", [None, "eidas1", "urn:unknown"])
async def test_an_answer_that_is_no_stronger_ends_on_a_page_after_one_attempt(
    here: Installation, acr: str | None
) -> None:
    browser = await signed_in(here, acr="eidas1")
    says(here, **({} if acr is None else {"acr": acr}))
    asked = len(here.metropole.asked)
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert (reply.status, "Your authentication level is not sufficient" in reply.text) == (403, True)
    assert len(here.metropole.asked) == asked + 1
    assert here.codes()[-1] == "login.too_weak"
    # What they had, they still have, and nothing more.
    assert await hosts_open_on(here, browser) == {ACTES, PORTAL}
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"


async def test_who_is_below_what_the_providers_file_demands_is_told_that_and_of_no_fault(here: Installation) -> None:
    here.change_provider("metropole", request=AuthorizationParameters(essential_acr=frozenset({"eidas2"})))
    says(here, acr="eidas1")
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, "Your authentication level is not sufficient" in reply.text) == (403, True)
    assert here.codes()[-1] == "oidc.id_token.acr"


async def hosts_open_on(here: Installation, browser: Browser) -> set[str]:
    for host in (PORTAL, ACTES, PERMIS, "elections.localhost"):
        browser.jar.setdefault(host, {})
    return await hosts_open(here, browser)


async def test_the_first_sign_in_asks_for_what_the_page_asks_for(here: Installation) -> None:
    browser = here.browser()
    says(here, acr="eidas2")
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert (reply.text, urlsplit(reply.url).path) == ("actes for alice", "/admin")
    assert [asked["acr_values"] for asked in here.metropole.asked] == ["eidas2 eidas3"]
    weak = here.browser()
    says(here, acr="eidas1")
    reply = await weak.get(needed_at(here, EIDAS2))
    assert (reply.status, here.codes()[-1]) == (403, "login.too_weak")
    assert await hosts_open_on(here, weak) == set()


async def test_a_provider_that_cannot_be_asked_signs_people_in_as_it_does(here: Installation) -> None:
    """Then policy refuses, with the words of its rule."""
    here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, {}))
    browser = here.browser()
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert (reply.text, urlsplit(reply.url).path) == ("actes for alice", "/admin")
    assert not {"acr_values", "max_age"} & here.metropole.asked[-1].keys()


async def test_who_is_known_to_the_portal_goes_to_the_page_as_they_are(here: Installation) -> None:
    """There policy knows them, and sends them on to their own provider only if that helps."""
    browser = await signed_in(here, acr="eidas1")
    asked = len(here.metropole.asked)
    browser.jar[ACTES].pop("__Host-ecluse")
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert (reply.text, urlsplit(reply.url).path) == ("actes for alice", "/admin")
    assert len(here.metropole.asked) == asked


async def test_who_is_strong_enough_goes_straight_back(here: Installation) -> None:
    browser = await signed_in(here, acr="eidas3")
    asked = len(here.metropole.asked)
    reply = await stepped(browser, needed_at(here, EIDAS2), follow=False)
    assert (reply.status, reply.location) == (303, here.url(ACTES, "/admin"))
    assert len(here.metropole.asked) == asked


async def test_a_stronger_session_of_the_portal_serves_without_asking(here: Installation) -> None:
    browser = await signed_in(here, acr="eidas1")
    says(here, acr="eidas2")
    await stepped(browser, needed_at(here, EIDAS2))
    asked = len(here.metropole.asked)
    browser.jar[ACTES].pop("__Host-ecluse")
    reply = await stepped(browser, needed_at(here, EIDAS2))
    assert reply.text == "actes for alice"
    assert len(here.metropole.asked) == asked


async def test_it_is_asked_of_the_persons_own_provider_where_there_are_several(here: Installation) -> None:
    browser = here.browser()
    says(here, acr="eidas1")
    start = await browser.get(here.url(PERMIS))
    assert "provider=departement" in start.text
    link = next(part.split('"')[0] for part in start.text.split('href="') if "provider=metropole" in part)
    await browser.get(here.url(PORTAL, link.replace("&amp;", "&")))
    says(here, acr="eidas2")
    reply = await stepped(browser, needed_at(here, EIDAS2, PERMIS))
    assert reply.text == "permis for alice", "without the chooser"
    assert here.metropole.asked[-1]["acr_values"] == "eidas2 eidas3"
    assert here.departement.asked == []


async def test_a_sign_in_that_is_too_old_is_made_anew(here: Installation) -> None:
    browser = await signed_in(here)
    here.clock.ahead = 61
    here.metropole.authenticated.clear()
    reply = await stepped(browser, needed_at(here, RECENT))
    assert reply.text == "actes for alice"
    assert here.metropole.asked[-1]["max_age"] == "60"
    assert (await stepped(browser, needed_at(here, RECENT), follow=False)).location == here.url(ACTES, "/admin")


async def test_a_page_that_is_content_with_less_loosens_nothing_of_the_providers_file(here: Installation) -> None:
    here.change_provider("metropole", request=AuthorizationParameters(max_age=30))
    browser = await signed_in(here)
    here.clock.ahead = 61
    here.metropole.tamper = lambda good: {**good, "auth_time": good["auth_time"] + 20}
    assert (await stepped(browser, needed_at(here, RECENT))).status == 403
    assert here.metropole.asked[-1]["max_age"] == "30"
    assert here.codes()[-1] == "login.not_fresh"


async def test_a_provider_that_asks_nobody_anew_is_told_on_a_page(here: Installation) -> None:
    browser = await signed_in(here)
    here.clock.ahead = 75
    reply = await stepped(browser, needed_at(here, RECENT))
    assert reply.status == 403
    assert here.codes()[-1] == "login.not_fresh"


async def test_a_provider_that_does_not_say_when_is_told_on_a_page(here: Installation) -> None:
    browser = await signed_in(here)
    here.clock.ahead = 61
    here.metropole.tamper = lambda good: {name: value for name, value in good.items() if name != "auth_time"}
    assert (await stepped(browser, needed_at(here, RECENT))).status == 403


@pytest.mark.parametrize(("amr", "status"), [(["pwd", "otp"], 200), (["pwd"], 403), ([], 403)])
async def test_a_method_is_asked_for_by_a_new_sign_in(here: Installation, amr: list[str], status: int) -> None:
    browser = await signed_in(here, amr=["pwd"])
    says(here, amr=amr)
    reply = await stepped(browser, needed_at(here, OTP))
    assert here.metropole.asked[-1]["prompt"] == "login"
    assert reply.status == status


async def test_a_form_that_needs_more_is_not_kept_and_its_page_leads_to_the_stronger_sign_in(
    here: Installation,
) -> None:
    here.needs[ACTES] = EIDAS2
    browser = await signed_in(here, acr="eidas1")
    reply = await browser.send("POST", here.url(ACTES, "/admin"), headers={"Referer": here.url(ACTES, "/form")})
    assert reply.status == 401
    assert "login?to=/form&amp;level=eidas2" in reply.text


async def test_three_rounds_and_no_more_where_the_application_is_never_content(here: Installation) -> None:
    """The data plane asks for more than the portal was told to see to: the loop counter of invariant 10."""
    here.needs[ACTES] = EIDAS2
    browser = here.browser()
    says(here, acr="eidas2")
    reply = await browser.get(here.url(ACTES, "/admin"))
    assert reply.status == 400
    assert here.codes()[-1] == "login.loop"
    assert len(here.metropole.asked) <= 3


@pytest.mark.parametrize(
    "query", ["level=%ff", "max_age=-1", "max_age=999999999999", "level=" + "a" * 5000, "amr=" + "+".join("x" * 60)]
)
async def test_a_need_that_a_stranger_wrote_starts_no_more_than_a_sign_in(here: Installation, query: str) -> None:
    browser = await signed_in(here, acr="eidas3", amr=["otp"])
    reply = await browser.get(here.url(ACTES, f"/_ecluse/login?to=/&{query}"))
    assert reply.status in (200, 400, 403)
    assert "gateway.fault" not in {event["event"] for event in here.logged()}


async def test_the_request_says_what_it_is_about_in_no_address(here: Installation) -> None:
    browser = await signed_in(here, acr="eidas1")
    reply = await stepped(browser, needed_at(here, EIDAS2), follow=False)
    assert dict(parse_qsl(urlsplit(reply.location).query)).keys() == {"t"}
