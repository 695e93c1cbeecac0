"""`ecluse serve --replace` beside a gateway that runs: the newer one takes the place of the older, unseen."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.cli.test_main import ECLUSE
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.running import runs
from tests.walks.gateway import READY_WITHIN, SERVE, Gateway
from tests.walks.load import Load, running
from tests.walks.place import ONE, Place
from tests.walks.world import World, ask, everywhere, opened, request

REPLACE = (*SERVE[:-1], "--replace", "policies")
# By hand, for some minutes: ECLUSE_RESTARTS=20 ECLUSE_STREAM=60 ECLUSE_CLIENTS=4, with `-s` for the rate reached.
RESTARTS = int(os.environ.get("ECLUSE_RESTARTS", "2"))
STREAM = int(os.environ.get("ECLUSE_STREAM", "2"))
CLIENTS = int(os.environ.get("ECLUSE_CLIENTS", "1"))
UPLOADED = 300_000

pytestmark = pytest.mark.slow


class Unrefused(Load):
    """A client that is refused a connection is a request that failed."""

    async def _opened(self) -> Connection | None:
        return await Connection.open(self.url)


def upload(target: str) -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: {ONE}\r\nAccept: application/json\r\nContent-Length: {UPLOADED}\r\n\r\n"
    return head.encode() + b"x" * UPLOADED


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(Place(tmp_path, settings={"timeouts": f"{{drain: {PATIENCE + STREAM:.0f}s}}"})) as world:
        yield world


@asynccontextmanager
async def successor(world: World) -> AsyncIterator[Gateway]:
    """Beside the world's gateway, when it has taken its place; from then on it is the world's."""
    newer, mark = Gateway(world.place, command=REPLACE), world.gateway.mark()
    older = world.gateway
    try:
        await newer.launch()
        # Under load it starts as slowly as any gateway.
        await older.logged(mark, event="gateway.succeeded", within=READY_WITHIN)
        yield older
    finally:
        world.gateway = newer
        await older.end()


async def restart(place: Place, *words: str) -> tuple[int, str, str]:
    def run() -> subprocess.CompletedProcess[str]:
        command = [str(ECLUSE), "restart", *words]
        return subprocess.run(command, cwd=place.folder, capture_output=True, text=True, timeout=READY_WITHIN)

    told = await asyncio.to_thread(run)
    return told.returncode, told.stdout, told.stderr


@pytest.fixture
async def ended(world: World) -> AsyncIterator[None]:
    yield
    await world.gateway.end()


async def test_restarts_under_load_fail_no_request(world: World, ended: None) -> None:
    cookie = world.cookie(await world.signed_in())
    url = world.place.url()
    loads = (
        Unrefused(url, request, ["/public/a", "/public/slow?seconds=0.2"]),
        Unrefused(url, lambda target: request(target, cookie), ["/x"], pause=0.02),
        Unrefused(url, upload, ["/public/upload"], pause=0.05),
        Unrefused(url, request, [f"/public/stream?seconds={STREAM}"]),
    )
    async with (
        running(loads[0], kept=6 * CLIENTS, anew=3 * CLIENTS),
        running(loads[1], kept=6 * CLIENTS),
        running(loads[2], kept=2),
        running(loads[3], kept=2),
    ):
        for _ in range(RESTARTS):
            await loads[0].answers(50)
            async with successor(world) as older:
                assert await older.ended(PATIENCE + STREAM) == 0
        await loads[0].answers(50)
    failed = [asked for load in loads for asked in load.done if asked.status != 200]
    done, began = sum(len(load.done) for load in loads), min(load.done[0].began for load in loads)
    took = max(load.done[-1].ended for load in loads) - began
    print(f"{RESTARTS} restarts, {done} requests, {done / took:.0f} in a second, {len(failed)} failed")
    assert not failed, f"{len(failed)} of {done}: {failed[:3]}"
    assert all(load.done for load in loads)
    assert len(world.gateway.lines(event="gateway.succeeded")) == RESTARTS
    world.gateway.is_clean()


async def test_while_the_older_one_drains_a_sign_out_is_in_force_there_and_the_newer_one_has_what_is_there_once(
    world: World, ended: None
) -> None:
    person = await world.signed_in()
    cookie = world.cookie(person)
    line = await Connection.open(world.place.url())
    stream = asyncio.create_task(line.exchange(request("/stream?seconds=600", cookie)))
    await until(lambda: world.upstream.requests > 1)
    # What has gone on for longer than an answer in flight is given.
    await asyncio.sleep(0.5)
    async with successor(world) as older:
        assert older.status is None, "a stream is under way"
        admin = await world.gateway.readiness()
        assert (admin["ready"], admin["workers_serving"]) == (True, 2), "the newer one has the admin address"
        assert await everywhere(world.place, "/x", cookie) == {200}
        await world.log_out(person)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(stream, PATIENCE)
        assert await everywhere(world.place, "/x", cookie) == {401}
        assert await older.ended() == 0
    await line.close()


async def test_what_a_reload_refuses_a_restart_refuses_too(world: World, ended: None) -> None:
    cookie, gateway, place = world.cookie(await world.signed_in()), world.gateway, world.place
    good = place.read("gateway.yaml")
    # Another key, under the same id and under one of its own: nobody's session would open.
    (place.folder / "certs/other.key").write_text("fedcba9876543210" * 4)
    for id in ("k1", "k2"):
        change = good.replace(
            "{id: k1, secret: {file: ../certs/store.key}}", f"{{id: {id}, secret: {{file: ../certs/other.key}}}}"
        )
        assert change != good
        place.write("gateway.yaml", change)
        refused, mark = await gateway.reload("config.refused"), gateway.mark()
        assert (refused["code"], f"the key `{id}`" in refused["detail"]) == ("config.store_keys", True)
        for words in ((), ("--yes",)):
            code, told, errors = await restart(place, *words)
            assert (code, told, errors) == (1, "", f"ecluse: nothing was restarted: {refused['detail']}\n")
        line = await gateway.logged(mark, event="config.refused", number=2)
        assert (line["code"], line["detail"]) == (refused["code"], refused["detail"])
    place.write("gateway.yaml", good)
    # A start would do without this file.
    apps = {name: place.read(f"apps/{name}.yaml") for name in ("one", "two")}
    place.write("apps/one.yaml", apps["one"] + "nonsense: 1\n")
    refused = await gateway.reload("config.refused")
    code, told, errors = await restart(place)
    assert (code, told, errors) == (1, "", f"ecluse: nothing was restarted: {refused['detail']}\n")
    assert "policies/apps/one.yaml:10:1: nonsense: unknown key" in errors
    place.write("apps/one.yaml", apps["one"])
    for name in apps:
        (place.policies / f"apps/{name}.yaml").unlink()
    assert (await restart(place))[0] == 1
    assert await everywhere(place, "/x", cookie) == {200}
    code, told, errors = await restart(place, "--yes", "--output", "json")
    assert (code, errors) == (0, "")
    newer = json.loads(told)["process"]
    try:
        assert await gateway.ended() == 0
        assert (await ask(place.url(), "/public/a")).status == 421
    finally:
        os.kill(newer, signal.SIGTERM)
        await until(lambda: not runs(newer))


async def test_a_teams_wrong_file_stays_as_it_was_through_a_restart(world: World, ended: None) -> None:
    place, gateway = world.place, world.gateway
    fence = "{hosts: [team.localhost], providers: [alpha], upstreams: [127.0.0.1], headers: [X-Remote-User]}"
    place.write("gateway.yaml", f"{place.read('gateway.yaml')}teams: {{mairie: {fence}}}\n")
    (place.policies / "apps/mairie").mkdir()
    place.write_app("mairie/team", "team.localhost", app="team")
    await gateway.reload()
    place.write("apps/mairie/team.yaml", "nonsense: 1\n")
    code, told, errors = await restart(place, "--output", "json")
    assert (code, errors) == (0, "")
    newer = json.loads(told)["process"]
    try:
        assert await gateway.ended() == 0
        assert (await ask(place.url(), "/public/a", host="team.localhost")).status == 200
        assert gateway.lines(event="config.partly")[-1]["kept"] == ["apps/mairie/team.yaml"]
    finally:
        os.kill(newer, signal.SIGTERM)
        await until(lambda: not runs(newer))


async def test_a_start_with_none_running_is_refused_for_no_change_of_hosts(world: World, ended: None) -> None:
    assert await world.gateway.stop() == 0
    for name in ("one", "two"):
        (world.place.policies / f"apps/{name}.yaml").unlink()
    for command in (SERVE, REPLACE):
        world.gateway = Gateway(world.place, command=command)
        await world.gateway.start()
        assert await world.gateway.stop() == 0


async def test_one_that_does_not_find_the_older_one_takes_no_place_beside_it(world: World, ended: None) -> None:
    place = world.place
    # Also where all addresses are others, and could be bound.
    port, admin_port = free(2)
    change = place.read("gateway.yaml").replace("state: ../var", "state: ../elsewhere")
    change = change.replace(f"[{{address: 127.0.0.1:{place.port}}}]", f"[{{address: 127.0.0.1:{port}}}]")
    place.write("gateway.yaml", change.replace(f"127.0.0.1:{place.admin_port}", f"127.0.0.1:{admin_port}"))
    code, told, errors = await restart(place, "--state", "var")
    assert (code, told) == (1, "")
    assert errors == (
        "ecluse: nothing was restarted: the successor ended with 1:\necluse: no running gateway is found with the "
        f"state folder {place.folder}/elsewhere: to change `state`, stop the gateway and start it\n"
    )
    assert (await ask(place.url(), "/public/a")).status == 200


async def test_a_newer_one_that_cannot_serve_leaves_the_older_one_as_it_is(world: World) -> None:
    good, pid = world.place.read("gateway.yaml"), world.gateway.pid
    world.place.write("gateway.yaml", good + "nonsense: 1\n")
    code, told, errors = await restart(world.place)
    assert (code, told) == (1, "")
    said = world.gateway.errors()
    assert errors == f"ecluse: nothing was restarted: the successor ended with 1:\n{said}"
    assert "nonsense: unknown key" in said
    assert said.endswith(
        "ecluse: the folder policies is refused, so nothing is served"
        " (correct the files, then run: ecluse check policies)\n"
    )
    world.place.write("gateway.yaml", good)
    assert (await ask(world.place.url(), "/public/a")).status == 200
    assert json.loads((await world.gateway.admin("/readyz"))[1])["ready"]

    code, told, errors = await restart(world.place, "--output", "json")
    assert (code, errors) == (0, "")
    newer = json.loads(told)["process"]
    try:
        assert await world.gateway.ended() == 0
        assert newer != pid
        assert (await ask(world.place.url(), "/public/a")).status == 200
    finally:
        os.kill(newer, signal.SIGTERM)
        await until(lambda: not runs(newer))
