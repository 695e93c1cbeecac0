"""Programs with opaque access tokens of npm oidc-provider, asked about there (RFC 7662), through two workers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from deploy.demo.ports import free
from tests.op.process import OpenIdProvider
from tests.walks.place import ONE, Place
from tests.walks.test_api import call, header, told
from tests.walks.world import World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a-secret-of-the-tests"
PERMIS, OTHER, BRIEF = "urn:permis", "urn:other", "urn:brief"
# Seconds.
BRIEFLY, WITHIN = 4, 60.0


@dataclass
class Here:
    world: World
    provider: OpenIdProvider

    async def token(self, audience: str = PERMIS, scope: str = "permis.read", client: str = "service") -> str:
        form = {"grant_type": "client_credentials", "resource": audience, "scope": scope}
        document = await self.posted("/token", form, client)
        token = document["access_token"]
        assert isinstance(token, str)
        assert "." not in token, "opaque"
        return token

    async def posted(self, path: str, form: dict[str, str], client: str) -> dict[str, object]:
        proven = {**form, "client_id": client, "client_secret": SECRET}
        async with aiohttp.request("POST", self.provider.issuer + path, data=proven) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    place = Place(tmp_path_factory.mktemp("introspection"), workers=2)
    programs = [
        {
            "client_id": name, "client_secret": SECRET, "grant_types": ["client_credentials"], "redirect_uris": [],
            "response_types": [], "token_endpoint_auth_method": "client_secret_post",
        }
        for name in ("service", "alice")
    ]  # fmt: skip
    ours = {"client_id": "ecluse", "client_secret": SECRET, "redirect_uris": [place.portal("/_ecluse/callback/alpha")]}
    opaque = {"scope": "permis.read permis.write", "accessTokenFormat": "opaque"}
    (port,) = free(1)
    with OpenIdProvider(
        [ours, *programs],
        {"alice": {"preferred_username": "alice", "email": "alice@corp.example"}},
        features={name: {"enabled": True} for name in ("introspection", "revocation", "clientCredentials")},
        resources={PERMIS: opaque, OTHER: opaque, BRIEF: opaque | {"accessTokenTTL": BRIEFLY}},
        port=port,
    ) as provider:
        api = f"{{audience: [{PERMIS}, {BRIEF}], scopes: [permis.read], introspection: true}}"
        place.write_provider("alpha", provider.issuer, api=api)
        rules = "  - {path: /**, allow: signed_in}\n"
        headers = "{headers: {X-Remote-User: {from: uid}, X-Subject: {from: subject}}}"
        place.write_app("one", ONE, access=rules, api="{providers: [alpha], paths: [/api/**]}", translate=headers)
        async with opened(place) as world:
            yield Here(world, provider)
            world.gateway.is_clean()


async def test_a_program_is_known_by_its_client_and_taken_for_no_person(here: Here) -> None:
    """Also where a person of the provider has that very `sub`."""
    for client in ("service", "alice"):
        bearer = await here.token(client=client)
        readings = await asyncio.gather(*(call(here.world, f"Bearer {bearer}") for _ in range(20)))
        assert {reading.status for reading in readings} == {200}
        for reading in readings:
            assert told(reading)["x-subject"] == f"client:{client}"
            assert not {"authorization", "x-remote-user"} & told(reading).keys()
        assert bearer not in here.world.gateway.text()


@pytest.mark.parametrize(
    ("audience", "scope", "status", "error"),
    [
        (OTHER, "permis.read", 401, "invalid_token"),
        (PERMIS, "permis.write", 403, "insufficient_scope"),
    ],
)
async def test_a_token_for_another_or_for_less_lets_nobody_in(
    here: Here, audience: str, scope: str, status: int, error: str
) -> None:
    reading = await call(here.world, f"Bearer {await here.token(audience, scope)}")
    assert (reading.status, header(reading, "www-authenticate")) == (status, f'Bearer error="{error}"')


async def test_a_token_of_nobody_or_one_that_was_taken_back_lets_nobody_in(here: Here) -> None:
    taken_back = await here.token()
    await here.posted("/token/revocation", {"token": taken_back}, "service")
    seen = here.world.upstream.requests
    for bearer in (taken_back, "of-nobody", "A" * 43):
        assert (await call(here.world, f"Bearer {bearer}")).status == 401
    assert here.world.upstream.requests == seen


async def test_a_token_is_taken_until_its_end(here: Here) -> None:
    bearer = await here.token(BRIEF)
    assert (await call(here.world, f"Bearer {bearer}")).status == 200
    # Each worker counts the seconds that are left by itself, and which of them is asked is chance.
    async with asyncio.timeout(WITHIN):
        while {(await call(here.world, f"Bearer {bearer}")).status for _ in range(8)} != {401}:
            await asyncio.sleep(0.2)


async def test_where_the_provider_cannot_be_asked_nobody_new_is_let_in(here: Here) -> None:
    """Last: it does not come back."""
    known, unknown = await here.token(), await here.token()
    assert {(await call(here.world, f"Bearer {known}")).status for _ in range(8)} == {200}
    here.provider.stop()
    reading = await call(here.world, f"Bearer {unknown}")
    assert reading.status in (502, 503)
    assert header(reading, "www-authenticate") == ""
