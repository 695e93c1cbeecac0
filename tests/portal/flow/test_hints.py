"""`login_hint` and the like: from a link into an application to the provider whose file passes them on, no further."""

from urllib.parse import quote

import pytest

from gateway.model.provider import AuthorizationParameters
from gateway.portal.flow.app_host import MOST, hints_of
from tests.portal.installation import ACTES, PERMIS, Installation

NAMES = frozenset({"login_hint", "idp_hint", "siret_hint"})
LINK = "/plan?login_hint=helene%40m.example&idp_hint=9c716f61&siret_hint=21590350100017&x=1"
TOLD = {"login_hint": "helene@m.example", "idp_hint": "9c716f61", "siret_hint": "21590350100017"}


def passing_on(here: Installation, *providers: str, names: frozenset[str] = NAMES) -> None:
    for name in providers or ("metropole",):
        here.change_provider(name, request=AuthorizationParameters(passed_on=names))


def told(asked: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name in NAMES | {"x", "redirect_to"}}


async def test_a_link_into_an_application_reaches_the_provider_and_stays_what_it_was(here: Installation) -> None:
    passing_on(here)
    reply = await here.browser().get(here.url(ACTES, LINK))
    assert told(here.metropole.asked[-1]) == TOLD
    assert (reply.text, reply.url) == ("actes for alice", here.url(ACTES, LINK))


async def test_only_what_the_file_lists_and_only_once(here: Installation) -> None:
    passing_on(here, names=frozenset({"login_hint"}))
    await here.browser().get(here.url(ACTES, LINK))
    assert told(here.metropole.asked[-1]) == {"login_hint": "helene@m.example"}
    await here.browser().get(here.url(ACTES, "/plan?login_hint=a&login_hint=b"))
    assert told(here.metropole.asked[-1]) == {}
    state = here.metropole.asked[-1]["state"]
    await here.browser().get(here.url(ACTES, "/plan?state=x&redirect_uri=https://evil.example&scope=all"))
    asked = here.metropole.asked[-1]
    assert (asked["state"] != state, "evil" in repr(asked), asked["scope"]) == (True, False, "openid")


async def test_without_pass_on_nothing_goes_on(here: Installation) -> None:
    await here.browser().get(here.url(ACTES, LINK))
    assert told(here.metropole.asked[-1]) == {}


async def test_they_outlive_the_choice_of_a_provider_and_reach_the_one_that_lists_them(here: Installation) -> None:
    passing_on(here, "departement")
    for chosen, op, expected in (("departement", here.departement, TOLD), ("metropole", here.metropole, {})):
        browser = here.browser()
        chooser = await browser.get(here.url(PERMIS, LINK))
        link = next(part for part in chooser.text.split('"') if f"provider={chosen}" in part).replace("&amp;", "&")
        await browser.get(chooser.url.partition("/_ecluse")[0] + link)
        assert told(op.asked[-1]) == expected


async def test_they_are_taken_from_the_login_address_of_an_application_too(here: Installation) -> None:
    passing_on(here)
    to = quote("/plan?login_hint=old%40m.example&idp_hint=9c716f61", safe="")
    await here.browser().get(here.url(ACTES, f"/_ecluse/login?to={to}&login_hint=new%40m.example"))
    assert told(here.metropole.asked[-1]) == {"login_hint": "new@m.example", "idp_hint": "9c716f61"}


@pytest.mark.parametrize(
    "query",
    [
        "siret_hint=2159035010001",
        "siret_hint=2159035010001%3F",
        "login_hint=a%20b",
        "login_hint=%3Cscript%3E",
        "login_hint=a%0d%0ab",
        "login_hint=%ff",
        "login_hint=" + "a" * 321,
        "idp_hint=" + "a" * 513,
        "idp_hint=%C3%A9",
        "login_hint=",
        "login_hint=a&" + "&".join(f"p{number}=" for number in range(64)),
    ],
)
async def test_what_is_no_hint_is_left_out_and_nobody_is_refused_for_it(here: Installation, query: str) -> None:
    passing_on(here)
    reply = await here.browser().get(here.url(ACTES, f"/plan?{query}"))
    assert (told(here.metropole.asked[-1]), reply.text) == ({}, "actes for alice")


async def test_what_no_provider_lists_is_not_kept(here: Installation) -> None:
    """Of any site's link, a sign-in under way has no more than what some provider may be told."""
    passing_on(here, names=frozenset({"login_hint"}))
    kept = hints_of(here.snapshot.apps["actes"], ("login_hint=a&idp_hint=9c716f61&x=1",))
    assert kept == (("login_hint", "a"),)


async def test_what_is_kept_of_a_link_is_bounded(here: Installation) -> None:
    """A stranger's link fills no more of a sign-in under way than this."""
    names = frozenset(f"hint{number:02}" for number in range(20))
    passing_on(here, names=names)
    query = "&".join(f"{name}={'a' * 500}" for name in sorted(names))
    kept = hints_of(here.snapshot.apps["actes"], (query,))
    assert [name for name, _ in kept] == ["hint00", "hint01"]
    assert sum(len(value) for _, value in kept) <= MOST


async def test_who_wants_another_account_is_not_named_by_the_link_of_the_page(here: Installation) -> None:
    """The link was written for the account that they have; one that asks for another may say whose."""
    passing_on(here)
    browser, to = here.browser(), quote(LINK, safe="/")
    await browser.get(here.url(ACTES, LINK))
    for more, expected in (("", {}), ("&login_hint=bob%40m.example", {"login_hint": "bob@m.example"})):
        reply = await browser.get(here.url(ACTES, f"/_ecluse/login?to={to}&other_account=1{more}"))
        assert told(here.metropole.asked[-1]) == expected
        assert reply.url == here.url(ACTES, LINK), "the page is kept as it was written"
