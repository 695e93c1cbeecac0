"""Signing out: by one's own hand alone, everywhere at once, before the answer."""

import pytest

from tests.portal.browser import Browser
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation


async def signed_in(here: Installation) -> Browser:
    """With two sessions, on three hosts and the portal: of one person, as every session of a browser is."""
    here.change("elections", providers=("metropole",))
    browser = here.browser()
    for host in (ACTES, PERMIS):
        await browser.get(here.url(host))
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole"))
    await browser.get(here.url(ELECTIONS))
    return browser


async def hosts_open(here: Installation, browser: Browser) -> set[str]:
    found = set()
    for host in (PORTAL, ACTES, PERMIS, ELECTIONS):
        cookie = browser.jar[host].get("__Host-ecluse", "")
        if await here.sessions.load(host, cookie.encode()) is not None:
            found.add(host)
    return found


@pytest.mark.parametrize("host", [ACTES, PORTAL])
async def test_a_get_shows_a_form_and_signs_nobody_out(here: Installation, host: str) -> None:
    """CS02: a link, an image."""
    browser = await signed_in(here)
    reply = await browser.get(here.url(host, "/_ecluse/logout"), Sec_Fetch_Site="cross-site")
    assert (reply.status, '<form method="post" action="/_ecluse/logout">' in reply.text) == (200, True)
    stays = (
        '<a href="/">Your applications</a>'
        if host == PORTAL
        else f'<a href="{here.url(host)}">Back to the application</a>'
    )
    assert stays in reply.text
    assert len(await hosts_open(here, browser)) == 4


@pytest.mark.parametrize("host", [ACTES, PERMIS, ELECTIONS, PORTAL])
async def test_signing_out_on_one_host_ends_every_session_of_the_browser(here: Installation, host: str) -> None:
    """Invariant 12."""
    browser, other = await signed_in(here), await signed_in(here)
    reply = await browser.post(here.url(host, "/_ecluse/logout"))
    assert (reply.status, "You are signed out" in reply.text) == (200, True)
    assert (f'<a href="{here.url(host)}">Back to the application</a>' in reply.text) == (host != PORTAL)
    assert await hosts_open(here, browser) == set()
    assert len(await hosts_open(here, other)) == 4, "another browser of the same person"
    (told,) = here.revoker.told
    assert len(told) == 2
    assert "__Host-ecluse" not in browser.jar[host]


async def test_the_end_is_in_force_before_the_answer(here: Installation) -> None:
    browser = await signed_in(here)
    cookie = browser.jar[ACTES]["__Host-ecluse"].encode()
    seat = await here.sessions.load(ACTES, cookie)
    assert seat is not None
    assert seat.live
    seen = []
    revoked = here.revoker.revoked

    async def watched(ids: tuple[str, ...]) -> None:
        seen.append(await here.sessions.load(ACTES, cookie))
        await revoked(ids)

    here.revoker.revoked = watched  # type: ignore[method-assign]
    await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    assert seen == [None], "gone from the store before the workers were told"
    assert not seat.live


async def test_the_page_after_it_does_not_sign_in_again_by_itself(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert "Location" not in reply.headers
    assert "refresh" not in reply.text.lower()
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "null", "Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://permis.localhost:{port}", "Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://actes.localhost"},
        {"Origin": "http://actes.localhost:{port}.evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_form_of_another_site_signs_nobody_out(here: Installation, headers: dict[str, str]) -> None:
    """CS02, CS03."""
    browser = await signed_in(here)
    sent = {name: value.replace("{port}", str(here.port)) for name, value in headers.items()}
    reply = await browser.send("POST", here.url(ACTES, "/_ecluse/logout"), headers=sent)
    assert (reply.status, "You are still signed in" in reply.text) == (403, True)
    assert '<form method="post"' in reply.text, "a way to do it by hand"
    assert len(await hosts_open(here, browser)) == 4
    assert here.revoker.told == []
    assert here.codes() == ["logout.cross_site"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://actes.localhost:{port}"},
        {"Origin": "http://actes.localhost:{port}", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_our_own_form_signs_out(here: Installation, headers: dict[str, str]) -> None:
    browser = await signed_in(here)
    sent = {name: value.replace("{port}", str(here.port)) for name, value in headers.items()}
    assert (await browser.send("POST", here.url(ACTES, "/_ecluse/logout"), headers=sent)).status == 303
    assert await hosts_open(here, browser) == set()


async def test_a_seat_that_had_ended_already_leads_to_the_portal(here: Installation) -> None:
    """The page never says more than was done."""
    browser = await signed_in(here)
    browser.jar[ACTES]["__Host-ecluse"] = "a" * 22 + "." + "b" * 43
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert "You were already signed out here" in reply.text
    assert here.url(PORTAL, "/_ecluse/logout") in reply.text
    assert PERMIS in await hosts_open(here, browser)


async def test_the_portal_says_that_everything_is_signed_out_with_a_way_on(here: Installation) -> None:
    browser = await signed_in(here)
    for _ in range(2):
        reply = await browser.post(here.url(PORTAL, "/_ecluse/logout"))
    assert "All your sessions are closed" in reply.text
    assert '<a href="/">' in reply.text
    assert await hosts_open(here, browser) == set()


async def test_who_signs_out_and_in_again_is_not_going_round(here: Installation) -> None:
    browser = here.browser()
    for _ in range(5):
        assert (await browser.get(here.url(ACTES))).text == "actes for alice"
        await browser.post(here.url(ACTES, "/_ecluse/logout"))
