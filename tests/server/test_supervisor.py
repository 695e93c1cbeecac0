"""The supervisor against worker processes that say no, say nothing, or die, at every step."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.model.unix_socket import CONTROL_SOCKET
from gateway.ops.counters import Dump
from gateway.ops.metrics import Gauges
from gateway.server import control_keeper, listeners, observation
from gateway.server.control import connect
from gateway.server.faults import CannotServe
from tests.patience import PATIENCE, until
from tests.server import slow_helper
from tests.server.crew import QUICK, USUAL, Crew, crewed
from tests.tokens.test_ltpa import EXPORTED, PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crew]:
    async with crewed(tmp_path_factory.mktemp("crew")) as crew:
        yield crew
        assert not crew.lines("gateway.fault")


@pytest_asyncio.fixture(loop_scope="module")
async def crew(running: Crew) -> Crew:
    """Whatever the test before left of it, every worker serves."""
    running.says()
    running.has_patience(USUAL)
    await running.all_serve()
    return running


async def test_a_process_that_may_open_too_few_files_says_so_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may raise the limit does, as who runs the tests may."""
    monkeypatch.setattr(listeners, "allow_many_files", lambda needed: min(needed, 1000))
    async with crewed(tmp_path) as crew:
        await until(lambda: crew.lines("descriptors.few"))
        (line,) = crew.lines("descriptors.few")
        assert (line["allowed"], line["needed"]) == (1000, 60064)
        assert "LimitNOFILE=60064" in line["detail"]
        assert "connections: 312" in line["detail"]
        crew.place.settings["limits"] = "{connections: 300}"
        crew.place.write_gateway()
        await crew.reload("config.loaded", "second.localhost")
        crew.place.settings["limits"] = "{connections: 400}"
        crew.place.write_gateway()
        await crew.reload("config.loaded", "third.localhost")
        await until(lambda: len(crew.lines("descriptors.few")) >= 2)
        assert [line["needed"] for line in crew.lines("descriptors.few")] == [60064, 1264]


async def test_a_good_folder_is_served_by_every_worker(crew: Crew) -> None:
    before = await crew.all_serve()
    told = await crew.reload("config.loaded", "second.localhost")
    assert await crew.all_serve() == told["revision"] != before


async def test_what_is_live_and_weak_is_told_at_each_reload(crew: Crew) -> None:
    await crew.reload("config.loaded", "second.localhost")
    assert crew.lines("config.deviation") == []
    (crew.place.policies / "ltpa.keys").write_bytes(EXPORTED.strip())
    (crew.place.policies / "ltpa.password").write_bytes(PASSWORD)
    ltpa2 = "{account: {from: uid}, keys: {file: ltpa.keys}, password: {file: ltpa.password}}"
    crew.place.write_app("weak", "weak.localhost", translate=f"{{ltpa2: {ltpa2}}}")
    for number, host in enumerate(("third.localhost", "fourth.localhost"), 1):
        loaded = await crew.reload("config.loaded", host)
        await until(lambda number=number: len(crew.lines("config.deviation")) >= number)
        told = crew.lines("config.deviation")[-1]
        assert (told["apps"], told["revision"], told["level"]) == (["weak"], loaded["revision"], "warning")
    (crew.place.policies / "apps/weak.yaml").unlink()
    await crew.reload("config.loaded", "fourth.localhost")
    assert len(crew.lines("config.deviation")) == 2


async def test_a_folder_that_takes_most_hosts_away_is_taken_by_an_operator_who_means_it(crew: Crew) -> None:
    before = (await crew.reload("config.loaded", "first.localhost"))["revision"]
    crew.place.write_app("two", "elsewhere.localhost")
    told = await crew.reload("config.refused", "other.localhost")
    assert (told["code"], told["revision"], told["level"]) == ("config.hosts_gone", before, "error")
    assert "2 of 2 hosts would be gone: first.localhost, stays.localhost. Is" in told["detail"]
    assert crew.supervisor.observation.readiness()["last_reload"] == told["detail"]
    assert (await crew.supervisor.reloaded())["code"] == "config.hosts_gone"
    loaded = len(crew.lines("config.loaded"))
    assert (await crew.supervisor.reloaded(True))["verdict"] == "live"
    # A thread writes the log: the next reload is not to take this line for its own.
    await until(lambda: len(crew.lines("config.loaded")) > loaded)
    crew.place.write_app("two", "stays.localhost")
    await crew.reload("config.loaded", "other.localhost")


