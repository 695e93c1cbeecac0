"""A client that takes nothing of its response, or asks for much more behind it: how little of that stays here."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import cast

import pytest

from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.server.fleet import _WORKER_ENVIRONMENT
from tests.bench.processes import rss_of
from tests.patience import PATIENCE
from tests.proxy.applications import Peer, application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import HOST, Client, Gateway, ask, gateway
from tests.proxy.websocket_ends import TUNNEL, WANTS, frame, sent, switched

uvloop = pytest.mark.asyncio(loop_factories=["uvloop"])

LARGE = 24 << 20
FEW = 64 * 1024
FRAMINGS = {
    "counted": b"Content-Length: %d\r\n\r\n" % LARGE + bytes(LARGE),
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + bytes(65536) + b"\r\n") * (LARGE >> 16)
    + b"0\r\n\r\n",
    "to the end": b"Content-Type: text/event-stream\r\n\r\n" + (b"data: %b\n\n" % (b"x" * 1016)) * (LARGE >> 10),
}
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


def upstream_of(gate: Gateway) -> UpstreamConnection | None:
    """The connection to the application that waits for the one client, which stands."""
    for client in gate.plane.connections:
        if client.write_paused and isinstance(client.upstream, UpstreamConnection):
            return client.upstream
    return None


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read of an application has brought."""
    seen: list[int] = []
    read = UpstreamConnection.buffer_updated

    def buffer_updated(self: UpstreamConnection, size: int, held: bytes = b"") -> None:
        seen.append(size)
        read(self, size, held)

    monkeypatch.setattr(UpstreamConnection, "buffer_updated", buffer_updated)
    return seen


def reading(client: Client) -> asyncio.Transport:
    return cast(asyncio.Transport, client.writer.transport)


@asynccontextmanager
async def asked(gate: Gateway, raw: bytes, *, tls: bool) -> AsyncIterator[Client]:
    """A client that has sent `raw` and reads nothing until it is told to."""
    client = await gate.client(client_side() if tls else None)
    reading(client).pause_reading()
    client.send(raw)
    yield client
    client.close()


async def came_of(client: Client) -> int:
    """Bytes, to the end of the connection."""
    came = 0
    while piece := await client.reader.read(1 << 20):
        came += len(piece)
    return came


@uvloop
@TLS
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_who_reads_nothing_has_little_waiting_and_all_of_it_comes_later(
    framing: str, tls: bool, pieces: list[int]
) -> None:
    whole = b"HTTP/1.1 200 OK\r\n" + FRAMINGS[framing]
    last = [lambda peer: peer.send(whole), Peer.close][: 2 if framing == "to the end" else 1]
    async with (
        application(lambda peer: [act(peer) for act in last]) as app,
        gateway(app, tls=server_side() if tls else None) as gate,
        asked(gate, ask(b"GET /public/a", b"Connection: close"), tls=tls) as client,
    ):
        await gate.until(lambda: upstream_of(gate) is not None)
        (connection,) = gate.plane.connections
        assert connection.transport.get_write_buffer_size() <= (0 if tls else FEW)
        # The first is the head's; then they are as large as there is room for, in the end next to none. With TLS there
        # is an end before there is no room at all.
        assert pieces[0] <= FEW < max(pieces)
        assert tls or pieces[-1] <= FEW
        reading(client).resume_reading()
        assert await came_of(client) >= LARGE


