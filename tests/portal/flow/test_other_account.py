"""Another account, in one click: the provider asks who the person is, and the page asked for is kept."""

from tests.portal.installation import ACTES, PORTAL, Installation

OTHER = "other_account=1"


async def test_who_is_signed_in_becomes_another_and_comes_to_the_page(here: Installation) -> None:
    browser = here.browser()
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"
    assert "prompt" not in here.metropole.asked[-1]
    browser.jar["127.0.0.1"]["op"] = "bob"
    page = here.url(ACTES, "/dossier?id=7")
    login = here.url(ACTES, "/_ecluse/login?to=/dossier%3Fid%3D7")
    assert (await browser.get(login)).text == "actes for alice", "without it the person is known"
    reply = await browser.get(f"{login}&{OTHER}")
    assert (reply.url, reply.text) == (page, "actes for bob")
    assert here.metropole.asked[-1]["prompt"] == "login"
    assert len(here.metropole.asked) == 2


async def test_a_provider_that_lets_people_choose_an_account_is_asked_to(here: Installation) -> None:
    here.metropole.selects_account = True
    await here.browser().get(here.url(ACTES, f"/_ecluse/login?to=/&{OTHER}"))
    assert here.metropole.asked[-1]["prompt"] == "select_account"


async def test_the_session_goes_on_until_another_has_signed_in(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    await browser.get(here.url(ACTES, f"/_ecluse/login?to=/&{OTHER}"), follow=False)
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"


async def test_home_leads_there(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    home = await browser.get(here.url(PORTAL, "/_ecluse/home"))
    assert f'href="/?{OTHER}"' in home.text
    chooser = await browser.get(here.url(PORTAL, f"/_ecluse/home?{OTHER}"))
    assert f"/_ecluse/login?provider=metropole&amp;{OTHER}" in chooser.text
    browser.jar["127.0.0.1"]["op"] = "bob"
    await browser.get(here.url(PORTAL, f"/_ecluse/login?provider=metropole&{OTHER}"))
    assert here.metropole.asked[-1]["prompt"] == "login"
    assert "Account: bob" in (await browser.get(here.url(PORTAL, "/_ecluse/home"))).text
