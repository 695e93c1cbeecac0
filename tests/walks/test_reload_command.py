"""`ecluse reload` and `watch: true`: the same as a SIGHUP, with the verdict told or nobody asking."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.test_main import ECLUSE
from tests.patience import PATIENCE
from tests.walks.place import ONE, Place
from tests.walks.world import World, ask, everywhere, opened

OPEN = "  - {path: /**, allow: anyone}\n"
CLOSED = "  - {path: /**, allow: signed_in}\n"
WORKERS = 2

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("command"), workers=WORKERS)
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def asked(place: Place, *words: str) -> tuple[int, str, str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ECLUSE), "reload", *words], cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE
        )

    told = await asyncio.to_thread(run)
    return told.returncode, told.stdout, told.stderr


async def test_a_good_folder_is_live_in_every_worker_when_the_command_ends(world: World) -> None:
    for access, status in ((OPEN, 200), (CLOSED, 401)):
        world.place.write_app("one", ONE, access=access)
        code, told, errors = await asked(world.place)
        assert (code, errors) == (0, "")
        assert await everywhere(world.place) == {status}
        assert told == f"live: revision {(await world.gateway.readiness())['revision'][:12]}\n"


async def test_a_wrong_folder_is_refused_with_its_problems(world: World) -> None:
    good = world.place.read("apps/one.yaml")
    revision = (await world.gateway.readiness())["revision"]
    world.place.write("apps/one.yaml", good.replace("access:", "acess:"))
    code, told, _ = await asked(world.place, "policies")
    assert code == 1
    assert "policies/apps/one.yaml:7:1: acess: unknown key (did you mean access?)\n    acess:\n    ^\n" in told
    assert told.endswith(
        f"\n\nrefused: no file was loaded, revision {revision[:12]} is live "
        "(correct the files, then run: ecluse check policies)\n"
    )
    code, told, _ = await asked(world.place, "--output", "json")
    assert (code, json.loads(told)["verdict"], json.loads(told)["revision"]) == (1, "refused", revision)
    world.place.write("apps/one.yaml", good)
    assert (await asked(world.place))[0] == 0


async def test_a_teams_wrong_file_is_named_with_what_becomes_of_it(world: World) -> None:
    good = world.place.read("gateway.yaml")
    fence = (
        "{hosts: [team.localhost, new.localhost], providers: [alpha], upstreams: [127.0.0.1], headers: [X-Remote-User]}"
    )
    world.place.write("gateway.yaml", f"{good}teams: {{mairie: {fence}}}\n")
    (world.place.policies / "apps/mairie").mkdir()
    world.place.write_app("mairie/team", "team.localhost", access=OPEN, app="team")
    assert (await asked(world.place))[0] == 0
    world.place.write_app("mairie/team", "team.localhost", access="  - {path: /**, alow: anyone}\n", app="team")
    world.place.write_app("mairie/new", "new.localhost", access="  - {path: /**, alow: anyone}\n", app="new")
    code, told, _ = await asked(world.place)
    revision = (await world.gateway.readiness())["revision"]
    assert code == 3
    assert "policies/apps/mairie/new.yaml:8:17: access[0].alow: unknown key (did you mean allow?)\n" in told
    assert told.endswith(
        f"\n\nlive: revision {revision[:12]}, without the files below\n"
        "  apps/mairie/team.yaml: not loaded, its previous version stays live\n"
        "  apps/mairie/new.yaml: not loaded, its hosts are closed\n"
    )
    code, told, _ = await asked(world.place, "--output", "json")
    assert (code, json.loads(told)["kept"]) == (3, ["apps/mairie/team.yaml"])
    assert json.loads(told)["closed"] == ["apps/mairie/new.yaml"]
    shutil.rmtree(world.place.policies / "apps/mairie")
    world.place.write("gateway.yaml", good)
    assert (await asked(world.place))[0] == 0


async def test_an_empty_folder_of_applications_is_taken_with_yes_alone(world: World) -> None:
    """As a volume that is not mounted leaves it."""
    apps, aside = world.place.policies / "apps", world.place.folder / "apps"
    served = await everywhere(world.place)
    revision = (await world.gateway.readiness())["revision"]
    shutil.move(apps, aside)
    apps.mkdir()
    code, told, errors = await asked(world.place)
    assert (code, errors) == (1, "")
    assert told == (
        "2 of 2 hosts would be gone: one.localhost, two.localhost. Is a part of the folder missing, or not mounted? "
        "If you intend this: `ecluse reload --yes`, or `ecluse restart --yes`\n\n"
        f"refused: no file was loaded, revision {revision[:12]} is live\n"
    )
    assert await everywhere(world.place) == served
    assert (await world.gateway.reload("config.refused"))["code"] == "config.hosts_gone"
    code, told, _ = await asked(world.place, "--output", "json")
    assert (code, json.loads(told)["code"]) == (1, "config.hosts_gone")
    assert (await asked(world.place, "--yes"))[0] == 0
    assert (await ask(world.place.url())).status == 421
    apps.rmdir()
    shutil.move(aside, apps)
    # Where there was none, none is missed.
    assert (await asked(world.place))[0] == 0
    assert await everywhere(world.place) == served


async def test_a_gateway_file_that_is_wrong_is_refused_by_the_gateway_that_runs(world: World) -> None:
    good = world.place.read("gateway.yaml")
    world.place.write("gateway.yaml", good + "nonsense: 1\n")
    code, told, _ = await asked(world.place)
    assert (code, "nonsense: unknown key" in told) == (1, True)
    world.place.write("gateway.yaml", good + "state: [\n")
    code, told, _ = await asked(world.place, "--state", "var")
    assert code == 1
    world.place.write("gateway.yaml", good)
    assert (await asked(world.place))[0] == 0


async def test_each_who_asks_at_once_hears_of_a_reload_that_began_after(world: World) -> None:
    world.place.write_app("one", ONE, access=OPEN)
    told = await asyncio.gather(*(asked(world.place) for _ in range(4)))
    assert {code for code, _, _ in told} == {0}
    assert await everywhere(world.place) == {200}


async def test_where_no_gateway_runs_nobody_answers(tmp_path: Path) -> None:
    place = Place(tmp_path)
    code, told, errors = await asked(place)
    assert (code, told) == (2, "")
    assert errors.startswith(f"ecluse: no gateway answers in the state folder {tmp_path}/var: ")
    assert errors.endswith(
        "(is the gateway running on this policy folder? With a store in memory, send SIGHUP instead)\n"
    )
    (place.policies / "gateway.yaml").unlink()
    _, _, errors = await asked(place)
    assert "gateway.yaml does not exist: name the policy folder, or --state)\n" in errors


# --- watch: true ------------------------------------------------------------------------------------------------------


async def swapped(place: Place, version: str) -> None:
    """As Kubernetes does with a mounted ConfigMap: `..data` is swapped for a link to the new folder."""
    beside = place.folder / "..new"
    beside.symlink_to(version)
    os.replace(beside, place.folder / "..data")


async def test_a_watched_folder_is_taken_when_its_link_is_swapped_and_a_wrong_one_once(tmp_path: Path) -> None:
    place = Place(tmp_path, workers=WORKERS, settings={"watch": "true"})
    for version, access in (("open", OPEN), ("closed", CLOSED), ("wrong", "  - {path: /**}\n")):
        place.write_app("one", ONE, access=access)
        (tmp_path / f"..{version}").mkdir()
        (place.policies / "apps/one.yaml").rename(tmp_path / f"..{version}/one.yaml")
    (tmp_path / "..data").symlink_to("..open")
    (place.policies / "apps/one.yaml").symlink_to("../../..data/one.yaml")
    async with opened(place) as world:
        assert await everywhere(place) == {200}
        mark = world.gateway.mark()
        await swapped(place, "..closed")
        await world.gateway.logged(mark, event="config.loaded")
        assert await everywhere(place) == {401}
        mark = world.gateway.mark()
        await swapped(place, "..wrong")
        await world.gateway.logged(mark, event="config.refused")
        await asyncio.sleep(5)
        assert len(world.gateway.lines(mark, event="config.refused")) == 1
        assert await everywhere(place) == {401}
        await swapped(place, "..open")
        await world.gateway.logged(mark, event="config.loaded")
        assert await everywhere(place) == {200}
        place.settings["watch"] = "false"
        place.write_gateway()
        await world.gateway.logged(mark, event="config.loaded", number=2)
        mark = world.gateway.mark()
        await swapped(place, "..closed")
        await asyncio.sleep(5)
        assert not world.gateway.lines(mark, event="config.loaded")
        world.gateway.signal(signal.SIGHUP)
        await world.gateway.logged(mark, event="config.loaded")
