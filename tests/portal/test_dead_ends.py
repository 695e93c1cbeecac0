"""Sign-ins that end at the provider: what a person reads, and what the log says."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest

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
        ("login_required", 403, "Your sign-in service wants to see you first"),
        ("temporarily_unavailable", 503, "Your sign-in service is out of order for a moment"),
        ("invalid_scope", 403, "You could not be signed in"),
    ],
)
async def test_each_has_its_page_with_a_way_back(here: Installation, error: str, status: int, title: str) -> None:
    reply = await sent_back(here, here.browser(), error, "Compte en attente de validation.")
    assert (reply.status, f"<h1>{title}</h1>" in reply.text) == (status, True)
    assert "<p>Compte en attente de validation.</p>" in reply.text
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
    assert "<p>412 s</p>" in reply.text or "<p>411 s</p>" in reply.text
    (refused,) = [event for event in here.logged() if event["event"] == "login.refused"]
    assert refused["code"] == "oidc.id_token.issued_at"
    assert "s ahead of our clock" in refused["detail"]


async def test_a_provider_that_is_down_is_a_page_for_its_own_people_alone(here: Installation) -> None:
    here.metropole.down = True
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, "Your sign-in service does not answer" in reply.text) == (502, True)
    browser = here.browser("bob")
    here.change("permis", providers=("departement",))
    assert (await browser.get(here.url(PERMIS))).text == "permis for bob"
