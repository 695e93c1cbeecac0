"""Many people sign in at once through npm oidc-provider, which none of us wrote."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser_like import Person, Response
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, TWO, Place
from tests.walks.upstream import Upstream
from tests.walks.world import SEAT, everywhere

pytestmark = pytest.mark.service

PEOPLE, WITH_TWO_TABS, WORKERS = 100, 20, 3
# Those who come back at once: the provider is one thread, and has ten seconds for each on a busy machine too. All of
# them are under way when the first does, and what they bring lives as long as that takes.
AT_ONCE, CODES = 25, {"ttl": {"AuthorizationCode": 600}}
NAMES = [f"agent-{number}" for number in range(PEOPLE)]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """Two applications of one provider, the gateway running."""
    place = Place(tmp_path, workers=WORKERS)
    client = {
        "client_id": "ecluse",
        "client_secret": "a-secret-of-the-tests",
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    accounts = {name: {"preferred_username": name, "email": f"{name}@corp.example"} for name in NAMES}
    upstream, gateway = Upstream(), Gateway(place)
    with OpenIdProvider([client], accounts, options=CODES) as provider:
        place.write_provider("alpha", provider.issuer, scopes="[openid, profile, email]")
        place.write_app("one", ONE)
        place.write_app("two", TWO)
        await upstream.start(place.upstream_port)
        try:
            await gateway.start()
            yield place
            gateway.is_clean()
            await gateway.logged(0, event="login.succeeded", number=PEOPLE + WITH_TWO_TABS)
            assert not gateway.lines(event="login.refused")
            assert len(gateway.lines(event="login.succeeded")) == PEOPLE + WITH_TWO_TABS
            # How many of the three get some is as the kernel deals them out.
            assert len({line["pid"] for line in gateway.lines(event="login.succeeded")}) > 1
        finally:
            await gateway.end()
            await upstream.stop()


async def sent_to_provider(place: Place, person: Person, url: str) -> str:
    """The authorization request that the browser is sent to."""
    reply = await person.step("GET", url)
    while reply.location.startswith((place.url(), place.portal("/"))):
        reply = await person.step("GET", reply.location)
    return reply.location


async def led_back(place: Place, person: Person, number: int) -> list[str]:
    """Each tab is sent to the provider at once; the person types in one after the other."""
    issuer = place.read("providers/alpha.yaml").partition("issuer: ")[2].partition("\n")[0]
    urls = [place.url(ONE, f"/tab-{tab}?of={number}") for tab in range(1 + (number < WITH_TWO_TABS))]
    asked = await asyncio.gather(*(sent_to_provider(place, person, url) for url in urls))
    async with browser() as at:
        return [await through_provider(at, url, issuer, NAMES[number]) for url in asked]


async def back(person: Person, callbacks: list[str], at_once: asyncio.Semaphore) -> list[Response]:
    """All tabs at once."""
    async with at_once:
        return list(await asyncio.gather(*map(person.open, callbacks)))


async def test_100_concurrent_sign_ins_over_3_workers_20_with_two_tabs_all_succeed(place: Place) -> None:
    people = [Person("fr") for _ in range(PEOPLE)]
    callbacks = await asyncio.gather(*(led_back(place, person, number) for number, person in enumerate(people)))
    at_once = asyncio.Semaphore(AT_ONCE)
    pages = await asyncio.gather(*(back(*one, at_once) for one in zip(people, callbacks, strict=True)))
    for number, (person, tabs) in enumerate(zip(people, pages, strict=True)):
        for tab, page in enumerate(tabs):
            assert page.status == 200, f"{page.status} {page.url}: {page.text[:500]}"
            told = json.loads(page.body)
            assert told["target"] == f"/tab-{tab}?of={number}"
            assert told["headers"]["x-remote-user"] == NAMES[number]
        # One sign-in does for the other application, too.
        other = await person.open(place.url(TWO, "/other"))
        assert json.loads(other.body)["headers"]["x-remote-user"] == NAMES[number]
    seat = f"{SEAT}={people[-1].jar.get(ONE, SEAT)}"
    assert await everywhere(place, "/x", seat) == {200}
    for person in people:
        await person.close()
