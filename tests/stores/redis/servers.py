"""Valkey and Redis as Debian has them, each on a port of 127.0.0.1, with its files in a folder of its own."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from deploy.demo.ports import free
from gateway.model.store_server import StoreServer
from gateway.stores.redis.store import RedisStore
from tests.interop.servers import found, running
from tests.patience import until
from tests.stores.samples import NOW


@contextmanager
def server(program: str, folder: Path, *settings: str, port: int = 0) -> Iterator[int]:
    """`program`: "valkey" or "redis". The port."""
    (port,) = (port,) if port else free(1)
    with running(server_command(program, folder, port, *settings), folder / f"{program}.log", port):
        yield port


def server_command(program: str, folder: Path, port: int, *settings: str) -> list[str]:
    command = [found(f"{program}-server"), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", *settings]
    return command if "--tls-port" in settings else [*command, "--port", str(port)]


def settings_of(port: int, **changed: object) -> StoreServer:
    """Under a prefix that nobody else has. A machine that is busy with other work is given its time."""
    usual = {"addresses": (("127.0.0.1", port),), "prefix": f"test-{uuid4().hex}:", "timeout": 5.0}
    return StoreServer(**{**usual, **changed})  # type: ignore[arg-type]


@asynccontextmanager
async def leaves_no_socket() -> AsyncIterator[None]:
    """What is opened within is closed at its end. redis-py does not wait for the goodbye, by TLS, of a server that has
    refused it: a loop that ends before that comes leaves a socket, which a later test is told of."""
    before = _sockets()
    yield
    await until(lambda: _sockets() <= before)


def _sockets() -> int:
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return found


class TestedStore(RedisStore):
    """Where tests move the time by hand, the server's clock stands still. Here it comes along at each purge: what has
    expired by then is forgotten, as it would have been."""

    __test__ = False

    async def purge(self, now: int, *, bury: bool = False) -> None:
        await super().purge(now, bury=bury)
        for key in await self.names():
            left = await self._connections.ask(["PTTL", key], again=True)
            if 0 <= left <= (now - NOW) * 1000:
                await self._connections.ask(["DEL", key], again=True)

    async def names(self) -> Sequence[bytes]:
        pattern = self._server.prefix + "*"
        return await self._connections.ask(["KEYS", pattern], again=True)  # type: ignore[no-any-return]
