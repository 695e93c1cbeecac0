"""SIGHUP: a folder is live in every worker, or in none, and a wrong one never is."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.patience import PATIENCE, until
from tests.running import children_of
from tests.walks.place import ONE, Place
from tests.walks.world import World, ask, everywhere, opened

WORKERS = 3
OPEN = "  - {path: /**, allow: anyone}\n"
CLOSED = "  - {path: /**, allow: signed_in}\n"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Place(tmp_path_factory.mktemp("reload"), workers=WORKERS)) as world:
        yield world
        world.gateway.is_clean(but=["worker.died"])


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def good(world: World) -> AsyncIterator[None]:
    """Every test begins with an application that is closed, and whole files."""
    world.place.write_gateway()
    world.place.write_app("one", ONE, access=CLOSED)
    await world.gateway.reload()
    await world.gateway.serving()
    yield


async def swapped(world: World, text: str, event: str = "config.loaded") -> str:
    world.place.write("apps/one.yaml", text)
    return str((await world.gateway.reload(event)).get("detail", ""))


def in_three_ways(good: str) -> dict[str, str]:
    """A broken file, and the place that its message has to name."""
    return {
        good + "nonsense: [\n": "policies/apps/one.yaml:",
        good.replace(
            "access:", "acces:"
        ): f"policies/apps/one.yaml:{good[: good.index('access:')].count(chr(10)) + 1}:1",
        good.replace("allow: signed_in", "allow: {grup: x}"): "policies/apps/one.yaml:8:24: access[0].allow",
    }


async def test_a_broken_file_keeps_the_old_one_in_all_workers_and_its_place_is_named(world: World) -> None:
    before = await world.gateway.readiness()
    for text, place in in_three_ways(world.place.read("apps/one.yaml")).items():
        detail = await swapped(world, text, "config.refused")
        assert place in detail, detail
        after = await world.gateway.readiness()
        assert (after["ready"], after["revision"]) == (True, before["revision"])
        assert place in after["last_reload"]
    assert await everywhere(world.place) == {401}
    metrics = await world.gateway.metrics()
    assert metrics["ecluse_config_last_reload_successful"] == 0
    assert metrics[f'ecluse_config_info{{revision="{before["revision"]}"}}'] == 1


async def test_a_good_folder_is_taken_by_all_workers(world: World) -> None:
    assert await everywhere(world.place) == {401}
    world.place.write_app("one", ONE, access=OPEN)
    told = await world.gateway.reload()
    assert await everywhere(world.place) == {200}
    readiness = await world.gateway.readiness()
    assert (readiness["revision"], readiness["workers_serving"]) == (told["revision"], WORKERS)
    assert (await world.gateway.metrics())["ecluse_config_last_reload_successful"] == 1


async def test_every_decision_line_names_the_policy_that_it_was_made_under(world: World) -> None:
    world.place.settings["access_log"] = "true"
    world.place.write_gateway()
    world.place.settings.clear()
    revisions, mark = [], world.gateway.mark()
    for narrower in ("/a/**", "/b/**"):
        closed = f"  - {{path: /**, deny: anyone}}\n  - {{path: {narrower}, allow: anyone}}\n"
        world.place.write_app("one", ONE, access=closed)
        revisions.append((await world.gateway.reload())["revision"])
        assert await everywhere(world.place) == {403}

    def told(event: str, field: str) -> set[str]:
        return {line[field] for line in world.gateway.lines(mark, event=event)}

    await until(lambda: told("access", "revision") == told("access.denied", "revision") == set(revisions))
    await until(lambda: told("access.denied", "request_id") <= told("access", "request_id"))
    for event in ("access.denied", "access"):
        named = [line["revision"] for line in world.gateway.lines(mark, event=event)]
        assert sorted(set(named)) == sorted(revisions)
        assert named == sorted(named, key=revisions.index)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("listen", "[{address: 127.0.0.1:1}]"),
        ("admin", "127.0.0.1:1"),
        ("state", "../elsewhere"),
        ("workers", "2"),
        ("limits.cached_seats", "{cached_seats: 10}"),
        ("limits.transactions", "{transactions: 10, transactions_per_network: 10}"),
    ],
)
async def test_what_needs_a_restart_is_refused_by_name(world: World, key: str, value: str) -> None:
    top = key.partition(".")[0]
    before = world.place.read("gateway.yaml")
    lines = [line for line in before.splitlines() if not line.startswith(f"{top}:")]
    world.place.write("gateway.yaml", "\n".join([*lines, f"{top}: {value}", ""]))
    detail = str((await world.gateway.reload("config.refused"))["detail"])
    assert detail.startswith(f"policies/gateway.yaml: {key}"), detail
    assert "restart" in detail
    world.place.write("gateway.yaml", before)


async def test_a_worker_killed_while_a_file_is_broken_has_a_successor_of_the_live_bytes(world: World) -> None:
    world.place.write_app("one", ONE, access=OPEN)
    await world.gateway.reload()
    mark, workers = world.gateway.mark(), world.gateway.workers()
    world.place.write("apps/one.yaml", "version: 1\napp: [\n")
    world.place.write("apps/another.yaml", "version: 1\napp: another\nhosts: [another.localhost]\n")
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    await world.gateway.logged(mark, event="worker.started", number=WORKERS)
    await world.gateway.serving(without=workers)
    assert await everywhere(world.place) == {200}
    assert not world.gateway.lines(mark, event="worker.refused")
    (world.place.policies / "apps/another.yaml").unlink()


def helpers(world: World) -> set[int]:
    """Children that are no workers."""
    return {*children_of(world.gateway.pid)} - {*world.gateway.workers()}


async def test_two_asked_for_at_once_are_taken_one_after_the_other(world: World) -> None:
    mark = world.gateway.mark()
    for access in (OPEN, CLOSED):
        world.place.write_app("one", ONE, access=access)
        world.gateway.signal(signal.SIGHUP)
        # The first is under way: a helper compiles it.
        await until(lambda: world.gateway.lines(mark, event="config.loaded") or helpers(world))
    await world.gateway.logged(mark, event="config.loaded", number=2)
    assert await everywhere(world.place) == {401}
    told = [line for line in world.gateway.lines(mark) if line["event"].startswith("config.")]
    assert [line["event"] for line in told] == ["config.loaded"] * 2
    assert len({line["revision"] for line in told}) == 2


async def test_a_worker_killed_during_a_reload_serves_what_was_decided(world: World) -> None:
    """Whenever it dies: before, while, or after the others are asked, its successor serves what they serve."""
    for delay in (0.2, 0.4, 0.6, 0.8, 1.0):
        access = OPEN if "signed_in" in world.place.read("apps/one.yaml") else CLOSED
        world.place.write_app("one", ONE, access=access)
        mark, (victim, *_) = world.gateway.mark(), world.gateway.workers()
        world.gateway.signal(signal.SIGHUP)
        await asyncio.sleep(delay)
        os.kill(victim, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while not (told := [line for line in world.gateway.lines(mark) if line["event"].startswith("config.")]):
                await asyncio.sleep(0.02)
        taken = told[0]["event"] == "config.loaded"
        await world.gateway.serving(without=[victim])
        assert await everywhere(world.place) == {200 if (access == OPEN) is taken else 401}
        if not taken:
            await world.gateway.reload()


async def test_a_reload_while_every_worker_is_being_started_waits_for_them(world: World) -> None:
    mark, workers = world.gateway.mark(), world.gateway.workers()
    world.place.write_app("one", ONE, access=OPEN)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    await world.gateway.logged(mark, event="worker.started", number=WORKERS)
    await world.gateway.reload()
    await world.gateway.serving(without=workers)
    assert await everywhere(world.place) == {200}
    assert not world.gateway.lines(mark, event="worker.refused")


async def test_reloads_leave_no_memory_behind(world: World) -> None:
    """What lives with a snapshot is frozen, and goes with it all the same."""

    def resident() -> int:
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in world.gateway.workers())

    async def some(number: int) -> None:
        for round in range(number):
            world.place.write_app("one", ONE, access=OPEN if round % 2 else CLOSED)
            await world.gateway.reload()
            await ask(world.place.url())

    async def added() -> int:
        before = resident()
        await some(6)
        return resident() - before

    await some(3)
    # What leaks grows each time; a step of the allocator's own comes in one.
    more = [await added()]
    while more[-1] >= WORKERS * (2 << 20) and len(more) < 3:
        more.append(await added())
    assert more[-1] < WORKERS * (2 << 20), more


# --- the tests of the folder itself -----------------------------------------------------------------------------------


async def test_a_folder_whose_own_tests_fail_is_refused_and_says_which(world: World) -> None:
    """Invariant 13."""
    (world.place.policies / "tests").mkdir()
    try:
        world.place.write(
            "tests/one.yaml",
            f"version: 1\ntests:\n  - {{name: nobody reads it, request: GET http://{ONE}/, decision: challenge}}\n",
        )
        await world.gateway.reload()
        detail = await swapped(
            world, world.place.read("apps/one.yaml").replace("signed_in", "anyone"), "config.refused"
        )
        assert detail.startswith("policies/tests/one.yaml:3:"), detail
        assert (
            f"this test fails: nobody reads it: GET http://{ONE}/ as nobody: challenge expected, allow came" in detail
        )
        assert await everywhere(world.place) == {401}
    finally:
        (world.place.policies / "tests/one.yaml").unlink()
        (world.place.policies / "tests").rmdir()


async def test_a_teams_wrong_file_stays_as_it_was_and_all_else_is_taken(world: World) -> None:
    fence = {
        "hosts": "[team.localhost]",
        "providers": "[alpha]",
        "upstreams": "[127.0.0.1]",
        "headers": "[X-Remote-User]",
    }
    world.place.settings["teams"] = f"{{mairie: {{{', '.join(f'{key}: {value}' for key, value in fence.items())}}}}}"
    world.place.write_gateway()
    world.place.settings.clear()
    (world.place.policies / "apps/mairie").mkdir()
    world.place.write_app("mairie/team", "team.localhost", access=OPEN, app="team")
    await world.gateway.reload()
    assert await everywhere(world.place, host="team.localhost") == {200}
    mark = world.gateway.mark()
    world.place.write("apps/mairie/team.yaml", world.place.read("apps/mairie/team.yaml").replace("allow", "alow"))
    world.place.write_app("one", ONE, access=OPEN)
    await world.gateway.reload()
    line = await world.gateway.logged(mark, event="config.partly")
    assert (line["kept"], line["closed"]) == (["apps/mairie/team.yaml"], [])
    assert await everywhere(world.place) == {200}
    assert await everywhere(world.place, host="team.localhost") == {200}
    assert "access[0].alow" in (await world.gateway.readiness())["last_reload"]
    # What is wrong and not a team's: nothing of it is taken, and the team's file stays as it was.
    world.place.write_app("one", ONE, access="  - {path: /**, alow: anyone}\n")
    await world.gateway.reload("config.refused")
    assert await everywhere(world.place) | await everywhere(world.place, host="team.localhost") == {200}
    (world.place.policies / "apps/mairie/team.yaml").unlink()
    (world.place.policies / "apps/mairie").rmdir()
