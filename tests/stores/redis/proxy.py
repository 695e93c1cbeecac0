"""A proxy before the server, on a port of 127.0.0.1, that is late with what it passes on, and counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


class Proxy:
    """`late`: seconds for each piece of an answer. `requests`: pieces that clients have sent: one for each command,
    where a command is small and its client waits for the answer."""

    def __init__(self, target: int, late: Callable[[], float]) -> None:
        self._target = target
        self._late = late
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0
        self.requests = 0
        self.connections = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            await _close(writer)
            return
        for pipe in (self._out(reader, ours), self._back(theirs, writer)):
            task = asyncio.create_task(pipe)
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _out(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(1 << 16):
                self.requests += 1
                to.write(piece)
                await to.drain()
        await _close(to)

    async def _back(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(1 << 16):
                await asyncio.sleep(self._late())
                to.write(piece)
                await to.drain()
        await _close(to)

    async def close(self) -> None:
        """When its clients have left."""
        await asyncio.wait_for(asyncio.gather(*self._pipes), 10)


async def _close(to: asyncio.StreamWriter) -> None:
    to.close()
    with suppress(OSError):
        await to.wait_closed()


@asynccontextmanager
async def proxied(target: int, late: Callable[[], float] = lambda: 0.0) -> AsyncIterator[Proxy]:
    proxy = Proxy(target, late)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()
