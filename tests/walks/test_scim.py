"""A directory says that a person is active no more: every worker knows before it is answered, and a restart changes
nothing; on two nodes, whichever it tells."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.browser_like import Person
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.world import World, everywhere, opened, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "0123456789abcdef0123456789abcdef"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LISTED = (
    "{keys: [{id: s1, secret: {file: ../certs/scim.key}}], "
    "clients: [{name: ville, provider: alpha, tokens: [{file: ../certs/scim.token}], person: uid}]}"
)


def lists_a_directory(place: Place) -> None:
    (place.folder / "certs/scim.key").write_text("of-what-is-told-0123456789" * 2)
    (place.folder / "certs/scim.token").write_text(TOKEN)
    place.settings["scim"] = LISTED
    place.write_gateway()


async def asked(place: Place, method: str, path: str, document: object = None) -> tuple[int, dict[str, Any]]:
    body = b"" if document is None else json.dumps(document).encode()
    head = (
        f"{method} /_ecluse/scim/v2{path} HTTP/1.1\r\nHost: {PORTAL_HOST}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = await Connection.open(place.url())
    try:
        answer = await connection.exchange(head.encode() + body)
    finally:
        await connection.close()
    return answer.status, json.loads(bytes(answer.body) or b"{}")


async def created(place: Place, name: str) -> str:
    status, user = await asked(place, "POST", "/Users", {"schemas": [USER], "userName": name})
    assert status == 201, user
    return str(user["id"])


async def turned(place: Place, id: str, active: str) -> None:
    operation = {"op": "Replace", "path": "active", "value": active}
    status, user = await asked(place, "PATCH", f"/Users/{id}", {"schemas": [PATCH_OP], "Operations": [operation]})
    assert (status, user["active"]) == (200, active == "True"), user


async def refused(world: World, login: str) -> Person:
    person = world.person()
    page = await world.follow(person, await person.step("GET", world.place.url()), login)
    assert page.status == 403, f"{page.status} {page.url}"
    assert "Your organisation ended your access" in page.text
    return person


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    # Nothing else than the directory ends what streams.
    place = Place(tmp_path_factory.mktemp("scim"), settings={"timeouts": "{body: 10m}"})
    lists_a_directory(place)
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def test_a_session_is_gone_at_every_worker_before_the_directory_is_answered(world: World) -> None:
    place, mark = world.place, world.gateway.mark()
    alice, bob = await world.signed_in("alice"), await world.signed_in("bob")
    await world.follow(alice, await alice.step("GET", place.url(TWO)))
    cookie, second, others = world.cookie(alice), world.cookie(alice, TWO), world.cookie(bob)
    id = await created(place, "alice")
    for at in (cookie, others):
        assert await everywhere(place, "/x", at) == {200}
    stream, before = await Connection.open(place.url()), world.upstream.requests
    streaming = asyncio.create_task(stream.exchange(request("/stream?held", cookie)))
    await until(lambda: world.upstream.requests > before)

    await turned(place, id, "False")
    assert await everywhere(place, "/x", cookie) == {401}
    assert await everywhere(place, "/x", second, TWO) == {401}
    assert await everywhere(place, "/x", others) == {200}
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionError):
            await streaming
    await stream.close()
    ended = await world.gateway.logged(mark, event="logout.provider")
    told = await world.gateway.logged(mark, event="scim.told", what="deactivated")
    assert (ended["sessions"], told["client_name"], told["user"]) == (1, "ville", id)
    came = [line["person"] for line in world.gateway.lines(mark, event="login.succeeded")]
    assert ended["person"] == told["person"] == came[0]
    await refused(world, "alice")
    assert (await world.gateway.logged(mark, event="login.refused"))["code"] == "login.deactivated"

    await turned(place, id, "True")
    assert await everywhere(place, "/x", world.cookie(await world.signed_in("alice"))) == {200}
    told = 'ecluse_scim_requests_total{result="deactivated"}'
    await world.gateway.measured(lambda metrics: metrics.get(told, 0) >= 1)


async def test_a_restart_changes_nothing_of_it(world: World) -> None:
    place = world.place
    id = await created(place, "carol")
    carol = await world.signed_in("carol")
    await turned(place, id, "False")
    assert await world.gateway.stop() == 0
    await world.gateway.start()
    assert await everywhere(place, "/x", world.cookie(carol)) == {401}
    await refused(world, "carol")
    status, user = await asked(place, "GET", f"/Users/{id}")
    assert (status, user["userName"], user["active"]) == (200, "carol", False)
    await turned(place, id, "True")
    await world.signed_in("carol")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("valkey", tmp_path_factory.mktemp("valkey")) as port:
        yield port


async def test_whichever_node_is_told_the_other_knows(tmp_path: Path, valkey: int) -> None:
    # A busy machine answers late, and that is not what is looked at here.
    told = f"{{type: redis, server: {{address: '127.0.0.1:{valkey}', timeout: 10s}}, "
    store = told + "keys: [{id: k1, secret: {file: ../certs/store.key}}]}"
    first = Place(tmp_path / "one", settings={"store": store})
    second = Place(tmp_path / "two", settings={"store": store, "portal": f"http://{PORTAL_HOST}:{first.port}"})
    second.upstream_port, second.provider_port = first.upstream_port, first.provider_port
    for place in (first, second):
        lists_a_directory(place)
    async with opened(first) as world:
        second.write_provider("alpha", world.alpha.url)
        for name, host in (("one", ONE), ("two", TWO)):
            second.write_app(name, host)
        other = Gateway(second)
        try:
            await other.start()
            cookie = world.cookie(await world.signed_in("dave"))
            assert await everywhere(second, "/x", cookie) == {200}
            id = await created(second, "dave")
            await turned(second, id, "False")
            assert await everywhere(second, "/x", cookie) == {401}
            # Invariant 12: on other nodes a moment later.
            async with asyncio.timeout(PATIENCE):
                while await everywhere(first, "/x", cookie) != {401}:
                    await asyncio.sleep(0.02)
            await refused(world, "dave")
            status, user = await asked(first, "GET", "/Users?filter=userName%20eq%20%22dave%22")
            assert (status, user["Resources"][0]["active"]) == (200, False)
            await turned(first, id, "True")
            await world.signed_in("dave")
            other.is_clean()
        finally:
            await other.end()
        world.gateway.is_clean()
