"""What an application has set in the browser does not stay there for whoever sits down next."""

import pytest

from gateway.config.snapshot import Logout
from gateway.portal.http.request import clear_own
from gateway.wire.application_cookies import CookieRules
from gateway.wire.response_edits import ResponseEdits
from tests.config.samples import PLAIN_APP, problems, sample_snapshot
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, ELECTIONS, Installation


def logout_of(more: str) -> Logout:
    return sample_snapshot({"apps/permis.yaml": PLAIN_APP.replace("access:", f"{more}access:")}).apps["permis"].logout


@pytest.mark.parametrize(
    ("more", "at_sign_out", "after_others", "named"),
    [
        ("", True, True, ()),
        ("keep_posts: {largest: 1MB}\n", True, False, ()),
        ("logout: {cookies: [A]}\n", False, False, (("A", "/"),)),
        ("logout: {all_cookies: false}\n", False, False, ()),
        ("logout: {all_cookies: true, cookies: [A]}\n", True, True, (("A", "/"),)),
        ("keep_posts: {largest: 1MB}\nlogout: {all_cookies: true}\n", True, True, ()),
    ],
)
def test_all_are_cleared_unless_the_file_says_which(
    more: str, at_sign_out: bool, after_others: bool, named: tuple[tuple[str, str], ...]
) -> None:
    """A form that was kept holds a token of the application's own session, which has to be there when it is sent."""
    found = logout_of(more)
    assert (found.all_cookies, found.all_left, found.cookies) == (at_sign_out, after_others, named)


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ("", ("/",)),
        ("logout: {url: /bye.do}\n", ("/",)),
        ("logout: {url: /permis/bye.do?a=/b}\n", ("/", "/permis")),
        ("path: /permis\n", ("/", "/permis")),
        ("logout: {url: /permis/bye.do, cookie_paths: [/permis/]}\n", ("/permis/",)),
    ],
)
def test_their_paths_are_those_that_servers_choose(more: str, paths: tuple[str, ...]) -> None:
    assert logout_of(more).cookie_paths == paths


@pytest.mark.parametrize("domain", ["example.org", "localhost", "s.localhost", "mis.localhost"])
def test_a_domain_is_one_that_a_host_is_in(domain: str) -> None:
    text = PLAIN_APP.replace("access:", f"logout: {{cookie_domains: [{domain}]}}\naccess:")
    (found,) = problems({"apps/permis.yaml": text})
    assert "no host of this application is in this domain: browsers take no such cookie from it" in found
    assert logout_of("logout: {cookie_domains: [permis.localhost]}\n").cookie_domains == ("permis.localhost",)


def test_of_two_on_a_host_the_one_that_keeps_forms_is_spared_where_only_the_session_ended() -> None:
    """The other one, for whom all that was left is cleared, is no reason to take the token of a kept form away."""
    wiki = PLAIN_APP.replace("app: permis", "app: wiki").replace("path: /**", "path: /wiki/**")
    files = {
        "apps/permis.yaml": PLAIN_APP,
        "apps/wiki.yaml": wiki.replace("access:", "path: /wiki\nkeep_posts: {largest: 1MB}\naccess:"),
    }
    apps = sample_snapshot(files).applications("permis.localhost").all
    assert {app.name for app in apps} == {"permis", "wiki"}
    brought = b"sid=1; __Host-ecluse=x"
    assert clear_own(apps, "permis.localhost", brought, left=True) == ["sid=; Path=/; Max-Age=0"]
    assert sorted(clear_own(apps, "permis.localhost", brought)) == [
        "sid=; Path=/; Max-Age=0", "sid=; Path=/wiki; Max-Age=0",
    ]  # fmt: skip


def test_what_is_cleared_fits_into_a_head_however_much_the_browser_brings() -> None:
    """By the usual path first, where not all of it fits."""
    files = {"apps/permis.yaml": PLAIN_APP.replace("access:", "logout: {url: /permis/bye.do}\naccess:")}
    apps = sample_snapshot(files).applications("permis.localhost").all
    few, many = ("; ".join(f"cookie{number:03}=1" for number in range(most)).encode() for most in (25, 200))
    assert len(clear_own(apps, "permis.localhost", few)) == 50
    cleared = clear_own(apps, "permis.localhost", many)
    assert 2400 < sum(map(len, cleared)) <= 2500
    assert all("; Path=/; " in line for line in cleared)


async def cleared_by(browser: Browser, address: str) -> list[str]:
    reply = await browser.post(address, follow=False)
    return [line for line in reply.set_cookies if not line.startswith("__Host-ecluse")]


async def signed_in(here: Installation, host: str = ACTES) -> Browser:
    browser = here.browser()
    await browser.get(here.url(host))
    browser.jar[host] |= {"JSESSIONID": "1", "__Host-x": "2"}
    return browser


async def test_what_the_browser_brings_is_cleared(here: Installation) -> None:
    here.change("actes", logout=Logout(all_cookies=True, cookie_paths=("/", "/app")))
    assert await cleared_by(await signed_in(here), here.url(ACTES, "/_ecluse/logout")) == [
        "JSESSIONID=; Path=/; Max-Age=0", "__Host-x=; Path=/; Max-Age=0; Secure",
        "JSESSIONID=; Path=/app; Max-Age=0", "__Host-x=; Path=/app; Max-Age=0; Secure",
    ]  # fmt: skip


async def test_what_has_a_domain_is_cleared_under_it(here: Installation) -> None:
    """RFC 6265bis 5.7: a cookie is another one under another Domain, and browsers take none that the host is not in."""
    domains = (ACTES, ACTES.partition(".")[2], "other.example")
    here.change("actes", logout=Logout(cookies=(("PHPSESSID", "/"),), all_cookies=False, cookie_domains=domains))
    assert await cleared_by(await signed_in(here), here.url(ACTES, "/_ecluse/logout")) == [
        "PHPSESSID=; Path=/; Max-Age=0",
        f"PHPSESSID=; Path=/; Domain={ACTES}; Max-Age=0",
        f"PHPSESSID=; Path=/; Domain={domains[1]}; Max-Age=0",
    ]


async def test_what_is_left_visible_stays(here: Installation) -> None:
    edits = ResponseEdits(cookies=CookieRules(prefix="a_", visible=("lang",)))
    here.change("actes", logout=Logout(all_cookies=True), edits=edits)
    browser = await signed_in(here)
    browser.jar[ACTES] |= {"a_SESSION": "1", "lang": "fr"}
    found = await cleared_by(browser, here.url(ACTES, "/_ecluse/logout"))
    assert found == ["a_SESSION=; Path=/; Max-Age=0"], "what has another beginning is another application's"


@pytest.mark.parametrize(("left", "cleared"), [(True, ["JSESSIONID", "__Host-x"]), (False, [])])
async def test_after_a_sign_out_elsewhere_they_go_when_the_browser_comes(
    here: Installation, left: bool, cleared: list[str]
) -> None:
    here.change("actes", logout=Logout(all_cookies=True, all_left=left))
    browser = await signed_in(here)
    await browser.get(here.url(ELECTIONS))
    await browser.post(here.url(ELECTIONS, "/_ecluse/logout"))
    reply = await browser.get(here.url(ACTES), follow=False)
    lines = [line for line in reply.set_cookies if not line.startswith("__Host-ecluse")]
    assert [line.partition("=")[0] for line in lines] == cleared
