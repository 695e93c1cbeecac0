"""A client that reads nothing until it is told to, and what is seen of buffers from outside."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.proxy.applications import SOON
from tests.proxy.gateways import HOST, Gateway

# More than the kernel takes for a client that reads nothing.
LARGE = 12 << 20


class SlowClient:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._came = bytearray()

    async def send(self, raw: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self._connection, raw), SOON)

    async def until(self, mark: bytes) -> bytes:
        """All up to the end of `mark`."""
        start = 0
        while (end := self._came.find(mark, start)) < 0:
            start = max(0, len(self._came) - len(mark))
            piece = await self._read(1 << 18)
            assert piece, "cut"
            self._came += piece
        end += len(mark)
        found = bytes(self._came[:end])
        del self._came[:end]
        return found

    async def exactly(self, size: int) -> bytes:
        parts = [bytes(self._came[:size])]
        del self._came[:size]
        left = size - len(parts[0])
        while left:
            piece = await self._read(min(left, 1 << 18))
            assert piece, "cut"
            parts.append(piece)
            left -= len(piece)
        return b"".join(parts)

    async def rest(self) -> bytes:
        """Up to the end of the connection; a reset is one, too."""
        parts = [bytes(self._came)]
        try:
            while piece := await self._read(1 << 18):
                parts.append(piece)
        except ConnectionError:
            pass
        return b"".join(parts)

    async def _read(self, most: int) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._connection, most), SOON)

    def close(self) -> None:
        self._connection.close()


@asynccontextmanager
async def slow_client(gate: Gateway) -> AsyncIterator[SlowClient]:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (gate.host, gate.port))
    try:
        yield SlowClient(connection)
    finally:
        connection.close()


def idle(gate: Gateway) -> int:
    """Connections to the application that could carry another request now."""
    pool = gate.plane.tables.find(HOST).lane.sole
    assert pool is not None
    return len(pool.idle)


def files_in(folder: Path) -> list[int]:
    """Descriptors of this process that lead to files of the folder, which have no name there."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith(f"{folder}/") and target.endswith(" (deleted)"):
            found.append(int(name))
    return found
