"""An application that answers with what it was told, slowly where the target says so."""

import asyncio
import json
from urllib.parse import parse_qsl

import httptools


class Upstream:
    """`/x`: JSON of the request; `?seconds=`: after a while. `/stream?seconds=`: a chunk each 50 ms, so long.

    `?held`: the same when `go_on` is set; of a stream, a chunk before and the rest then.
    """

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self.requests = 0
        self.go_on = asyncio.Event()
        self.connections: set[asyncio.Transport] = set()

    async def start(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=1024)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def die(self) -> None:
        """With every connection, whatever is under way on it."""
        await self.stop()
        for transport in tuple(self.connections):
            transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._upstream.connections.add(transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.connections.discard(self._transport)
        for task in self._tasks:
            task.cancel()

    def on_message_begin(self) -> None:
        self._target, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_message_complete(self) -> None:
        self._upstream.requests += 1
        path, _, query = self._target.decode().partition("?")
        seconds, held = float(dict(parse_qsl(query)).get("seconds", 0)), query == "held"
        told = {"target": self._target.decode(), "headers": self._headers}
        if path.endswith("/stream"):
            self._later(self._stream(20 if held else int(seconds / 0.05), held=held))
        elif seconds or held:
            self._later(self._slowly(seconds, told, held=held))
        else:
            self._answer(told)

    def _later(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _slowly(self, seconds: float, told: dict[str, object], *, held: bool) -> None:
        await (self._upstream.go_on.wait() if held else asyncio.sleep(seconds))
        self._answer(told)

    async def _stream(self, chunks: int, *, held: bool) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(chunks):
            await (self._upstream.go_on.wait() if held and number else asyncio.sleep(0.05))
            self._transport.write(b"8\r\n%07d\n\r\n" % number)
        self._transport.write(b"0\r\n\r\n")

    def _answer(self, told: dict[str, object]) -> None:
        body = json.dumps(told).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
