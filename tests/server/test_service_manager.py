import asyncio
import os
import socket
from pathlib import Path

from gateway.server.service_manager import ServiceManager
from tests.patience import PATIENCE


def listens(path: Path | str) -> socket.socket:
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(path))
    heard.settimeout(PATIENCE)
    return heard


def test_it_is_told_what_the_gateway_does(tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PATH": "/bin"}
    with listens(tmp_path / "notify") as heard:
        manager = ServiceManager(environment, os.getpid())
        manager.ready("2 workers")
        manager.reloading()
        manager.stopping()
        assert heard.recv(200) == b"READY=1\nSTATUS=2 workers"
        first, second = heard.recv(200).split(b"\n")
        assert (first, second[:15], second[15:].isdigit()) == (b"RELOADING=1", b"MONOTONIC_USEC=", True)
        assert heard.recv(200) == b"STOPPING=1"
        manager.succeeded_by(77)
        manager.stopping()
        manager.ready("")
        assert heard.recv(200) == b"MAINPID=77", "from there on another process speaks"
        heard.setblocking(False)
        assert not _waits(heard)
    assert environment == {"PATH": "/bin"}, "no worker speaks in our name"
    manager.ready("nobody listens any more")


def test_an_abstract_address_is_written_with_an_at() -> None:
    name = f"ecluse-{os.getpid()}"
    with listens(f"\0{name}") as heard:
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}, os.getpid()).stopping()
        assert heard.recv(200) == b"STOPPING=1"


async def test_the_watchdog_hears_twice_within_its_time(tmp_path: Path) -> None:
    with listens(tmp_path / "notify") as heard:
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
        awake = asyncio.create_task(ServiceManager(told, os.getpid()).keep_awake())
        for _ in range(3):
            assert await asyncio.to_thread(heard.recv, 200) == b"WATCHDOG=1"
        awake.cancel()


async def test_the_watchdog_of_another_process_hears_nothing_of_us() -> None:
    for told in ({}, {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}):
        await asyncio.wait_for(ServiceManager(told, os.getpid()).keep_awake(), PATIENCE)


def test_sockets_that_are_meant_for_another_process_are_left() -> None:
    for pid, number in (("1", "2"), ("", "2"), (str(os.getpid()), ""), (str(os.getpid()), "some")):
        told = {"LISTEN_PID": pid, "LISTEN_FDS": number, "LISTEN_FDNAMES": "ecluse.socket"}
        assert ServiceManager(told, os.getpid()).sockets() == []
        assert told == {}


def _waits(heard: socket.socket) -> bool:
    try:
        heard.recv(1)
    except BlockingIOError:
        return False
    return True
