"""An application behind the data plane: keeps every byte that reaches it, and answers as it was told."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from tests.patience import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SOON = PATIENCE

# Bytes are sent; None is silence; anything else is called with the connection.
Act = bytes | Callable[["Peer"], object] | None


def whole_request(data: bytes) -> int:
    """Where the first request in `data` ends, as far as the data plane writes requests; 0 if it does not yet."""
    # PROXY protocol's signature begins so.
    end = data.find(b"\r\n\r\n", 4) + 4
    head = data[:end].lower()
    if end < 4:
        return 0
    if b"\r\ntransfer-encoding: chunked\r\n" in head:
        last = data.find(b"\r\n0\r\n\r\n", end - 2)
        return last + 7 if last >= 0 else 0
    at = head.find(b"\r\ncontent-length: ")
    length = int(head[at + 18 :].partition(b"\r\n")[0]) if at >= 0 else 0
    return end + length if len(data) >= end + length else 0


class Peer(asyncio.Protocol):
    """One connection. `received`: every byte of it; `answered`: counted by tests; `lost`: set when it has ended."""

    transport: asyncio.Transport

    def __init__(self, application: "Application") -> None:
        self._application = application
        self._rest = b""
        self.received = b""
        self.answered = 0
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._application.peers.append(self)
        self._application.opened.put_nowait(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._rest += data
        while end := whole_request(self._rest):
            request, self._rest = self._rest[:end], self._rest[end:]
            self._application.asked(self, request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def close(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        """Ends the connection as a process that dies does."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Application:
    """`acts`: what answers the next requests, each once; after them, `then`. `requests`: those that came, whole."""

    def __init__(self) -> None:
        self.port = 0
        self.acts: list[Act] = []
        self.then: Act = OK
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self.opened: asyncio.Queue[Peer] = asyncio.Queue()
        self._came: asyncio.Queue[bytes] = asyncio.Queue()

    def asked(self, peer: Peer, request: bytes) -> None:
        self.requests.append(request)
        self._came.put_nowait(request)
        act = self.acts.pop(0) if self.acts else self.then
        if isinstance(act, bytes):
            peer.send(act)
        elif act is not None:
            act(peer)

    async def request(self) -> bytes:
        """The next whole request."""
        return await asyncio.wait_for(self._came.get(), SOON)

    async def peer(self) -> Peer:
        """The next connection."""
        return await asyncio.wait_for(self.opened.get(), SOON)

    @property
    def received(self) -> bytes:
        """All that reached it, over all connections."""
        return b"".join(peer.received for peer in self.peers)


@asynccontextmanager
async def application(
    *acts: Act, then: Act = OK, port: int = 0, tls: ssl.SSLContext | None = None, path: Path | None = None
) -> AsyncIterator[Application]:
    """`path`: of a Unix socket, where it listens instead."""
    here = Application()
    here.acts, here.then = list(acts), then
    loop = asyncio.get_running_loop()
    if path is None:
        server = await loop.create_server(lambda: Peer(here), "127.0.0.1", port, ssl=tls)
        here.port = server.sockets[0].getsockname()[1]
    else:
        server = await loop.create_unix_server(lambda: Peer(here), path, ssl=tls)
    try:
        yield here
    finally:
        server.close()
        for peer in here.peers:
            peer.transport.abort()
        await asyncio.sleep(0)


def closing(answer: bytes) -> Act:
    """Sends this, then closes."""

    def act(peer: Peer) -> None:
        if answer:
            peer.send(answer)
        peer.close()

    return act
