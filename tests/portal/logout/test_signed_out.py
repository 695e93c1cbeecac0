"""The page that tells of a sign-out: asked for by itself, by the browser that was told, and never a dead end."""

from urllib.parse import quote

import pytest

from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation

OUT = "/_ecluse/signed-out"
COOKIE = "__Host-ecluse-out"


async def signed_out(here: Installation, host: str = ACTES) -> tuple[Browser, Reply]:
    """The answer to the form itself."""
    browser = here.browser()
    await browser.get(here.url(ACTES))
    return browser, await browser.post(here.url(host, "/_ecluse/logout"), follow=False)


@pytest.mark.parametrize("host", [ACTES, PORTAL])
async def test_the_answer_to_the_form_leads_to_it_on_the_same_host(here: Installation, host: str) -> None:
    browser, reply = await signed_out(here, host)
    query = f"?back={quote(here.url(ACTES), safe='')}" if host == ACTES else ""
    assert (reply.status, reply.location) == (303, here.url(host, f"{OUT}{query}"))
    assert f"{COOKIE}=ended; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600" in reply.set_cookies
    for _ in range(2):
        page = await browser.get(reply.location)
        assert (page.url, page.status) == (reply.location, 200)
        assert "You are signed out" in page.text


@pytest.mark.parametrize("host", [ACTES, PORTAL])
async def test_opened_by_itself_it_leads_on(here: Installation, host: str) -> None:
    reply = await here.browser().get(here.url(host, f"{OUT}?back={quote(here.url(PERMIS), safe='')}"), follow=False)
    assert (reply.status, reply.location) == (303, here.url(host))


async def test_it_leads_on_too_where_somebody_is_signed_in_again(here: Installation) -> None:
    """Back, or a link of another site, says of nobody who is signed in that they are not."""
    browser, reply = await signed_out(here)
    await browser.get(here.url(ACTES))
    assert (await browser.get(reply.location)).text == "actes for alice"


@pytest.mark.parametrize(
    "told", ["everybody", "", "ended; __Host-ecluse-out=everywhere", '"ended"', "ENDED", "ended\u00e9"]
)
async def test_what_we_did_not_write_is_not_told(here: Installation, told: str) -> None:
    browser = here.browser()
    browser.jar[ACTES] = {COOKIE: told}
    reply = await browser.get(here.url(ACTES, OUT), follow=False)
    assert (reply.status, reply.location) == (303, here.url(ACTES))


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("javascript:alert(1)", ""),
        ("/_ecluse/logout", ""),
        (f"http://{ACTES}:1/", ""),
        ("{actes}any/path?x=1", "{actes}"),
        ("{actes}", "{actes}"),
        ("", ""),
    ],
)
async def test_invariant_11_the_address_names_an_application_and_no_more(
    here: Installation, back: str, leads: str
) -> None:
    browser, _ = await signed_out(here, PORTAL)
    back, leads = (text.replace("{actes}", here.url(ACTES)) for text in (back, leads))
    page = await browser.get(here.url(PORTAL, f"{OUT}?back={quote(back, safe='')}"))
    link = f'<a href="{leads}">Back to the application</a>' if leads else '<a href="/">Your applications</a>'
    assert f'<p class="act">{link}</p>' in page.text


async def test_a_form_is_shown_to_nobody_who_has_nothing_to_end(here: Installation) -> None:
    browser, _ = await signed_out(here)
    page = await browser.get(here.url(PORTAL, "/_ecluse/logout"))
    assert (page.status, "Nobody is signed in" in page.text, "<form" in page.text) == (200, True, False)
    assert '<p class="act"><a href="/">Your applications</a></p>' in page.text
    page = await browser.get(here.url(ACTES, "/_ecluse/logout"))
    assert "You were already signed out here" in page.text
    assert f'<a href="{here.url(PORTAL, "/_ecluse/logout")}">Sign out of all of them</a>' in page.text
    assert (await here.browser().get(here.url(PORTAL, "/_ecluse/logout"))).status == 200


async def test_a_session_that_ended_elsewhere_is_nothing_to_end(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    await here.sessions.end_browser(PORTAL, browser.jar[PORTAL]["__Host-ecluse"].encode())
    assert "Nobody is signed in" in (await browser.get(here.url(PORTAL, "/_ecluse/logout"))).text


async def test_at_an_application_a_sign_in_that_may_wait_is_ended_by_the_form(here: Installation) -> None:
    """That it was begun in this browser, a cookie of this host alone tells."""
    here.change_provider("metropole", chooses_tenant=True)
    browser = here.browser()
    await browser.get(here.url(ACTES), follow=False)
    page = await browser.get(here.url(ACTES, "/_ecluse/logout"))
    assert '<form method="post" action="/_ecluse/logout">' in page.text
    assert "You were already signed out here" not in page.text
    assert "You were already signed out here" in (await here.browser().get(here.url(ACTES, "/_ecluse/logout"))).text


async def test_where_a_sign_in_may_wait_nobody_is_told_of_a_session_and_can_end_it(here: Installation) -> None:
    here.change_provider("metropole", chooses_tenant=True)
    browser = here.browser()
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"), follow=False)
    page = await browser.get(here.url(PORTAL, "/_ecluse/logout"))
    assert "Nobody is signed in" in page.text
    assert "You will be signed out" not in page.text
    assert '<p class="act"><a href="/">Your applications</a></p>' in page.text
    assert "Cancel sign-ins in progress</button>" in page.text
    assert "All your sessions are closed" in (await browser.post(here.url(PORTAL, "/_ecluse/logout"))).text
