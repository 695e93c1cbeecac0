"""What operators rely on: health, metrics, log, reload, workers that die, a stop that loses nothing.

In this order: the last tests stop the gateway.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.place import LOOPBACK, ROOT
from deploy.demo.processes import Child
from deploy.demo.stack import PORTAL_HOST, Demo, DemoFailed
from tests.browser_like import Person, Response
from tests.patience import PATIENCE, until
from tests.running import descendants_of, runs
from tests.smoke.pages import received
from tests.smoke.world import PERMIS_HOST, SEAT, World

PERMIS = "apps/permis.yaml"
SUBVENTIONS = "apps/subventions.yaml"
# A probe of 10 ms on a machine that runs everything else of the demo as well.
LONGEST_STOP = 0.1
# Seconds that a stop is told of.
STOPS_TOLD = 10


async def test_the_demo_starts_and_leaves_no_file_out(world: World) -> None:
    assert world.demo.left_out is None


async def test_the_admin_listener_answers(world: World) -> None:
    assert await world.gateway.admin("/livez") == (200, "alive\n")
    status, text = await world.gateway.admin("/readyz")
    assert status == 200
    assert '"ready": true' in text
    assert (await world.gateway.admin("/elsewhere"))[0] == 404


async def test_the_admin_listener_is_not_on_the_public_port(world: World) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        page = await world.person().script(world.permis(path))
        assert page.status == 401, f"{path}: {page.status}"


async def test_metrics_count_what_happens(world: World) -> None:
    before = await world.gateway.metrics()
    person, _ = await world.signed_in("paul")
    await person.open(world.permis("/admin/"))
    once = (
        'ecluse_auth_logins_total{provider="metropole",reason="",result="success"}',
        'ecluse_http_requests_total{app="permis",code_class="2xx"}',
        'ecluse_http_requests_total{app="permis",code_class="4xx"}',
    )
    after = await world.gateway.measured(lambda told: all(told.get(name, 0) > before.get(name, 0) for name in once))

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert [more(name) for name in once] == [1, 1, 1]
    assert more("ecluse_policy_decisions_total") >= 3
    assert after["ecluse_workers"] >= 1
    assert after["ecluse_config_last_reload_successful"] == 1
    assert more("ecluse_overhead_seconds_count") >= 1


async def test_the_loop_never_stands_still_for_long(world: World) -> None:
    """What the gateway does it does at every sign-in, and what its host does it does once."""
    stops: list[float] = []
    while not stops or (stops[-1] >= LONGEST_STOP and len(stops) < 3):
        if stops:
            await asyncio.sleep(STOPS_TOLD + 1)
        await world.signed_in("paul")
        stops.append((await world.gateway.metrics())["ecluse_event_loop_stop_max_seconds"])
    assert 0 < stops[-1] < LONGEST_STOP, stops


async def test_the_log_is_json_and_tells_no_secret_and_no_attribute(world: World) -> None:
    person, _ = await world.signed_in("helene", world.permis("/dossier?jeton=tres-secret"))
    await person.open(world.permis("/admin/"))
    text = world.gateway.text()
    lines = [line for line in text.splitlines() if line]
    assert lines
    assert all(line.startswith("{") for line in lines), [line for line in lines if not line.startswith("{")][:3]
    told = [
        "Lebœuf", "Leboeuf", "Müller", "@metropole.example", "0590001A", "tres-secret", "code=", "state=",
        *(path.read_text().strip() for path in _keys(world)),
        *filter(None, (person.jar.get(host, SEAT) for host in (PERMIS_HOST, PORTAL_HOST))),
    ]  # fmt: skip
    assert not [word for word in told if word in text]


def _keys(world: World) -> list[Path]:
    return [path for path in (world.demo.folder / "certs").rglob("*") if path.is_file()]


async def test_keys_are_for_their_owner_alone(world: World) -> None:
    files = _keys(world)
    # Those of the store, of the LDAP server and of a login form, one for each provider, and pairs.
    assert len(files) == 3 + len(ACCOUNTS) + 2 * (1 + len(SAML_ACCOUNTS))
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    state = list((world.demo.folder / "var").rglob("*.sqlite*"))
    assert state
    assert not [path for path in state if path.stat().st_mode & 0o007]


async def test_what_is_stored_holds_no_name_in_clear(world: World) -> None:
    await world.signed_in("helene")
    stored = b"".join(path.read_bytes() for path in (world.demo.folder / "var").rglob("*.sqlite*"))
    assert stored
    words = ("Lebœuf", "helene", "metropole.example", "ONDE", "0590001A")
    assert not [word for word in words if word.encode() in stored]


async def test_a_broken_file_leaves_the_old_rules_live_and_is_named(world: World) -> None:
    good = world.read_policy(PERMIS)
    broken = good.replace("  - path: /admin/**\n    allow:", "  - path: /admin/**\n    alow:")
    place = f"policies/apps/permis.yaml:{broken[: broken.index('alow:')].count(chr(10)) + 1}:5: "
    revision = json.loads((await world.gateway.admin("/readyz"))[1])["revision"]
    async with world.policy(PERMIS, broken, event="config.refused") as line:
        assert place in str(line["detail"])
        assert "alow" in str(line["detail"])
        assert line["revision"] == revision
        person, page = await world.signed_in("paul")
        assert page.status == 200
        assert (await person.open(world.permis("/admin/"))).status == 403
        assert (await world.gateway.metrics())["ecluse_config_last_reload_successful"] == 0
        status, text = await world.gateway.admin("/readyz")
        assert status == 200
        assert json.loads(text)["revision"] == revision
        assert place in json.loads(text)["last_reload"]
    assert (await world.gateway.metrics())["ecluse_config_last_reload_successful"] == 1


async def test_a_good_change_is_taken_by_every_worker_for_people_who_are_signed_in(world: World) -> None:
    changed = (
        world.read_policy(PERMIS)
        .replace("{group: administrateurs}", "{group: ONDE}")
        .replace("X-Remote-User: {from: uid}", "X-Remote-User: {from: family_name}")
    )
    person, _ = await world.signed_in("paul")
    assert (await person.open(world.permis("/admin/"))).status == 403
    async with world.policy(PERMIS, changed):
        for _ in range(4):
            page = await person.open(world.permis("/admin/"))
            assert page.status == 200
            assert received(page)["HTTP_X_REMOTE_USER"] == b"Ducrocq"
            await person.close()
    for _ in range(4):
        assert (await person.open(world.permis("/admin/"))).status == 403
        await person.close()


async def test_a_provider_taken_off_an_application_is_heard_no_more(world: World) -> None:
    changed = world.read_policy(SUBVENTIONS).replace("[metropole, departement, region]", "[departement]")
    person, page = await world.signed_in("helene", world.subventions())
    assert page.status == 200
    async with world.policy(SUBVENTIONS, changed):
        page = await person.open(world.subventions())
        assert page.origin == world.demo.issuer("departement"), page.url
        assert (await person.open(world.permis())).status == 200
    assert (await person.open(world.subventions())).status == 200


async def test_check_prints_every_problem_with_its_place(world: World) -> None:
    folder = world.demo.folder / "policies"
    good = world.read_policy(PERMIS)
    (folder / PERMIS).write_text(good.replace("hosts:", "host:").replace("{from: uid}", "{from: uid, encodng: latin1}"))
    try:
        child = await Child.start(
            "check", [sys.executable, "-m", "gateway", "check", "policies"], folder=world.demo.folder,
            log=world.demo.folder / "check.log",
        )  # fmt: skip
        assert await child.ended() == 1
        said = child.log.read_text()
        for word in ("policies/apps/permis.yaml:", "did you mean", "hosts", "encoding", "^"):
            assert word in said, said
    finally:
        (folder / PERMIS).write_text(good)


async def test_an_application_that_is_down_gives_a_page_that_says_so(world: World) -> None:
    with socket.socket() as nobody:
        nobody.bind((LOOPBACK, 0))
        port = nobody.getsockname()[1]
        changed = world.read_policy(SUBVENTIONS).replace(f":{world.demo.ports.subventions}", f":{port}")
        async with world.policy(SUBVENTIONS, changed):
            mark = world.gateway.mark()
            page = await world.person().open(world.subventions("/public/"))
            assert page.status == 502
            assert '<html lang="fr">' in page.text
            line = await world.gateway.logged(mark, event="upstream.failed", code="upstream.connect")
            assert str(line["reference"]) in page.text
            assert str(port) not in page.text
    assert (await world.person().open(world.subventions("/public/"))).status == 200


async def test_when_a_worker_dies_another_answers_and_nobody_signs_in_again(world: World) -> None:
    person, _ = await world.signed_in("paul")
    await person.close()
    workers = world.workers()
    mark = world.gateway.mark()
    os.kill(workers[0], signal.SIGKILL)
    for _ in range(6):
        page = await person.open(world.permis())
        assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"
        await person.close()
    await world.gateway.logged(mark, event="worker.died", worker=workers[0])
    async with asyncio.timeout(PATIENCE):
        while len(world.workers()) < len(workers) or workers[0] in world.workers():
            await asyncio.sleep(0.1)


async def test_a_broken_file_and_a_dead_worker_together_change_nothing(world: World) -> None:
    good = world.read_policy(PERMIS)
    path = world.demo.folder / "policies" / PERMIS
    person, _ = await world.signed_in("paul")
    path.write_text("version: 1\napp: [")
    try:
        mark = world.gateway.mark()
        for worker in world.workers():
            os.kill(worker, signal.SIGKILL)
        await world.gateway.logged(mark, event="worker.started")
        page = await patiently(person, world.permis())
        assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"
        assert (await person.open(world.permis("/admin/"))).status == 403
    finally:
        path.write_text(good)


async def test_sigterm_finishes_what_is_under_way_and_leaves_with_0(world: World) -> None:
    person = world.person()
    mark = world.gateway.mark()
    workers = world.workers()
    said = world.demo.folder / "var/permis.log"
    before = said.read_text().count(" Accepted")
    slow = asyncio.create_task(person.step("GET", world.permis("/public/lent?secondes=2")))
    await until(lambda: said.read_text().count(" Accepted") > before)
    stopping = asyncio.create_task(world.demo.stop_gateway())
    page = await slow
    assert page.status == 200
    assert "Page lente" in page.text
    assert page.header("Connection").lower() == "close"
    assert await stopping == 0
    await world.gateway.logged(mark, event="gateway.stopped")
    assert not [pid for pid in workers if runs(pid)]
    with suppress(ConnectionRefusedError):
        await asyncio.open_connection(LOOPBACK, world.demo.ports.public)
        raise AssertionError("it still listens")
    await world.demo.start_gateway()


async def test_sessions_outlive_a_restart(world: World) -> None:
    person, _ = await world.signed_in("helene")
    await world.demo.stop_gateway()
    await person.close()
    await world.demo.start_gateway()
    page = await person.open(world.permis())
    assert page.history == ()
    assert received(page)["HTTP_X_REMOTE_USER"] == b"helene"


async def test_a_taken_port_is_named(world: World) -> None:
    with pytest.raises(DemoFailed, match=rf"taken .*{world.demo.ports.public} \(public\)"):
        await Demo(world.demo.folder, world.demo.ports).__aenter__()


async def test_the_demo_command_stops_all_that_it_started(world: World) -> None:
    log = world.demo.folder / "command.log"
    command = [sys.executable, "-m", "deploy.demo", "--ports-free"]
    child = await Child.start("demo", command, folder=ROOT, log=log)
    try:
        async with asyncio.timeout(120):
            while "Ctrl-C" not in log.read_text():
                assert child.status is None, child.tail()
                await asyncio.sleep(0.1)
        family = descendants_of(child.pid)
        assert len(family) >= 4
        os.kill(child.pid, signal.SIGINT)
        assert await asyncio.wait_for(child.ended(), PATIENCE) == 0
    finally:
        await child.stop(30)
    assert not [pid for pid in family if runs(pid)]
    said = log.read_text()
    for word in ("http://permis.localhost:", "/metrics", "helene", "ecluse reload", "--resolve", "Stopped."):
        assert word in said, said


async def patiently(person: Person, url: str) -> Response:
    """While every worker is being started again, connections wait or are refused."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await person.open(url)
            except ConnectionError:
                await asyncio.sleep(0.1)
