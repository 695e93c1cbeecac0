"""One suite of sign-ins, through two workers, for each OpenID Provider and each client authentication that it knows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.browser_like import Person, Response
from tests.op.walk import browser
from tests.walks.peers import METHODS, SECRET, WRONG, CanailleOp, LemonLdapNg, Npm, Peer, write_keys
from tests.walks.place import ONE, Place
from tests.walks.world import World, everywhere, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Here:
    world: World
    peer: Peer

    async def asked(self, person: Person, client: str) -> str:
        """The address at the provider that the choice of `client` leads to."""
        page = await self.world.follow(person, await person.step("GET", self.world.place.url(ONE, "/page?x=1")))
        (link,) = (link for link in page.links() if link.endswith(f"provider={client}"))
        page = await person.step("GET", link, initiator=page.url)
        assert page.location.startswith(self.peer.issuer), f"{page.status}: {page.text[:500]}"
        return page.location

    async def answered(self, person: Person, at: ClientSession, client: str) -> str:
        back = await self.peer.through(at, await self.asked(person, client))
        assert back.startswith(self.world.place.portal(f"/_ecluse/callback/{client}?")), back
        return back

    async def signed_in(self, person: Person, at: ClientSession, client: str) -> Response:
        page = await person.step("GET", await self.answered(person, at, client))
        page = await self.world.follow(person, page)
        assert page.status == 200, page.text
        return page


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`client`: each that the provider knows; `proven`: each that has something to prove itself with."""
    clients = metafunc.cls.peer.clients
    for name, values in (("client", clients), ("proven", [one for one in clients if one != "public"])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values)


@pytest_asyncio.fixture(scope="class", loop_scope="module")
async def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    peer, place = request.cls.peer(), Place(tmp_path_factory.mktemp("every_op"), workers=2)
    write_keys(place)
    with peer.running(place):
        peer.files(place)
        names = [*peer.clients, *(client + WRONG for client in peer.clients if client != "public")]
        told = "{headers: {X-Remote-User: {from: uid}, X-Mail: {from: mail}, X-Provider: {from: provider}}}"
        place.write_app("one", ONE, providers=", ".join(names), translate=told, logout="{scope: global}")
        async with opened(place) as world:
            yield Here(world, peer)
            world.gateway.is_clean()
            assert SECRET not in world.gateway.text()


async def _metadata(here: Here) -> dict[str, Any]:
    async with aiohttp.request("GET", f"{here.peer.issuer}/.well-known/openid-configuration") as answer:
        return dict(await answer.json())


def _parameter(url: str, name: str) -> str:
    (value,) = (
        part.removeprefix(f"{name}=") for part in url.partition("?")[2].split("&") if part.startswith(f"{name}=")
    )
    return value


class Suite:
    peer: ClassVar[type[Peer]]

    async def test_every_authentication_that_the_provider_announces_is_tried(self, here: Here) -> None:
        announced = {*(await _metadata(here))["token_endpoint_auth_methods_supported"]}
        # LemonLDAP::NG knows more than it announces.
        assert {METHODS[client] for client in here.peer.clients} >= announced & {*METHODS.values()}

    async def test_a_person_signs_in_and_the_application_is_told_who(self, here: Here, client: str) -> None:
        person = here.world.person()
        async with browser() as at:
            page = await here.signed_in(person, at, client)
        assert page.url == here.world.place.url(ONE, "/page?x=1")
        told = page.json()["headers"]
        assert (told["x-remote-user"], told["x-mail"], told["x-provider"]) == (here.peer.person, here.peer.mail, client)
        assert await everywhere(here.world.place, "/x", here.world.cookie(person)) == {200}

    async def test_a_client_that_cannot_prove_itself_signs_nobody_in(self, here: Here, proven: str) -> None:
        person, mark = here.world.person(), here.world.gateway.mark()
        async with browser() as at:
            page = await person.step("GET", await here.answered(person, at, proven + WRONG))
        assert (page.status, page.location) == (403, "")
        await here.world.gateway.logged(mark, event="login.refused", code="oidc.token.refused")
        assert (await person.script(here.world.place.url())).status == 401

    async def test_an_answer_is_good_once_and_in_the_browser_that_asked(self, here: Here, client: str) -> None:
        person, thief, mark = here.world.person(), here.world.person(), here.world.gateway.mark()
        async with browser() as at:
            back = await here.answered(person, at, client)
        page = await thief.step("GET", back)
        assert (page.status, page.location) == (400, "")
        await here.world.gateway.logged(mark, event="login.refused", code="login.other_browser")
        # The attempt has used it up, for the person too.
        page = await person.step("GET", back)
        assert (page.status, page.location) == (400, "")
        await here.world.gateway.logged(mark, event="login.refused", code="login.transaction_gone")

    async def test_a_code_of_one_sign_in_is_of_no_use_in_another(self, here: Here, client: str) -> None:
        person, thief, mark = here.world.person(), here.world.person(), here.world.gateway.mark()
        async with browser() as at, browser() as elsewhere:
            stolen = await here.answered(person, at, client)
            own = await here.answered(thief, elsewhere, client)
        code, state = (_parameter(url, name) for url, name in ((stolen, "code"), (own, "state")))
        page = await thief.step("GET", own.replace(_parameter(own, "code"), code))
        assert state in own
        assert (page.status, page.location) == (403, "")
        # PKCE, at the provider: the verifier is of the other sign-in.
        await here.world.gateway.logged(mark, event="login.refused", code="oidc.token.refused")

    async def test_a_sign_out_ends_the_session_at_the_provider_too(self, here: Here) -> None:
        person = here.world.person()
        client = here.peer.clients[0]
        async with browser() as at:
            await here.signed_in(person, at, client)
            page = await here.world.log_out(person)
            _skip, onward = page.links()
            assert onward.startswith((await _metadata(here))["end_session_endpoint"])
            back = await here.peer.out(at, onward)
            assert back.startswith(here.world.place.portal("/_ecluse/logged-out?state=")), back
            page = await person.step("GET", back)
            assert (page.status, "You are signed out" in page.text) == (200, True)
            async with at.get(await here.asked(person, client)) as page:
                assert 'type="password"' in (text := await page.text()) or 'name="login"' in text


class TestNpmOidcProvider(Suite):
    peer = Npm


class TestLemonLdapNg(Suite):
    peer = LemonLdapNg


class TestCanaille(Suite):
    peer = CanailleOp
