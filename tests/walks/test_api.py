"""Programs with an access token, through two workers: who they are comes from the token, which goes no further."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.attacks.provider import sign
from tests.patience import PATIENCE
from tests.raw_http import Connection, Reading
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, ask, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """\
  - {path: /public/**, allow: anyone}
  - {path: /**, allow: signed_in}
  - {path: /api/admin/**, allow: {group: admins}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("api"))
    issuer = f"http://127.0.0.1:{place.provider_port}/alpha"
    place.write_provider("alpha", issuer, api="{audience: [urn:permis], scopes: [permis.read]}")
    place.write_app("one", ONE, access=RULES, api="{providers: [alpha], paths: [/api/**]}")
    place.write_app("two", TWO, access=RULES, api="{providers: [alpha], paths: [/api/**], forward: true}")
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


def token(world: World, *, typ: str = "at+jwt", by: str = "alpha", **changes: object) -> str:
    now = int(time.time())
    good = {
        "iss": world.alpha.url, "aud": "urn:permis", "sub": "service-1", "client_id": "service", "iat": now,
        "exp": now + 300, "jti": secrets.token_urlsafe(), "scope": "permis.read", "preferred_username": "service-1",
        "groups": ["services"], "email": "service@corp.example",
    }  # fmt: skip
    return sign(
        {name: value for name, value in (good | changes).items() if value is not None}, by, typ=typ, kid="alpha"
    )


async def call(
    world: World, authorization: str, target: str = "/api/x", *, host: str = ONE, cookie: str = ""
) -> Reading:
    connection = await Connection.open(world.place.url())
    lines = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
    lines += f"Authorization: {authorization}\r\n" if authorization else ""
    lines += f"Cookie: {cookie}\r\n" if cookie else ""
    try:
        return await connection.exchange(f"{lines}\r\n".encode())
    finally:
        await connection.close()


def told(reading: Reading) -> dict[str, str]:
    headers = json.loads(bytes(reading.body))["headers"]
    assert isinstance(headers, dict)
    return headers


def header(reading: Reading, name: str) -> str:
    return next((value for key, value in reading.headers if key.lower() == name), "")


async def test_the_application_is_told_who_calls_and_not_given_the_token(world: World) -> None:
    bearer = token(world)
    readings = await asyncio.gather(*(call(world, f"Bearer {bearer}", f"/api/{number}") for number in range(20)))
    assert {reading.status for reading in readings} == {200}
    for reading in readings:
        assert told(reading)["x-remote-user"] == "service-1"
        assert "authorization" not in told(reading)
    assert bearer not in world.gateway.text()


async def test_it_goes_further_where_the_file_says_so(world: World) -> None:
    bearer = token(world)
    assert told(await call(world, f"bearer {bearer}", host=TWO))["authorization"] == f"bearer {bearer}"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"aud": "urn:other"}, 401, "invalid_token"),
        ({"iss": "http://127.0.0.1:1/evil"}, 401, "invalid_token"),
        ({"exp": 1}, 401, "invalid_token"),
        ({"typ": "JWT"}, 401, "invalid_token"),
        ({"by": "beta"}, 401, "invalid_token"),
        ({"jti": None}, 401, "invalid_token"),
        ({"email": "service@evil.example"}, 401, "invalid_token"),
        ({"scope": "other"}, 403, "insufficient_scope"),
    ],
)
async def test_a_token_that_is_not_in_order_lets_nobody_in(
    world: World, changes: dict[str, str], status: int, error: str
) -> None:
    seen = world.upstream.requests
    for _ in range(2):
        reading = await call(world, f"Bearer {token(world, **changes)}")
        assert (reading.status, header(reading, "www-authenticate")) == (status, f'Bearer error="{error}"')
        assert b"login_url" not in bytes(reading.body)
    assert world.upstream.requests == seen


async def test_garbage_is_refused_and_no_fault(world: World) -> None:
    for garbage in ("Bearer x", "Bearer a.b.c", "Bearer " + "a" * 9000, "Bearer \xe9", "Bearer ...."):
        assert (await call(world, garbage)).status == 401, garbage


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer {} more", "Bearer\t{}", "bEARER {},x", "Bearer {};"]
)
async def test_what_a_kinder_reader_would_take_for_a_token_is_not_left_to_the_application(
    world: World, authorization: str
) -> None:
    """Not with a session either."""
    cookie = world.cookie(await world.signed_in("bob"))
    seen = world.upstream.requests
    for host in (ONE, TWO):
        reading = await call(world, authorization.format(token(world)), host=host, cookie=cookie)
        assert (reading.status, header(reading, "www-authenticate")) == (401, 'Bearer error="invalid_token"')
    assert world.upstream.requests == seen


async def test_policy_decides_about_a_caller_as_about_anybody(world: World) -> None:
    assert (await call(world, f"Bearer {token(world)}", "/api/admin/x")).status == 403
    assert (await call(world, f"Bearer {token(world, groups=['admins'])}", "/api/admin/x")).status == 200


async def test_elsewhere_the_header_is_the_applications_own_affair(world: World) -> None:
    bearer = f"Bearer {token(world)}"
    assert (await call(world, bearer, "/x")).status == 401
    assert told(await call(world, bearer, "/public/x"))["authorization"] == bearer
    assert told(await call(world, "Basic YTpi", "/public/x"))["authorization"] == "Basic YTpi"


async def test_without_a_token_the_answer_says_how_to_come_with_one(world: World) -> None:
    reading = await ask(world.place.url(), "/api/x")
    assert (reading.status, header(reading, "www-authenticate")) == (401, "Bearer")
    # RFC 9110 11.6.1: elsewhere too, by a scheme that no browser asks a password for.
    assert header(await ask(world.place.url(), "/x"), "www-authenticate") == 'Cookie realm="ecluse"'


async def test_a_session_is_no_help_to_a_bad_token_and_a_token_none_to_a_session(world: World) -> None:
    cookie = world.cookie(await world.signed_in("bob"))
    assert (await call(world, f"Bearer {token(world, aud='urn:other')}", cookie=cookie)).status == 401
    assert told(await call(world, f"Bearer {token(world)}", cookie=cookie))["x-remote-user"] == "service-1"
    assert told(await call(world, "", cookie=cookie))["x-remote-user"] == "bob"


async def test_a_token_is_taken_until_its_end_and_no_longer(world: World) -> None:
    """A minute is granted to clocks that differ."""
    for seconds in (3, 12, 48):
        end = int(time.time()) + seconds
        bearer = f"Bearer {token(world, exp=end - 60)}"
        if (await call(world, bearer)).status == 200:
            break
        assert time.time() >= end, "refused before its end"
    async with asyncio.timeout(PATIENCE):
        while (await call(world, bearer)).status == 200:
            await asyncio.sleep(0.1)
    assert time.time() >= end, "refused before its end"