@uvloop
@TLS
async def test_an_answer_of_50_kb_is_one_read_and_one_write(
    tls: bool, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(50_000)
    async with (
        application(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + body) as app,
        gateway(app, tls=server_side() if tls else None) as gate,
    ):
        client = await gate.client(client_side() if tls else None)
        assert (await client.ask(ask(b"GET /public/a"))).body == body
        assert max(pieces) > 50_000 or len(pieces) <= 2


@uvloop
async def test_a_few_requests_behind_one_are_all_answered() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a") * 300)
        for _ in range(300):
            assert (await client.answer()).body == b"ok"
        assert len(app.requests) == 300


@uvloop
async def test_the_end_of_a_handshake_is_nothing_that_waits_for_its_client() -> None:
    """Else the client would have as long for its first head as an idle one has for its next."""
    times = "timeouts: {request_head: 5s, idle: 50s}\n"
    async with application() as app, gateway(app, tls=server_side(), gateway=times) as gate:
        await gate.client(client_side())
        await gate.until(lambda: gate.plane.connections)
        (connection,) = gate.plane.connections
        await asyncio.sleep(0.05)
        assert not connection.write_paused
        assert connection.deadline <= gate.plane.timers.now + 5


@uvloop
@pytest.mark.parametrize("asks", [ask(b"GET /public/a"), ask(b"GET /public/a", *WANTS)], ids=["answer", "tunnel"])
async def test_who_says_goodbye_by_tls_and_takes_nothing_is_gone(asks: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Else whatever the application sends is read on, thrown away, and logged by the loop, piece by piece."""
    endless = switched() if b"Upgrade" in asks else b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    talk = frame(bytes(1 << 16), 2) * 400
    async with (
        application(lambda peer: peer.send(endless + talk)) as app,
        gateway(app, app=TUNNEL, tls=server_side()) as gate,
    ):
        connection = await asyncio.to_thread(says_goodbye, gate.port, asks)
        peer = await app.peer()
        await asyncio.wait_for(peer.lost.wait(), PATIENCE / 4)
        connection.close()
        await gate.until(lambda: not gate.plane.admission.held)
    assert not [line for line in caplog.records if line.name == "asyncio"]


def says_goodbye(port: int, raw: bytes) -> socket.socket:
    connection = client_side().wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=HOST.decode())
    connection.sendall(raw)
    connection.recv(1)
    connection.settimeout(0.05)
    with suppress(OSError):
        connection.unwrap()
    return connection


# --- in processes of their own ---

# What all readers share, and what the first ones leave in the heap, is no reader's.
FIRST, READERS = 20, 100
MOST_KB = 64


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """With the ports that it prints."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.proxy.standing", *arguments],
        env={**os.environ, **_WORKER_ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    try:
        yield started, [int(port) for port in started.stdout.readline().split()]
    finally:
        started.kill()
        started.communicate()


def connected(number: int, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """Few of an address: one client may not hold so many. It has had an answer, as an idle one has."""
    connection = socket.socket()
    connection.bind((f"127.0.{2 + number // 40}.{1 + number % 40}", 0))
    connection.connect(("127.0.0.1", port))
    if tls is not None:
        connection = tls.wrap_socket(connection, server_hostname=HOST.decode())
    connection.sendall(ask(b"GET /public/small"))
    came = 0
    while came < 10_000:
        came += len(connection.recv(65536))
    return connection


def settled(pid: int) -> float:
    """Megabytes, once they no longer change."""
    until, before = time.monotonic() + PATIENCE, 0.0
    while time.monotonic() < until:
        now = rss_of(pid)
        if abs(now - before) < 0.05:
            break
        before = now
        time.sleep(0.3)
    return before


@contextmanager
def readers(tls: bool, number: int = FIRST + READERS) -> Iterator[tuple[int, list[socket.socket]]]:
    """The gateway's process, and who is connected to it; of these, the first ones make it grow to its usual size."""
    with ExitStack() as stack:
        _, (port,) = stack.enter_context(process("application"))
        served, ports = stack.enter_context(process("gateway", str(port)))
        # Its certificate is of an authority of that process.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        yield (
            served.pid,
            [stack.enter_context(connected(one, ports[tls], context if tls else None)) for one in range(number)],
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asks", "tls"), [(b"counted", False), (b"counted", True), (b"in_chunks", True), (b"small", True)]
)
def test_a_reader_that_stands_still_costs_under_64_kb(asks: bytes, tls: bool) -> None:
    """Private memory beyond an idle connection of the same kind. `small`: it asks for 200 answers of 10 kB, one behind
    the other."""
    raw = ask(b"GET /public/" + asks) * (200 if asks == b"small" else 1)
    with readers(tls) as (pid, all_of_them):
        for reader in all_of_them[:FIRST]:
            reader.sendall(raw)
        before = settled(pid)
        for reader in all_of_them[FIRST:]:
            reader.sendall(raw)
        each = (settled(pid) - before) * 1024 / READERS
        print(f"{asks.decode()}, {'tls' if tls else 'plain'}: {each:.0f} kB")
        assert each < MOST_KB


UPLOAD = ask(b"POST /public/small", b"Content-Length: %d" % (1 << 20)) + bytes(1 << 20)
BEHIND = memoryview(ask(b"GET /public/counted") + ask(b"GET /public/small", b"X-Fill: " + b"x" * 200) * 2000)


def take(reader: socket.socket, body: int) -> None:
    """One response."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += reader.recv(1 << 18)
    left = body - len(came.partition(b"\r\n\r\n")[2])
    while left:
        left -= len(reader.recv(left))


def is_quick(reader: socket.socket) -> None:
    """An upload, some pages and a file."""
    for raw, body in [(UPLOAD, 10_000), *[(ask(b"GET /public/page"), 50_000)] * 3, (ask(b"GET /public/file"), 1 << 20)]:
        reader.sendall(raw)
        take(reader, body)


def bursts(pid: int, some: list[socket.socket]) -> None:
    """What each sends is there at once, as much as the kernel takes of it."""
    os.kill(pid, signal.SIGSTOP)
    for reader in some:
        reader.setblocking(False)
        left = BEHIND
        with suppress(BlockingIOError, ssl.SSLWantWriteError):
            while left:
                left = left[reader.send(left[:16384]) :]
    os.kill(pid, signal.SIGCONT)


def pours(reader: socket.socket, poured: bytes) -> None:
    """As much as is taken of it."""
    reader.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            reader.sendall(poured)


def uploads(reader: socket.socket) -> None:
    """To an application that takes nothing."""
    reader.sendall(ask(b"POST /public/deaf", b"Content-Length: 1000000000"))
    pours(reader, bytes(1 << 18))


def uploads_in_chunks(reader: socket.socket) -> None:
    reader.sendall(ask(b"POST /public/deaf", b"Transfer-Encoding: chunked"))
    pours(reader, b"40000\r\n" + bytes(1 << 18) + b"\r\n")


def is_talked_to(reader: socket.socket) -> None:
    """On a WebSocket, of which it reads nothing."""
    reader.sendall(ask(b"GET /public/talks", *WANTS))


def talks_to_the_deaf(reader: socket.socket) -> None:
    """On a WebSocket, to an application that reads nothing."""
    reader.sendall(ask(b"GET /public/listens", *WANTS))
    reader.recv(4096)
    pours(reader, sent(bytes(1 << 18), 2))


@pytest.mark.slow
@TLS
def test_where_either_side_of_an_upload_or_a_tunnel_stands_it_costs_under_64_kb(tls: bool) -> None:
    everything = [uploads, uploads_in_chunks, is_talked_to, talks_to_the_deaf]
    with readers(tls, 40 * len(everything)) as (pid, all_of_them), ThreadPoolExecutor(30) as at_once:
        each: dict[str, float] = {}
        for does in everything:
            some = [all_of_them.pop() for _ in range(40)]
            list(at_once.map(does, some[:10]))
            before = settled(pid)
            list(at_once.map(does, some[10:]))
            each[does.__name__] = (settled(pid) - before) * 1024 / 30
        print("tls" if tls else "plain", each)
        assert max(each.values()) < MOST_KB


@pytest.mark.slow
@TLS
def test_whoever_was_quick_and_then_stands_behind_a_burst_costs_under_64_kb(tls: bool) -> None:
    """What grew while it was quick counts as well."""
    with readers(tls) as (pid, all_of_them):
        for reader in all_of_them[:FIRST]:
            is_quick(reader)
        bursts(pid, all_of_them[:FIRST])
        before = settled(pid)
        for reader in all_of_them[FIRST:]:
            is_quick(reader)
        bursts(pid, all_of_them[FIRST:])
        each = (settled(pid) - before) * 1024 / READERS
        print(f"quick, then a burst, {'tls' if tls else 'plain'}: {each:.0f} kB")
        assert each < MOST_KB
