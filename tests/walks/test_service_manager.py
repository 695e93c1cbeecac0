"""A gateway that a service manager starts: sockets that are bound for it, and what it says. The walk is the other end
of each, and systemd is not needed."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.raw_http import Connection
from tests.walks.gateway import READY_WITHIN, SERVE, Gateway
from tests.walks.place import ONE, Place
from tests.walks.upstream import Upstream
from tests.walks.world import ask, request

pytestmark = pytest.mark.slow


class Manager:
    """Both ends of what systemd would hold: `heard` is what was said, a datagram each."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    async def said(self, *, but: bytes = b"WATCHDOG=1", within: float = READY_WITHIN) -> list[bytes]:
        """The lines of the next datagram; those of the watchdog come in between at any moment."""
        while True:
            told = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 4096), within)
            if told != but:
                return told.split(b"\n")


# As systemd starts a service: the socket is file 3, and the pid of the process that is run is told.
_AS_SYSTEMD = """
import os, sys
descriptor, notify, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.set_inheritable(3, True)
pid = str(os.getpid())
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": pid, "LISTEN_FDNAMES": "public", "NOTIFY_SOCKET": notify}
os.environ |= {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": pid}
os.execv(command[0], command)
"""


class ManagedGateway(Gateway):
    """`passed`: the descriptor that it inherits."""

    passed = -1

    async def launch(self) -> None:
        os.set_inheritable(self.passed, True)
        with self.log.open("ab") as log, self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.place.folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                pass_fds=(self.passed,),
                start_new_session=True,
            )


@asynccontextmanager
async def installed(folder: Path, *, port: int = -1) -> AsyncIterator[tuple[Place, Manager, int]]:
    """An application behind a gateway that is still to be started, the manager, and the descriptor of its socket on
    `port` (-1: that of the file)."""
    place, manager, upstream = Place(folder, workers=1), Manager(folder), Upstream()
    place.write_provider("alpha", f"http://127.0.0.1:{place.provider_port}/alpha")
    place.write_app("one", ONE)
    await upstream.start(place.upstream_port)
    # It listens before any gateway is there, as a socket unit has it.
    with socket.create_server(("127.0.0.1", place.port if port < 0 else port), backlog=128) as bound:
        try:
            yield place, manager, bound.fileno()
        finally:
            manager.close()
            await upstream.stop()


@asynccontextmanager
async def managed(place: Place, manager: Manager, descriptor: int) -> AsyncIterator[Gateway]:
    command = (sys.executable, "-c", _AS_SYSTEMD, str(descriptor), str(manager.path), *SERVE)
    gateway = ManagedGateway(place, command=command)
    gateway.passed = descriptor
    try:
        await gateway.launch()
        yield gateway
    finally:
        await gateway.end()


async def test_from_ready_to_stopping_and_who_connects_in_between_is_served(tmp_path: Path) -> None:
    async with installed(tmp_path) as (place, manager, descriptor):
        async with managed(place, manager, descriptor) as gateway:
            assert (await manager.said())[0] == b"READY=1"
            assert (await ask(place.url(), "/public/a")).status == 200

            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            gateway.signal(signal.SIGHUP)
            state, moment = await manager.said()
            assert (state, moment.partition(b"=")[0]) == (b"RELOADING=1", b"MONOTONIC_USEC")
            assert before <= int(moment.partition(b"=")[2]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            assert (await manager.said())[0] == b"READY=1", "the reload is over"
            assert await manager.said(but=b"") == [b"WATCHDOG=1"]

            gateway.signal(signal.SIGTERM)
            assert await manager.said() == [b"STOPPING=1"]
            assert await gateway.ended() == 0
        waiting = await Connection.open(place.url())
        async with managed(place, manager, descriptor) as gateway:
            assert (await manager.said())[0] == b"READY=1"
            assert (await waiting.exchange(request("/public/b"))).status == 200
            await waiting.close()
            gateway.is_clean()


async def test_a_reload_that_is_refused_is_over_all_the_same(tmp_path: Path) -> None:
    """Else systemd would take it for one that hangs, and end the gateway."""
    async with installed(tmp_path) as (place, manager, descriptor), managed(place, manager, descriptor) as gateway:
        assert (await manager.said())[0] == b"READY=1"
        place.write("gateway.yaml", place.read("gateway.yaml") + "nonsense: 1\n")
        gateway.signal(signal.SIGHUP)
        assert (await manager.said())[0] == b"RELOADING=1"
        assert (await manager.said())[0] == b"READY=1"
        await gateway.logged(0, event="config.refused")
        assert (await ask(place.url(), "/public/a")).status == 200


async def test_a_socket_that_is_no_listener_of_the_file_is_closed_and_told_of(tmp_path: Path) -> None:
    async with (
        installed(tmp_path, port=0) as (place, manager, descriptor),
        managed(place, manager, descriptor) as gateway,
    ):
        assert (await manager.said())[0] == b"READY=1"
        assert (await ask(place.url(), "/public/a")).status == 200
        await gateway.logged(0, event="gateway.socket_unused")
