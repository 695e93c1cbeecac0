"""WebSockets: what a message of 100 bytes costs there and back beside nginx, and what an idle one holds in memory.

Run with a port, this is the application: it takes every upgrade, and sends a message back for each that comes.
"""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from statistics import median
from typing import cast

from gateway.wire.websocket import accept_of
from tests.bench import nginx
from tests.bench.processes import cpu_seconds, pss_megabytes
from tests.bench.site import _APP, HOST, Site

NAMES = ("websocket_messages_100", "websocket_idle")
_IDLE = 5000
_PATH = "/signed-in/ws"
_TUNNEL = "tunnel: {protocols: [websocket], idle: 1h}\n"
_CONNECTIONS = 32
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_UP, _DOWN = b"\x82\xe4\x01\x02\x03\x04" + b"u" * 100, b"\x82\x64" + b"d" * 100
_TAKEN = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    + accept_of(_KEY)
    + b"\r\n\r\n"
)


def rows(
    folder: Path, ports: tuple[int, int, int], own: tuple[int, int, int], runs: int
) -> Iterator[dict[str, object]]:
    """`own`: ports of the application and of nginx."""
    port, beside_port, tls_port = own
    with ExitStack() as stack:
        application = subprocess.Popen([sys.executable, "-m", "tests.bench.tunnels", str(port)])
        stack.callback(application.wait)
        stack.callback(application.terminate)
        beside = nginx.proxy(folder, beside_port, tls_port, port)
        stack.callback(beside.stop)
        bench = _APP.format(host=HOST, upstream=port) + _TUNNEL
        site = Site(folder, ports, port, port, access_log=False, apps={"bench.yaml": bench})
        stack.callback(site.stop)
        yield _messages(site, beside.pid, beside_port, runs)
        yield _held(site)


def _messages(site: Site, beside: int, port: int, runs: int) -> dict[str, object]:
    pairs = []
    for number in range(runs + 1):
        pair = _talk(site, site.port, site.pid), _talk(site, port, beside)
        if number:  # the first warms both up
            pairs.append(pair)
    ours, theirs = median(one for one, _ in pairs), median(other for _, other in pairs)
    ratios = sorted(one / other for one, other in pairs)
    return {
        "bench": NAMES[0],
        "cpu_us": round(ours, 2),
        "nginx_cpu_us": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
        "ratio_min_max": [round(ratios[0], 2), round(ratios[-1], 2)],
        "limit": 1.25,
        "runs": runs,
    }


def _opening(site: Site) -> bytes:
    lines = (
        f"GET {_PATH} HTTP/1.1", f"Host: {HOST}", f"Origin: http://{HOST}:{site.port}", f"Cookie: {site.cookie}",
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {_KEY.decode()}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def _talk(site: Site, port: int, pid: int) -> float:
    """CPU of a message, either way, in microseconds."""
    return asyncio.run(_talked(_opening(site), port, pid, 1.5))


async def _talked(opening: bytes, port: int, pid: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    talkers = [
        (await loop.create_connection(lambda: _Talker(opening), "127.0.0.1", port))[1] for _ in range(_CONNECTIONS)
    ]
    while not all(talker.open for talker in talkers):
        await asyncio.sleep(0.01)
    for talker in talkers:
        talker.transport.write(_UP)
    await asyncio.sleep(0.2)
    began, messages = cpu_seconds(pid), sum(talker.messages for talker in talkers)
    await asyncio.sleep(seconds)
    spent, said = cpu_seconds(pid) - began, sum(talker.messages for talker in talkers) - messages
    for talker in talkers:
        talker.transport.abort()
    return spent / (2 * said) * 1e6


class _Talker(asyncio.Protocol):
    """One message at a time."""

    def __init__(self, opening: bytes) -> None:
        self._opening = opening
        self._got = 0
        self.open = False
        self.messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._opening)

    def data_received(self, data: bytes) -> None:
        if not self.open:
            assert data.startswith(b"HTTP/1.1 101 "), data
            self.open = True
            return
        self._got += len(data)
        if self._got >= len(_DOWN):
            self._got = 0
            self.messages += 1
            self.transport.write(_UP)


def _held(site: Site) -> dict[str, object]:
    opening = _opening(site)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = pss_megabytes(site.pid)
    with ExitStack() as stack:
        for number in range(_IDLE):
            one = stack.enter_context(socket(AF_INET, SOCK_STREAM))
            # Addresses of their own: one client may not hold so many.
            one.bind((f"127.0.{1 + number // 250}.{1 + number % 250}", 0))
            one.connect(("127.0.0.1", site.port))
            one.sendall(opening)
            assert one.recv(4096).startswith(b"HTTP/1.1 101 ")
        time.sleep(1)
        after = pss_megabytes(site.pid)
    return {
        "bench": NAMES[1],
        "tunnels": _IDLE,
        "added_mb": round(after - before, 1),
        "kb_each": round((after - before) * 1024 / _IDLE, 1),
        "kb_each_limit": 10.0,
    }


class _Application(asyncio.Protocol):
    def __init__(self) -> None:
        self._head = b""
        self._open = False
        self._got = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._head += data
            if self._head.endswith(b"\r\n\r\n"):
                self._open, self._head = True, b""
                self._transport.write(_TAKEN)
            return
        self._got += len(data)
        while self._got >= len(_UP):
            self._got -= len(_UP)
            self._transport.write(_DOWN)


async def _serve(port: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = await asyncio.get_running_loop().create_server(_Application, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1])))
