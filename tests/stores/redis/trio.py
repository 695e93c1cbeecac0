"""Three servers of Valkey, one of them the primary, and three Sentinels: each on a port of 127.0.0.1."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.ports import free
from gateway.model.errors import GatewayError
from gateway.model.store_server import Sentinels, StoreServer
from gateway.stores.redis.lacks import read_info
from tests.interop.servers import found, running
from tests.patience import PATIENCE
from tests.stores.redis.servers import server_command, settings_of

NAME = "ecluse"
SERVERS = 3
# In milliseconds. A primary that the machine lets wait for less is not believed to be lost.
_LOST_AFTER = 2000
# A server that is new has its copy at once.
REPLICA = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


@dataclass(frozen=True, slots=True)
class Trio:
    """`servers` and `sentinels`: their ports. `processes`: of the servers, by port."""

    servers: Sequence[int]
    sentinels: Sequence[int]
    processes: Mapping[int, "subprocess.Popen[bytes]"]

    def settings(self, **changed: object) -> StoreServer:
        addresses = tuple(("127.0.0.1", port) for port in self.sentinels)
        return settings_of(0, **{"addresses": addresses, "sentinels": Sentinels(NAME), **changed})

    def primary(self) -> int:
        """As the first Sentinel has it."""
        return int(ask(self.sentinels[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME).split()[-1])

    def process(self, port: int) -> "subprocess.Popen[bytes]":
        return self.processes[port]


@contextmanager
def trio(folder: Path) -> Iterator[Trio]:
    servers, sentinels = free(SERVERS), free(SERVERS)
    processes: dict[int, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for number, port in enumerate(servers):
            of_one = folder / f"server{number}"
            of_one.mkdir()
            follows = () if number == 0 else ("--replicaof", f"127.0.0.1 {servers[0]}")
            command = server_command("valkey", of_one, port, *REPLICA, *follows)
            processes[port] = stack.enter_context(running(command, of_one / "valkey.log", port))
        wait(lambda: _replicas_of(servers[0]) == SERVERS - 1)
        for number, port in enumerate(sentinels):
            file = folder / f"sentinel{number}.conf"
            file.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor {NAME} 127.0.0.1 {servers[0]} 2\n"
                f"sentinel down-after-milliseconds {NAME} {_LOST_AFTER}\n"
                f"sentinel failover-timeout {NAME} 4000\n"
            )
            command = [found("valkey-server"), str(file), "--sentinel"]
            stack.enter_context(running(command, folder / f"sentinel{number}.log", port))
        wait(lambda: all(_knows_all(port) for port in sentinels))
        yield Trio(servers, sentinels, processes)


def info(port: int) -> dict[str, str]:
    return read_info(ask(port, "INFO").encode())


def ask(port: int, *command: str) -> str:
    """One command, and its reply as it comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(" ".join(command).encode() + b"\r\n")
        # Only what comes behind the first of it is waited for no longer than a moment.
        reply = line.recv(1 << 16)
        line.settimeout(0.2)
        try:
            while piece := line.recv(1 << 16):
                reply += piece
        except TimeoutError:
            return reply.decode()
    return reply.decode()


def _replicas_of(port: int) -> int:
    told = info(port)
    return sum("state=online" in value for name, value in told.items() if name.startswith("slave"))


def _knows_all(port: int) -> bool:
    told = ask(port, "SENTINEL", "MASTER", NAME).split("\r\n")
    state = dict(zip(told[2::4], told[4::4], strict=False))
    return state.get("num-slaves") == state.get("num-other-sentinels") == str(SERVERS - 1)


def wait(there: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < until
        time.sleep(0.1)


async def until_done(done: Callable[[], Awaitable[object]]) -> None:
    """And the store says so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(GatewayError):
                await done()
                return
            await asyncio.sleep(0.05)
