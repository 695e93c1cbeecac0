"""Worker processes: started on inherited sockets, watched, started again."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.ops.log import Log
from gateway.server.channel import ChannelLost, Message
from gateway.server.fleet import Fleet, Hooks, Worker, ask, refusal, refusals
from tests.patience import PATIENCE, until
from tests.server.crew import SCRIPTED

pytestmark = pytest.mark.slow


class Watched:
    """A fleet with what its hooks have heard and its log has."""

    def __init__(self, folder: Path, program: tuple[str, ...], cores: Sequence[int] = ()) -> None:
        self.started: list[Worker] = []
        self.gone: list[Worker] = []
        self.heard: list[Message] = []
        self._path = folder / "log"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.log = Log(self._file, strict=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        hooks = Hooks(self.started.append, lambda worker, message: self.heard.append(message), self.gone.append)
        self.fleet = Fleet([self.listening], hooks, self.log, program=program, cores=cores)

    def lines(self, event: str) -> list[dict[str, object]]:
        # The last may be half written.
        whole = self._path.read_text().rpartition("\n")[0]
        decoded = [json.loads(line) for line in whole.splitlines()]
        return [line for line in decoded if line["event"] == event]

    async def close(self) -> None:
        await self.fleet.stop(PATIENCE)
        self.listening.close()
        self.log.close()
        os.close(self._file)


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    (tmp_path / "script").write_text("")
    watched = Watched(tmp_path, (sys.executable, str(SCRIPTED), str(tmp_path / "script")))
    yield watched
    await watched.close()


async def test_each_slot_has_a_worker_that_answers(watched: Watched) -> None:
    watched.fleet.start(2)
    await until(lambda: len(watched.started) == 2)
    answers = await ask(watched.fleet.workers.values(), "counters", within=PATIENCE)
    assert [refusal(answer) for answer in answers.values()] == ["", ""]
    assert watched.fleet.serving == [], "they have confirmed nothing yet"


@pytest.mark.parametrize("last", ["there", "gone"])
async def test_a_worker_keeps_to_its_core_and_where_it_is_gone_to_none(tmp_path: Path, last: str) -> None:
    cores = sorted(os.sched_getaffinity(0))
    kept = [cores[0], cores[-1] if last == "there" else 4095]
    (tmp_path / "script").write_text("")
    watched = Watched(tmp_path, (sys.executable, str(SCRIPTED), str(tmp_path / "script")), kept)
    try:
        watched.fleet.start(2)
        await until(lambda: len(watched.started) == 2)
        await ask(watched.fleet.workers.values(), "counters", within=PATIENCE)
        found = {slot: os.sched_getaffinity(worker.pid) for slot, worker in watched.fleet.workers.items()}
        assert found == {0: {cores[0]}, 1: {cores[-1]} if last == "there" else set(cores)}
        assert os.sched_getaffinity(0) == set(cores)
    finally:
        await watched.close()


async def test_a_worker_has_the_sockets_and_settings_that_it_needs_and_no_others(
    watched: Watched, tmp_path: Path
) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        watched.fleet.start(1)
        await until(lambda: watched.started)
        (worker,) = watched.started
        await ask([worker], "counters", within=PATIENCE)
        opened = {os.readlink(f"/proc/{worker.pid}/fd/{name}") for name in os.listdir(f"/proc/{worker.pid}/fd")}
    assert os.readlink(f"/proc/self/fd/{watched.listening.fileno()}") in opened
    assert str(tmp_path / "secret") not in opened
    environment = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_ARENA_MAX=2" in environment
    assert os.getsid(worker.pid) == worker.pid, "Ctrl-C in a terminal would end it"


async def test_a_worker_that_dies_has_a_successor_and_the_pause_grows(watched: Watched) -> None:
    watched.fleet.start(1)
    for number in range(1, 4):
        await until(lambda number=number: len(watched.started) == number)
        os.kill(watched.started[-1].pid, signal.SIGKILL)
    await until(lambda: len(watched.started) == 4 and len(watched.lines("worker.died")) >= 3)
    assert [line["pause_s"] for line in watched.lines("worker.died")] == [0.1, 0.2, 0.4]
    assert [line["status"] for line in watched.lines("worker.died")] == [-9, -9, -9]
    assert watched.gone == watched.started[:3]


async def test_what_cannot_be_started_is_said_and_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    watched = Watched(tmp_path, (str(program),))
    watched.fleet.start(1)
    await until(lambda: len(watched.lines("worker.not_started")) >= 2)
    assert str(program) in str(watched.lines("worker.not_started")[0]["detail"])
    assert [line["pause_s"] for line in watched.lines("worker.not_started")[:2]] == [0.1, 0.2]
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {SCRIPTED} {tmp_path}/script "$@"\n')
    (tmp_path / "script").write_text("")
    program.chmod(0o700)
    await until(lambda: watched.started)
    await watched.close()


async def test_a_hook_that_fails_leaves_no_slot_empty(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(worker: Worker) -> None:
        raise RuntimeError("with a secret in its text")

    hooks = Hooks(watched.started.append, lambda worker, message: None, fails)
    monkeypatch.setattr(watched.fleet, "_hooks", hooks)
    watched.fleet.start(1)
    await until(lambda: watched.started)
    os.kill(watched.started[0].pid, signal.SIGKILL)
    await until(lambda: len(watched.started) == 2 and watched.lines("worker.not_started"))
    (line,) = watched.lines("worker.not_started")
    assert str(line["detail"]).startswith("RuntimeError < fails:")
    assert "secret" not in str(line["detail"])


async def test_its_last_words_are_heard_before_it_is_gone(watched: Watched) -> None:
    watched.fleet.start(2)
    await until(lambda: len(watched.started) == 2)
    await ask(watched.fleet.workers.values(), "counters", within=PATIENCE)
    assert await watched.fleet.stop(PATIENCE) == 0
    assert [message.kind for message in watched.heard] == ["counters"] * 2
    assert len(watched.gone) == 2
    assert watched.fleet.workers == {}
    assert not watched.lines("worker.died")


async def test_what_is_still_on_its_way_when_it_ends_is_heard_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.fleet._LAST_WORDS_WITHIN", PATIENCE)
    (tmp_path / "frame").write_bytes(Message("counters", {}, b"[]").frame())
    program = tmp_path / "program"
    program.write_text(f'#!/bin/bash\n(sleep 0.3; cat {tmp_path}/frame >&"$1") &\nexit 0\n')
    program.chmod(0o700)
    watched = Watched(tmp_path, (str(program),))
    watched.fleet.start(1)
    await until(lambda: watched.gone)
    assert [message.kind for message in watched.heard] == ["counters"]
    await watched.close()


async def test_who_does_not_leave_is_killed_and_counted(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.server.fleet._CLOSES_WITHIN", 4.0)
    watched.fleet.start(2)
    await until(lambda: len(watched.started) == 2)
    os.kill(watched.started[0].pid, signal.SIGSTOP)
    assert await watched.fleet.stop(0.0) == 1
    assert len(watched.gone) == 2


async def test_a_worker_that_is_being_started_when_told_to_stop_leaves_too(watched: Watched) -> None:
    watched.fleet.start(3)
    await asyncio.sleep(0)
    async with asyncio.timeout(2 * PATIENCE):
        assert await watched.fleet.stop(PATIENCE) == 0
    assert watched.fleet.workers == {}


async def test_to_kill_who_is_dead_already_takes_its_status_from_nobody(watched: Watched) -> None:
    watched.fleet.start(1)
    await until(lambda: watched.started)
    (worker,) = watched.started
    # Without a turn of the loop: it dies meanwhile, and nobody has taken its status yet.
    for _ in range(20):
        worker.kill()
        time.sleep(0.005)  # noqa: ASYNC251
    await until(lambda: watched.gone and watched.lines("worker.died"))
    assert watched.lines("worker.died")[0]["status"] == -9
    # Its successor has the numbers of files that were its own.
    await until(lambda: len(watched.started) == 2)
    worker.kill()
    await asyncio.sleep(0.1)
    assert watched.gone == [worker]


def test_a_refusal_is_told_in_the_operators_words() -> None:
    assert refusal(Message("reply", {"ok": True})) == ""
    assert refusal(Message("reply", {"ok": False, "detail": "why"})) == "why"
    assert refusal(Message("reply")) == "refused"
    assert refusal(ChannelLost()) == "died"
    assert refusal(TimeoutError()) == "no answer"
    assert refusal(OSError("broken")) == "OSError('broken')"
    assert refusals({}) == []