@pytest.mark.parametrize(("action", "why"), [("no", "no prepare"), ("silence", "no answer"), ("die", "died")])
async def test_one_worker_that_does_not_say_yes_keeps_the_old_one_in_all(crew: Crew, action: str, why: str) -> None:
    before, victim = await crew.all_serve(), crew.pids[1]
    crew.has_patience(QUICK if action == "silence" else USUAL)
    crew.says(f"{victim} prepare {action}")
    told = await crew.reload("config.refused", "second.localhost")
    assert f"worker {victim}: {why}" in told["detail"]
    assert told["revision"] == before == crew.supervisor.observation.readiness()["revision"]
    crew.says()
    assert await crew.all_serve() == before
    assert why in crew.supervisor.observation.readiness()["last_reload"]
    # And the next is heard.
    assert (await crew.reload("config.loaded", "third.localhost"))["revision"] == await crew.all_serve()


@pytest.mark.parametrize("action", ["no", "silence", "die"])
async def test_a_worker_that_prepared_and_does_not_swap_is_ended_and_its_successor_serves_the_new_one(
    crew: Crew, action: str
) -> None:
    (victim, other) = crew.pids
    crew.has_patience(QUICK if action == "silence" else USUAL)
    crew.says(f"{victim} commit {action}")
    told = await crew.reload("config.loaded", "second.localhost")
    assert crew.served()[other] == told["revision"]
    await until(lambda: victim not in crew.pids)
    assert await crew.all_serve() == told["revision"]
    assert other in crew.pids


async def test_a_worker_that_stands_still_keeps_the_old_one_in_all_and_goes_on_afterwards(crew: Crew) -> None:
    (victim, _) = crew.pids
    crew.has_patience(QUICK)
    os.kill(victim, signal.SIGSTOP)
    told = await crew.reload("config.refused", "second.localhost")
    assert f"worker {victim}: no answer" in told["detail"]
    os.kill(victim, signal.SIGCONT)
    assert await crew.all_serve() == told["revision"]
    assert victim in crew.pids, "it had done nothing wrong"


async def test_a_reload_waits_for_a_worker_that_is_being_started_and_includes_it(crew: Crew) -> None:
    first, _ = crew.pids
    before = len(crew.lines("worker.started"))
    crew.says("* prepare late", "* commit late")
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(crew.lines("worker.started")) > before)
    told = await crew.reload("config.loaded", "late.localhost")
    crew.says()
    assert await crew.all_serve() == told["revision"]


async def test_a_worker_that_does_not_come_up_is_ended_and_tried_again(crew: Crew) -> None:
    first, _ = crew.pids
    before = len(crew.lines("worker.refused"))
    crew.has_patience(QUICK)
    crew.says("* prepare silence")
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(crew.lines("worker.refused")) > before)
    crew.has_patience(USUAL)
    crew.says()
    await crew.all_serve()
    assert crew.lines("worker.refused")[before]["detail"] == "no answer"
    assert crew.supervisor.observation.readiness()["ready"]


async def test_however_often_a_reload_is_asked_for_the_last_folder_is_live(crew: Crew) -> None:
    last = (await crew.reload("config.loaded", "fourth.localhost"))["revision"]
    before, hosts = len(crew.lines("config.loaded")), ("second", "third", "fourth")
    for host in hosts:
        crew.place.write_app("one", f"{host}.localhost")
        for _ in range(20):
            crew.supervisor.reload()
        await asyncio.sleep(0.05)
    await until(lambda: last in [line["revision"] for line in crew.lines("config.loaded")[before:]])
    assert crew.supervisor.observation.readiness()["revision"] == last
    # Whoever asks now is told when nothing is left of what was asked before.
    crew.place.write_app("one", "fifth.localhost")
    told = await crew.supervisor.reloaded()
    await until(lambda: crew.lines("config.loaded")[-1]["revision"] == told["revision"])
    # For each folder that is asked for so often: the reload that is under way, and one more.
    assert len(crew.lines("config.loaded")) <= before + 2 * len(hosts) + 1


