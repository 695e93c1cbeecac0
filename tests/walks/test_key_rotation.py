"""Store keys change under load on two gateways with one Valkey: nobody's session is lost, no restart is needed, and
what a retired key sealed opens nowhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.config.keyring import RingKey, keyring_text, read_keyring, with_key
from tests.cli.test_key import key
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.load import Load, running
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.test_reload_command import asked
from tests.walks.world import World, everywhere, opened, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with server("valkey", tmp_path_factory.mktemp("valkey")) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory, valkey: int) -> AsyncIterator[tuple[World, Place, Path]]:
    ring = tmp_path_factory.mktemp("keys") / "ring"
    key(ring.parent, "new", "store", "ring", "--id", "a")
    told = f"{{type: redis, server: {{address: '127.0.0.1:{valkey}'}}, keyring: {{file: '{ring}'}}}}"
    first = Place(tmp_path_factory.mktemp("one"), settings={"store": told})
    portal = {"portal": f"http://{PORTAL_HOST}:{first.port}"}
    second = Place(tmp_path_factory.mktemp("two"), workers=1, settings={"store": told, **portal})
    second.upstream_port, second.provider_port = first.upstream_port, first.provider_port
    async with opened(first) as world:
        second.write_provider("alpha", world.alpha.url)
        for name, host in (("one", ONE), ("two", TWO)):
            second.write_app(name, host)
        other = Gateway(second)
        try:
            await other.start()
            yield world, second, ring
            other.is_clean(but=("config.refused",))
        finally:
            await other.end()
        world.gateway.is_clean(but=("config.refused",))


def dated(ring: Path, **since: int) -> None:
    """As if the time had come."""
    found = read_keyring(ring.read_bytes())
    keys = tuple(replace(one, since=since.get(one.id, one.since)) for one in found.keys)
    ring.write_bytes(keyring_text(replace(found, keys=keys)))


async def taken(*places: Place) -> None:
    """By the command, whose reload begins after it: once a minute a gateway looks by itself."""
    for place in places:
        code, told, errors = await asked(place)
        assert (code, errors) == (0, ""), told


async def test_keys_are_rotated_under_load_and_no_session_is_lost(nodes: tuple[World, Place, Path]) -> None:
    world, second, ring = nodes
    cookies = [world.cookie(await world.signed_in())]
    loads = [
        Load(place.url(), lambda target: request(target, cookies[0]), ["/x"], pause=0.05)
        for place in (world.place, second)
    ]
    async with running(loads[0], kept=2, anew=1), running(loads[1], kept=2, anew=1):
        key(ring.parent, "rotate", ring.name, "--id", "b")
        for place in (world.place, second):
            await taken(place)
            cookies.append(world.cookie(await world.signed_in()))
        # The date has come: one node uses it while the other still seals with the key before.
        dated(ring, b=int(time.time()) - 1)
        for place in (world.place, second):
            await taken(place)
            cookies.append(world.cookie(await world.signed_in()))
            for each in (world.place, second):
                assert {status for one in cookies for status in await everywhere(each, "/x", one)} == {200}
        for load in loads:
            await load.answers(50)
            load.stop()
    assert {asked.status for load in loads for asked in load.done} == {200}


async def test_a_key_that_nobody_knew_seals_nothing(nodes: tuple[World, Place, Path]) -> None:
    world, _, ring = nodes
    before, now = ring.read_bytes(), int(time.time())
    unknown = RingKey("c", now - 1, None, {"secret": "0123456789abcdef" * 4})
    ring.write_bytes(keyring_text(with_key(read_keyring(before), unknown, now)))
    code, told, _ = await asked(world.place)
    assert code == 1
    assert "store: the key `c` would seal before every gateway has it" in told
    ring.write_bytes(before)
    await taken(world.place)


async def test_a_keyring_takes_the_place_of_keys_and_nobody_is_signed_out(tmp_path: Path) -> None:
    place = Place(tmp_path, workers=1)
    async with opened(place) as world:
        cookie = world.cookie(await world.signed_in())
        ring = place.folder / "certs/ring"
        place.settings["store"] = f"{{type: sqlite, keyring: {{file: '{ring}'}}}}"
        key(ring.parent, "new", "store", ring.name)
        place.write_gateway()
        code, told, _ = await asked(place)
        assert code == 1
        assert "a keyring begins with the key before, by `ecluse key new --from`" in told
        ring.unlink()
        key(ring.parent, "new", "store", ring.name, "--from", "store.key", "--id", "k1")
        await taken(place)
        key(ring.parent, "rotate", ring.name)
        await taken(place)
        assert await everywhere(place, "/x", cookie) == {200}
        world.gateway.is_clean(but=("config.refused",))


async def test_what_a_retired_key_sealed_opens_nowhere_and_its_streams_are_cut(
    nodes: tuple[World, Place, Path],
) -> None:
    """After the rotation above: whoever signs in now has nothing of the key `a`."""
    world, second, ring = nodes
    kept = world.cookie(await world.signed_in("bob"))
    key(ring.parent, "rotate", ring.name, "--id", "d")
    await taken(world.place, second)
    dated(ring, d=int(time.time()) - 1)
    await taken(world.place, second)
    newer = world.cookie(await world.signed_in("carol"))
    line = await Connection.open(second.url())
    before = world.upstream.requests
    stream = asyncio.create_task(line.exchange(request("/stream?seconds=600", kept)))
    await until(lambda: world.upstream.requests > before)
    assert await everywhere(second, "/x", kept) == {200}
    # There another file is wrong, before any reload that the key's end could have brought: the folder is not taken, and
    # the key ends all the same, at the command or at the look of each minute, whichever comes first.
    provider = second.policies / "providers" / "wrong.yaml"
    provider.write_text("nothing")
    key(ring.parent, "retire", ring.name, "b")
    await taken(world.place)
    code, _, _ = await asked(second)
    provider.unlink()
    assert code == 1
    log = second.folder / "gateway.log"
    await until(lambda: "the ended keys store b are gone" in log.read_text())
    for place in (world.place, second):
        assert await everywhere(place, "/x", kept) == {401}
        assert await everywhere(place, "/x", newer) == {200}
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(stream, PATIENCE)
    await line.close()
