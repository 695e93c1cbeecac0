"""Sign-ins that end at the provider: what a person reads, and what the log says."""

import re
from html import unescape
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from deploy.demo.ports import LOOPBACK, free
from tests.portal.browser import Browser, Reply
from tests.portal.flow.test_start import begun
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation


async def sent_back(here: Installation, browser: Browser, error: str, description: str = "") -> Reply:
    """The provider answers with an error."""
    asked = await browser.get(await begun(here, browser), follow=False)
    state = dict(parse_qsl(urlsplit(asked.location).query))["state"]
    said = f"error={error}&error_description={quote(description)}&iss={quote(here.metropole.issuer)}"
    return await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={state}&{said}"))


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        ("access_denied", 403, "The sign-in was cancelled"),
        ("login_required", 403, "Your sign-in service needs an action from you"),
        ("temporarily_unavailable", 503, "Your sign-in service is temporarily unavailable"),
        ("invalid_scope", 403, "You could not be signed in"),
    ],
)
async def test_each_has_its_page_with_a_way_back(here: Installation, error: str, status: int, title: str) -> None:
    reply = await sent_back(here, here.browser(), error, "Compte en attente de validation.")
    assert (reply.status, f"<title>{title} – " in reply.text) == (status, True)
    # Beside our own sentence, in the reader's language; its own is the provider's.
    assert "Your sign-in service says: <q>Compte en attente de validation.</q>" in reply.text
    assert f"{here.url(ACTES)}_ecluse/login?to=/" in reply.text
    assert ("Retry-After" in reply.headers) == (status == 503)


async def test_what_is_no_sentence_is_not_shown(here: Installation) -> None:
    reply = await sent_back(here, here.browser(), "access_denied", "<b>Call http://evil.example</b>")
    assert "evil" not in reply.text
    assert "evil" in here.logged()[-1]["detail"]


async def test_the_page_and_the_log_say_how_far_the_clocks_are_apart(here: Installation) -> None:
    here.metropole.tamper = lambda claims: {**claims, "iat": claims["iat"] + 412, "exp": claims["exp"] + 412}
    reply = await here.browser().get(here.url(ACTES))
    assert "<h1>The clocks of two services do not agree</h1>" in reply.text
    assert (
        "Difference between the clocks: <q>412 s</q>" in reply.text
        or "Difference between the clocks: <q>411 s</q>" in reply.text
    )
    assert "are too far apart" in reply.text
    (refused,) = [event for event in here.logged() if event["event"] == "login.refused"]
    assert refused["code"] == "oidc.id_token.issued_at"
    assert "s ahead of our clock" in refused["detail"]


async def test_a_clock_ten_minutes_ahead_is_told_as_ten_minutes(here: Installation) -> None:
    here.metropole.tamper = lambda claims: {**claims, "iat": claims["iat"] - 600, "exp": claims["iat"] - 300}
    reply = await here.browser().get(here.url(ACTES))
    assert re.search("Difference between the clocks: <q>60[01] s</q>", reply.text)
    (refused,) = [event for event in here.logged() if event["event"] == "login.refused"]
    assert refused["code"] == "oidc.id_token.expired"
    assert re.search("; issued 60[01] s ago by our clock$", refused["detail"])


async def test_a_provider_that_is_down_is_a_page_for_its_own_people_alone(here: Installation) -> None:
    here.metropole.down = True
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, "Your sign-in service does not answer" in reply.text) == (502, True)
    browser = here.browser("bob")
    here.change("permis", providers=("departement",))
    assert (await browser.get(here.url(PERMIS))).text == "permis for bob"


async def test_a_provider_known_to_be_down_says_so_where_people_choose_and_the_page_names_the_other_way(
    here: Installation,
) -> None:
    here.change_provider("metropole", issuer=f"http://{LOOPBACK}:{free(1)[0]}")
    browser = here.browser()
    chooser = await browser.get(here.url(PERMIS))
    assert "Does not answer" not in chooser.text
    (link,) = re.findall(r'href="([^"]*provider=metropole)"', chooser.text)
    reply = await browser.get(here.url(PORTAL, unescape(link)))
    assert reply.status == 502
    assert "accepts other sign-in services too" in reply.text
    chooser = await here.browser().get(here.url(PERMIS))
    told = "Does not answer for the moment"
    assert [(name, told in text) for name, text in re.findall(r"provider=(\w+)\">(.*?)</a>", chooser.text)] == [
        ("metropole", True),
        ("departement", False),
    ]


async def test_where_there_is_no_other_sign_in_service_the_page_names_none(here: Installation) -> None:
    here.metropole.down = True
    here.change("actes", providers=("metropole",))
    reply = await here.browser().get(here.url(ACTES))
    assert reply.status == 502
    assert "other sign-in services" not in reply.text