async def test_a_reload_that_cannot_start_its_helper_says_so_and_the_next_is_heard(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("gateway.server.compiling._HELPER", ("/nonexistent/python",))
        told = await crew.reload("config.refused", "second.localhost")
    assert "the compiling process cannot be started" in told["detail"]
    await crew.reload("config.loaded", "second.localhost")


async def test_an_app_file_that_takes_too_long_is_named_and_all_else_is_taken(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.compiling._HELPER", (sys.executable, "-P", slow_helper.__file__))
    crew.place.write_app("slow", "slow.localhost", app="slow")
    crew.place.write("apps/slow.yaml", crew.place.read("apps/slow.yaml") + slow_helper.HANGS["checked"])
    # A file of no team's folder: as one that is wrong, it refuses the reload.
    told = await crew.reload("config.refused", "second.localhost")
    assert "apps/slow.yaml: it takes too long to compile" in told["detail"]
    (crew.place.policies / "apps/slow.yaml").unlink()
    crew.place.settings["teams"] = "{urba: {hosts: [slow.localhost], providers: [alpha], upstreams: [127.0.0.1]}}"
    crew.place.write_gateway()
    (crew.place.policies / "apps/urba").mkdir()
    crew.place.write_app("urba/slow", "slow.localhost", app="slow", translate="{}")
    path = "apps/urba/slow.yaml"
    crew.place.write(path, crew.place.read(path) + slow_helper.HANGS["read"])
    told = await crew.reload("config.partly", "third.localhost")
    assert told["closed"] == [path]
    assert f"{path}: it takes too long to compile" in told["detail"]
    await crew.all_serve()


async def test_when_nobody_has_served_yet_what_a_worker_cannot_do_ends_the_gateway(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="a worker cannot serve: commit: no commit"):
        async with crewed(tmp_path, workers=1, script="* commit no"):
            pass


async def test_a_worker_that_hangs_is_ended_and_the_others_are_not(tmp_path: Path) -> None:
    async with crewed(tmp_path, patience=replace(USUAL, pulse=0.5, pulses=20)) as crew:
        (victim, other) = crew.pids
        # A moment is none: not for the next worker either, whose questions are counted anew.
        os.kill(victim, signal.SIGSTOP)
        await asyncio.sleep(0.7)
        os.kill(victim, signal.SIGCONT)
        await asyncio.sleep(0.7)
        assert crew.pids == [victim, other]
        os.kill(victim, signal.SIGSTOP)
        await until(lambda: victim not in crew.pids)
        await crew.all_serve()
        assert other in crew.pids
        assert [line["worker"] for line in crew.lines("worker.silent")] == [victim]
        assert [line["worker"] for line in crew.lines("worker.died")] == [victim]


async def test_a_state_folder_that_was_deleted_is_asked_for_a_reload_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_keeper, "_AGAIN", 0.05)
    async with crewed(tmp_path) as crew:
        folder = crew.place.database.parent
        await until((folder / CONTROL_SOCKET).exists)
        shutil.rmtree(folder)
        await asyncio.sleep(0.2)
        # A store's mending makes it, where nobody else does.
        folder.mkdir(mode=0o700)
        await until((folder / CONTROL_SOCKET).exists)
        connection = await asyncio.to_thread(connect, folder, PATIENCE)
        connection.close()


async def test_a_gateway_that_drains_has_given_up_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_keeper, "_AGAIN", 0.05)
    async with crewed(tmp_path) as crew:
        name = crew.place.database.parent / CONTROL_SOCKET
        await until(name.exists)
        crew.says("* drain silence")
        crew.supervisor.stop()
        await until(lambda: crew.lines("gateway.draining") and not name.exists())
        await asyncio.sleep(0.3)
        assert not crew.lines("gateway.stopped")
        assert not name.exists()


async def test_counters_of_the_living_and_the_dead_are_told(tmp_path: Path) -> None:
    async with crewed(tmp_path) as crew:
        living = (await crew.supervisor.observation.exposition()).decode()
        crew.supervisor.stop()
        await until(lambda: crew.lines("gateway.stopped"))
        dead = (await crew.supervisor.observation.exposition()).decode()
    assert "ecluse_workers 2.0" in living
    assert f'ecluse_config_info{{revision="{crew.lines("gateway.started")[0]["revision"]}"}} 1.0' in living
    # Their last words: what they counted stays, what they held does not.
    assert 'ecluse_http_requests_total{app="app",code_class="2xx"} 14.0' in dead
    assert "\necluse_http_connections " not in dead
    assert "\necluse_worker_deaths_total 0.0\n" in dead, "they were told to leave"


async def test_the_exposition_is_written_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 0.1 s with some hundred applications, and what ends sessions is handed on by this loop."""
    threads: list[threading.Thread] = []

    def rendered(dump: Dump, gauges: Gauges) -> bytes:
        threads.append(threading.current_thread())
        return b""

    monkeypatch.setattr(observation, "render", rendered)
    async with crewed(tmp_path) as crew:
        await crew.supervisor.observation.exposition()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize("workers", [None, 2])
async def test_where_no_number_is_given_there_is_a_worker_for_each_core_that_keeps_to_it(
    tmp_path: Path, workers: int | None
) -> None:
    cores = os.sched_getaffinity(0)
    async with crewed(tmp_path, workers=workers) as crew:
        found = [os.sched_getaffinity(pid) for pid in crew.pids]
    assert sorted(map(sorted, found)) == (
        [[core] for core in sorted(cores)] if workers is None else [sorted(cores)] * 2
    )
