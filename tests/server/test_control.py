import asyncio
import json
import os
import pwd
import socket
import stat
from pathlib import Path

import pytest

from gateway.model.unix_socket import CONTROL_SOCKET
from gateway.server import control as control_socket
from gateway.server.control import (
    RELOAD,
    RELOAD_WITH_FEWER_HOSTS,
    SUCCEED,
    Control,
    ControlAnswer,
    ReloadVerdict,
    ask,
    connect,
)
from gateway.server.faults import CannotServe
from tests.patience import PATIENCE, until


class Reloads:
    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, fewer_hosts: bool) -> ReloadVerdict:
        self.asked += 1
        self.fewer_hosts = fewer_hosts
        return {"verdict": "live", "revision": f"r{self.asked}", "detail": ""}


async def no_question(question: dict[str, object]) -> ControlAnswer:
    raise AssertionError(question)


async def no_successor(connection: socket.socket) -> None:
    raise AssertionError(connection)


async def said(folder: Path, word: bytes) -> bytes:
    def talk() -> bytes:
        with connect(folder, 5) as connection, connection.makefile("rb") as answers:
            connection.sendall(word)
            return answers.read()

    return await asyncio.to_thread(talk)


async def test_who_asks_hears_what_came_of_it(tmp_path: Path) -> None:
    reloads = Reloads()
    control = Control(tmp_path, reloads, no_question, no_successor)
    await control.start()
    assert json.loads(await said(tmp_path, RELOAD)) == {"verdict": "live", "revision": "r1", "detail": ""}
    assert not reloads.fewer_hosts
    assert json.loads(await said(tmp_path, RELOAD_WITH_FEWER_HOSTS))["revision"] == "r2"
    assert reloads.fewer_hosts
    assert json.loads(await said(tmp_path, b"stop\n"))["verdict"] == "unknown"
    assert await said(tmp_path, b"x" * 100_000) == b""
    assert reloads.asked == 2
    await control.stop()
    assert list(tmp_path.iterdir()) == []


async def test_who_has_asked_is_answered_before_the_gateway_ends(tmp_path: Path) -> None:
    asked, leave = asyncio.Event(), asyncio.Event()

    async def told_late(question: dict[str, object]) -> ControlAnswer:
        asked.set()
        await leave.wait()
        return {"process": 7}

    control = Control(tmp_path, Reloads(), told_late, no_successor)
    await control.start()
    question = asyncio.create_task(asyncio.to_thread(ask, tmp_path, {"what": "restart"}, 5))
    await asyncio.wait_for(asked.wait(), PATIENCE)
    await control.stop()
    asyncio.get_running_loop().call_later(0.05, leave.set)
    await control.answered()
    assert leave.is_set(), "the gateway waits for its own answer"
    assert await question == {"process": 7}


async def test_what_a_successor_says_at_once_is_heard_by_who_took_the_connection_alone(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def succeeded(taken: socket.socket) -> None:
        # The successor's first words come while this gateway is still busy with the connection.
        successor.sendall(b"standing")
        for _ in range(10):
            await asyncio.sleep(0)
        with taken:
            taken.settimeout(0)
            heard.append(taken.recv(100))

    control = Control(tmp_path, Reloads(), no_question, succeeded)
    await control.start()
    with await asyncio.to_thread(connect, tmp_path, PATIENCE) as successor:
        successor.sendall(SUCCEED)
        await until(lambda: not is_open(successor))
    assert heard == [b"standing"]
    await control.stop()


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


async def test_one_that_does_not_read_its_answer_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "_TOLD_WITHIN", 0.05)

    async def answers(question: dict[str, object]) -> ControlAnswer:
        return {"sessions": "x" * (8 << 20)}

    control = Control(tmp_path, Reloads(), answers, no_successor)
    await control.start()
    with connect(tmp_path, PATIENCE) as connection:
        connection.sendall(b"{}\n")
        await until(lambda: control._under_way)
        await until(lambda: not control._under_way)
        # What the kernel had taken by then, and no more.
        assert 0 < len(await asyncio.to_thread(connection.makefile("rb").read)) < 8 << 20
    await control.stop()


async def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    control = Control(tmp_path, Reloads(), no_question, no_successor)
    await control.start()
    assert stat.S_IMODE((tmp_path / CONTROL_SOCKET).stat().st_mode) == 0o600
    await control.stop()


async def test_the_newest_gateway_is_asked_and_an_older_one_leaves_it_its_name(tmp_path: Path) -> None:
    older, newer = (
        Control(tmp_path, Reloads(), no_question, no_successor),
        Control(tmp_path, reloads := Reloads(), no_question, no_successor),
    )
    assert not await older.start()
    assert await newer.start(), "it is told that it is not alone"
    await older.stop()
    await said(tmp_path, RELOAD)
    assert reloads.asked == 1
    await newer.stop()


async def test_one_that_was_killed_or_drains_is_not_beside(tmp_path: Path) -> None:
    killed = Control(tmp_path, Reloads(), no_question, no_successor)
    await killed.start()
    (tmp_path / CONTROL_SOCKET).rename(tmp_path / "kept")
    await killed.stop()
    (tmp_path / "kept").rename(tmp_path / CONTROL_SOCKET)
    control = Control(tmp_path, Reloads(), no_question, no_successor)
    assert not await control.start(), "its name is there, and nobody answers"
    await control.stop()
    assert not await control.start(), "it has given up its name"
    await control.stop()


async def test_a_long_path_is_none_too_long(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    control = Control(folder, Reloads(), no_question, no_successor)
    await control.start()
    assert json.loads(await said(folder, RELOAD))["verdict"] == "live"
    await control.stop()


async def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        connect(tmp_path, 1)
    with socket.socket(socket.AF_UNIX) as left:
        monkeypatch.chdir(tmp_path)
        left.bind(CONTROL_SOCKET)
    with pytest.raises(ConnectionRefusedError):
        connect(tmp_path, 1)


async def test_a_folder_that_takes_no_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=f"cannot listen on {tmp_path}/none/{CONTROL_SOCKET}: No such file"):
        await Control(tmp_path / "none", Reloads(), no_question, no_successor).start()


async def test_a_question_in_json_has_an_answer_in_json(tmp_path: Path) -> None:
    async def answers(question: dict[str, object]) -> ControlAnswer:
        return {"heard": question["what"]}

    control = Control(tmp_path, Reloads(), answers, no_successor)
    await control.start()
    assert await asyncio.to_thread(ask, tmp_path, {"what": "list"}, 5) == {"heard": "list"}
    assert json.loads(await said(tmp_path, b"[1]\n"))["verdict"] == "unknown"
    await control.stop()


async def test_a_question_has_the_name_of_who_asks_whatever_it_says_of_that(tmp_path: Path) -> None:
    async def answers(question: dict[str, object]) -> ControlAnswer:
        return {"heard": question["operator"]}

    control = Control(tmp_path, Reloads(), answers, no_successor)
    await control.start()
    heard = await asyncio.to_thread(ask, tmp_path, {"what": "list", "operator": "somebody"}, 5)
    assert heard == {"heard": pwd.getpwuid(os.geteuid()).pw_name}
    await control.stop()
