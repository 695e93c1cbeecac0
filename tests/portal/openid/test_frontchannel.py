"""OIDC Front-Channel Logout 1.0: a frame in the provider's page."""

import pytest

from gateway.model.provider import ProviderLogout
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, PORTAL, Installation


@pytest.fixture
def allowed(here: Installation) -> None:
    here.change_provider("metropole", logout=ProviderLogout(front_channel=True))


async def frame(here: Installation, query: str, name: str = "metropole") -> Reply:
    """Without a cookie: none of ours comes in a frame of another site."""
    url = here.url(PORTAL, f"/_ecluse/oidc/frontchannel/{name}?{query.replace('ISSUER', here.metropole.issuer)}")
    return await here.browser().get(url, Sec_Fetch_Dest="iframe", Sec_Fetch_Site="cross-site")


async def signed_in(here: Installation) -> Browser:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    return browser


@pytest.mark.usefixtures("allowed")
async def test_iss_and_sid_end_the_session_and_the_page_may_be_framed_by_the_provider_alone(
    here: Installation,
) -> None:
    browser = await signed_in(here)
    reply = await frame(here, "iss=ISSUER&sid=sid-alice")
    assert reply.status == 200
    assert f"frame-ancestors {here.metropole.issuer}" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"] == "no-store"
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303
    assert len(here.revoker.told[0]) == 1


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "metropole"),
        ("sid=sid-alice", "metropole"),
        ("iss=ISSUER", "metropole"),
        ("iss=ISSUER&sid=", "metropole"),
        ("iss=https://evil.example&sid=sid-alice", "metropole"),
        ("iss=ISSUER&sid=sid-alice&sid=x", "metropole"),
        ("iss=ISSUER&sid=sid-alice", "departement"),
        ("iss=ISSUER&sid=sid-alice", "nobody"),
    ],
)
async def test_without_both_nobody_is_signed_out(here: Installation, query: str, name: str) -> None:
    """CS02."""
    browser = await signed_in(here)
    assert (await frame(here, query, name)).status == 400
    assert (await browser.get(here.url(ACTES), follow=False)).status == 200
    assert here.revoker.told == []


async def test_a_provider_whose_file_does_not_say_so_ends_nothing_by_a_frame(here: Installation) -> None:
    browser = await signed_in(here)
    assert (await frame(here, "iss=ISSUER&sid=sid-alice")).status == 400
    assert (await browser.get(here.url(ACTES), follow=False)).status == 200
    assert here.codes() == ["logout.front_channel"]
