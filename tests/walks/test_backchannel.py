"""A provider tells that a person has signed out there: both workers know before it is answered."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from deploy.demo.ports import free
from tests.browser_like import Person, origin_of
from tests.idp.keys import new_pair
from tests.op.lemonldap import LemonLdapOp, through_lemonldap
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, signed_out_there, through_provider
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.walks.place import TWO, Place
from tests.walks.world import World, everywhere, opened, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "ofTheTests0123456789"


class Teller(ABC):
    """A provider with a back channel. `by_sid`: whether it says which of a person's sessions has ended."""

    people: ClassVar[tuple[str, str]]
    domain: ClassVar[str]

    def __init__(self, by_sid: bool) -> None:
        self.by_sid = by_sid
        self.issuer = ""

    @abstractmethod
    @contextmanager
    def running(self, place: Place) -> Iterator[None]: ...

    @abstractmethod
    async def through(self, at: ClientSession, url: str, login: str) -> str: ...

    @abstractmethod
    async def sign_out(self, at: ClientSession) -> None:
        """On its own page."""


class Npm(Teller):
    people, domain = ("alice", "bob"), "corp.example"

    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        client = {
            "client_id": "ecluse",
            "client_secret": SECRET,
            "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
            "backchannel_logout_uri": place.portal("/_ecluse/oidc/backchannel/alpha"),
            "backchannel_logout_session_required": self.by_sid,
        }
        accounts = {name: {"preferred_username": name, "email": f"{name}@{self.domain}"} for name in self.people}
        with OpenIdProvider([client], accounts, features={"backchannelLogout": {"enabled": True}}) as provider:
            self.issuer = provider.issuer
            yield

    async def through(self, at: ClientSession, url: str, login: str) -> str:
        return await through_provider(at, url, self.issuer, login)

    async def sign_out(self, at: ClientSession) -> None:
        await signed_out_there(at, self.issuer)


class LemonLdapNg(Teller):
    people, domain = ("dwho", "rtyler"), "badwolf.org"

    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        client = {
            "ClientSecret": SECRET,
            "RedirectUris": place.portal("/_ecluse/callback/alpha"),
            "IDTokenSignAlg": "RS256",
            "BypassConsent": 1,
            "LogoutType": "back",
            "LogoutUrl": place.portal("/_ecluse/oidc/backchannel/alpha"),
            "LogoutSessionRequired": int(self.by_sid),
        }
        (port,) = free(1)
        # Its resolver knows no name under .localhost: the gateway is its proxy too.
        through_gateway = {"proxy": ["http", f"http://127.0.0.1:{place.port}/"]}
        with LemonLdapOp(port, new_pair("op"), clients={"ecluse": client}, lwpOpts=through_gateway) as provider:
            self.issuer = provider.start("").url
            yield

    async def through(self, at: ClientSession, url: str, login: str) -> str:
        return await through_lemonldap(at, url, self.issuer, login)

    async def sign_out(self, at: ClientSession) -> None:
        async with at.get(f"{self.issuer}/?logout=1") as page:
            assert page.status == 200, await page.text()


@dataclass
class Here:
    world: World
    teller: Teller

    async def signed_in(self, at: ClientSession, login: str) -> Person:
        person = self.world.person()
        page = await person.step("GET", self.world.place.url())
        while not page.location.startswith(self.teller.issuer):
            page = await person.step("GET", page.location)
        back = await self.teller.through(at, page.location, login)
        page = await self.world.follow(person, await person.step("GET", back))
        assert page.status == 200, page.text
        return person


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(kind, by_sid) for kind in (Npm, LemonLdapNg) for by_sid in (True, False)],
    ids=lambda param: f"{param[0].__name__} by {'sid' if param[1] else 'sub'}",
)
async def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    # Nothing else than the sign-out ends what streams.
    place = Place(tmp_path_factory.mktemp("backchannel"), workers=2, settings={"timeouts": "{body: 10m}"})
    kind, by_sid = request.param
    teller = kind(by_sid)
    with teller.running(place):
        place.write_only_provider(
            "alpha", teller.issuer, teller.domain, {"client_id": "ecluse", "client_secret": SECRET}
        )
        async with opened(place) as world:
            yield Here(world, teller)
            world.gateway.is_clean()


async def test_a_sign_out_at_the_provider_is_in_force_in_every_worker_and_cuts_what_streams(here: Here) -> None:
    world, mark = here.world, here.world.gateway.mark()
    first, second_person = here.teller.people
    async with browser() as at, browser() as elsewhere:
        person, other = await here.signed_in(at, first), await here.signed_in(elsewhere, second_person)
        await world.follow(person, await person.step("GET", world.place.url(TWO)))
        cookie, second, others = world.cookie(person), world.cookie(person, TWO), world.cookie(other)
        for asked in (cookie, others):
            assert await everywhere(world.place, "/x", asked) == {200}
        stream, before = await Connection.open(world.place.url()), world.upstream.requests
        streaming = asyncio.create_task(stream.exchange(request("/stream?held", cookie)))
        await until(lambda: world.upstream.requests > before)
        await here.teller.sign_out(at)
        assert await everywhere(world.place, "/x", cookie) == {401}
        assert await everywhere(world.place, "/x", second, TWO) == {401}
        assert await everywhere(world.place, "/x", others) == {200}
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ConnectionError):
                await streaming
        await stream.close()
    told = await world.gateway.logged(mark, event="logout.provider")
    assert (told["provider"], told["sessions"]) == ("alpha", 1)
    counted = 'ecluse_auth_provider_logouts_total{provider="alpha"}'
    await world.gateway.measured(lambda told: told.get(counted, 0) >= 1)


async def test_by_sub_both_browsers_of_a_person_are_signed_out_by_sid_only_the_one(here: Here) -> None:
    world, mark = here.world, here.world.gateway.mark()
    login = here.teller.people[0]
    async with browser() as at, browser() as elsewhere:
        one, two = await here.signed_in(at, login), await here.signed_in(elsewhere, login)
        await here.teller.sign_out(at)
        assert await everywhere(world.place, "/x", world.cookie(one)) == {401}
        assert await everywhere(world.place, "/x", world.cookie(two)) == {200 if here.teller.by_sid else 401}
    line = await world.gateway.logged(mark, event="logout.provider")
    assert line["sessions"] == (1 if here.teller.by_sid else 2)


async def test_a_form_that_is_sent_after_it_is_kept(here: Here) -> None:
    """To whom fills it in, a session that is over at the provider has ended as by time."""
    world, url = here.world, here.world.place.url(target="/deposit")
    text = world.place.read("apps/one.yaml")
    if "keep_posts" not in text:
        world.place.write("apps/one.yaml", text + "keep_posts: {}\n")
        await world.gateway.reload()
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin_of(url))]
    async with browser() as at:
        person = await here.signed_in(at, here.teller.people[0])
        await here.teller.sign_out(at)
        assert await everywhere(world.place, "/x", world.cookie(person)) == {401}
        page = await person.step("POST", url, headers, body=b"note=oui", initiator=url)
        assert page.status == 401
        assert any("/_ecluse/kept%3Fpost%3D" in link for link in page.links()), page.text
