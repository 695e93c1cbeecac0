"""The answer to a form of ours leads to another origin by a page that goes on by itself, and by no redirect."""

from urllib.parse import urlsplit

import pytest

from gateway.model.ports import Page
from gateway.portal.http.form_answers import _ON_EVERY_HOST, _ON_PORTAL
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from tests.portal.browser import Reply, leads_to
from tests.portal.installation import ACTES, PORTAL, Installation, installed

NEXT = "next-form"


async def sent(here: Installation, host: str, location: str) -> Reply:
    """A form that has not been written yet, on each host: its answer is a redirect."""

    async def answer(_: PortalRequest) -> Page:
        return redirect(location)

    portal = here.portal
    portal._of_portal[NEXT] = portal._of_apps[NEXT] = {"POST": answer}
    return await here.browser().post(here.url(host, f"{PREFIX}{NEXT}"), follow=False)


@pytest.mark.parametrize("host", [PORTAL, ACTES])
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://op.example/authorize?state=a&nonce=b",
        # Of our own origin, and each may be answered with a redirect to another.
        "PORTAL/_ecluse/login?provider=metropole",
        "PORTAL/_ecluse/start?t=x",
        "PORTAL/_ecluse/home?other_account=1",
        "PORTAL/?other_account=1",
        "ACTES/_ecluse/enter?code=x",
        "ACTES/_ecluse/account",
        "ACTES/dossiers?a=1",
        "ACTES/",
    ],
)
async def test_a_redirect_that_may_lead_elsewhere_is_a_page_that_goes_on(
    here: Installation, host: str, elsewhere: str
) -> None:
    url = elsewhere.replace("PORTAL", here.url(PORTAL, "")).replace("ACTES", here.url(ACTES, ""))
    reply = await sent(here, host, url)
    assert (reply.status, "Location" in reply.headers, leads_to(reply)) == (200, False, url)
    # The link for people who would rather not wait.
    assert "Go on</a>" in reply.text


@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_a_page_of_the_same_host_is_redirected_to(here: Installation, host: str) -> None:
    for path in sorted(_ON_PORTAL if host == PORTAL else _ON_EVERY_HOST):
        reply = await sent(here, host, here.url(host, f"{path}?a=b"))
        assert (reply.status, reply.location) == (303, here.url(host, f"{path}?a=b"))
    for path in ("/", "/_ecluse/home"):
        assert (await sent(here, PORTAL, here.url(PORTAL, path))).status == 303
    # Of the other host it is another origin.
    other = ACTES if host == PORTAL else PORTAL
    assert (await sent(here, host, here.url(other, "/_ecluse/logout"))).status == 200


@pytest.mark.parametrize("is_signed_in", [True, False])
async def test_no_page_that_is_redirected_to_leads_to_another_origin(here: Installation, is_signed_in: bool) -> None:
    browser = here.browser()
    if is_signed_in:
        await browser.get(here.url(ACTES))
    pages = [here.url(PORTAL, path) for path in (*_ON_PORTAL, "/", "/_ecluse/home")]
    for page in [*pages, *(here.url(ACTES, path) for path in _ON_EVERY_HOST)]:
        reply = await browser.get(page, follow=False)
        location = reply.headers.get("Location", page)
        assert urlsplit(location)[:2] == urlsplit(page)[:2], f"{page} leads to {location}"


async def test_where_one_host_serves_portal_and_application_the_applications_pages_may_lead_elsewhere() -> None:
    async with installed(one_host=True) as here:
        host = here.snapshot.gateway.portal_host
        assert (await sent(here, host, here.url(host, "/_ecluse/home"))).status == 303
        assert (await sent(here, host, here.url(host, "/"))).status == 200


async def test_the_page_says_where_it_leads(here: Installation) -> None:
    at_application = await sent(here, ACTES, here.url(ACTES, "/dossiers"))
    assert "You are going back to the application." in at_application.text
    to_provider = await sent(here, PORTAL, "https://op.example/authorize")
    assert "You are going to your organisation's sign-in service." in to_provider.text
