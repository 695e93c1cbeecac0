"""Sign-ins through npm oidc-provider, which none of us wrote."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from gateway.federation.federation import Federation
from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import AuthorizationParameters, OidcProvider
from gateway.model.session import SeatLimits
from gateway.oidc.refresh import Held
from tests.op.process import OpenIdProvider
from tests.op.walk import browser as person
from tests.op.walk import through_provider
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation

pytestmark = pytest.mark.service


@pytest.fixture
def issuer(here: Installation) -> Iterator[str]:
    """The provider `metropole` is oidc-provider; `permis` listens to it alone."""
    client = {
        "client_id": "ecluse",
        "client_secret": "of-the-tests",
        "redirect_uris": [here.url(PORTAL, "/_ecluse/callback/metropole")],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
    }
    accounts = {f"agent-{n}": {"preferred_username": f"agent-{n}", "email": f"agent-{n}@m.example"} for n in range(20)}
    options = {"scopes": ["openid", "profile", "offline_access"]}
    with OpenIdProvider([client], accounts, features={"revocation": {"enabled": True}}, options=options) as provider:
        here.change_provider(
            "metropole",
            issuer=provider.issuer,
            client_secret="of-the-tests",
            client_authentication="client_secret_basic",
            scopes=("openid", "profile"),
            userinfo=True,
        )
        here.change("permis", providers=("metropole",))
        yield provider.issuer


async def asked_of(here: Installation, browser: Browser, issuer: str, url: str) -> str:
    """Where at the provider the browser is sent."""
    reply = await browser.get(url, follow=False)
    while not reply.location.startswith(issuer):
        reply = await browser.get(reply.location, follow=False)
    return reply.location


async def sign_in(here: Installation, browser: Browser, at: ClientSession, issuer: str, url: str, login: str) -> Reply:
    asked = await asked_of(here, browser, issuer, url)
    return await browser.get(await through_provider(at, asked, issuer, login))


async def test_a_person_signs_in_once_for_two_apps_and_signs_out_of_both(here: Installation, issuer: str) -> None:
    browser = here.browser()
    async with person() as at:
        reply = await sign_in(here, browser, at, issuer, here.url(ACTES, "/plan?x=1"), "agent-1")
        assert (reply.text, reply.url) == ("actes for agent-1", here.url(ACTES, "/plan?x=1"))
        assert (await browser.get(here.url(PERMIS))).text == "permis for agent-1"
        told = await browser.get(here.url(ACTES, "/_ecluse/session"))
        assert '"X-Remote-User":"agent-1"' in told.text
        await browser.post(here.url(PERMIS, "/_ecluse/logout"))
        assert (await browser.get(here.url(ACTES), follow=False)).status == 303


async def test_who_signs_out_leaves_no_refresh_token_that_works(here: Installation, issuer: str) -> None:
    asked = AuthorizationParameters(prompt=("consent",))
    here.change_provider("metropole", refresh=True, scopes=("openid", "profile", "offline_access"), request=asked)
    browser = here.browser()
    async with person() as at:
        await sign_in(here, browser, at, issuer, here.url(ACTES), "agent-1")
        cookie = browser.jar[ACTES]["__Host-ecluse"].encode()
        session = await here.sessions.opened(ACTES, cookie)
        assert session is not None
        assert session.tokens is not None
        assert session.id_token is not None
        await browser.post(here.url(ACTES, "/_ecluse/logout"))
    await here.federation.close()
    provider = here.snapshot.providers["metropole"]
    assert isinstance(provider, OidcProvider)
    later, held = Federation(), Held("agent-1", session.id_token)
    with pytest.raises(GatewayError) as ended:
        await later.refresh(provider, session.tokens.refresh_token, held, here.clock.now())
    await later.close()
    assert ended.value.code is oidc_codes.REFRESH_ENDED
    assert here.codes() == []


async def test_a_person_who_cancels_gets_a_page_with_a_way_back(here: Installation, issuer: str) -> None:
    browser = here.browser()
    start = (await browser.get(here.url(ACTES, "/plan"), follow=False)).location
    asked = (await browser.get(start, follow=False)).location
    async with person() as at:
        reply = await browser.get(await through_provider(at, asked, issuer, None))
    assert (reply.status, "login?to=/plan" in reply.text) == (403, True)
    assert here.codes() == ["login.provider_refused"]


async def test_many_people_sign_in_at_once_some_in_two_tabs(here: Installation, issuer: str) -> None:
    async def one(n: int) -> list[str]:
        """Every tab is sent to the provider at once; a person types in one after the other."""
        browser = here.browser()
        urls = [here.url(ACTES, f"/{tab}") for tab in range(1 + n % 2)]
        async with person() as at:
            asked = await asyncio.gather(*(asked_of(here, browser, issuer, url) for url in urls))
            callbacks = [await through_provider(at, url, issuer, f"agent-{n}") for url in asked]
        return [reply.text for reply in await asyncio.gather(*map(browser.get, callbacks))]

    replies = await asyncio.gather(*(one(n) for n in range(12)))
    assert replies == [[f"actes for agent-{n}"] * (1 + n % 2) for n in range(12)]


async def test_an_app_that_says_sign_in_has_the_person_type_again(here: Installation, issuer: str) -> None:
    here.change("permis", seat_then="sign_in", seat_limits=SeatLimits(absolute=8))
    here.change_provider("metropole", skew=0)
    browser = here.browser()
    async with person() as at:
        await sign_in(here, browser, at, issuer, here.url(ACTES), "agent-3")
        assert (await browser.get(here.url(PERMIS))).text == "permis for agent-3"
        await asyncio.sleep(8.1)
        reply = await sign_in(here, browser, at, issuer, here.url(PERMIS), "agent-3")
        assert reply.text == "permis for agent-3"


async def test_an_app_of_another_provider_is_not_served(here: Installation, issuer: str) -> None:
    browser = here.browser()
    async with person() as at:
        await sign_in(here, browser, at, issuer, here.url(ACTES), "agent-4")
    assert (await browser.get(here.url(ELECTIONS), follow=False)).status == 303
    assert (await browser.get(here.url(ELECTIONS))).text == "elections for alice"
