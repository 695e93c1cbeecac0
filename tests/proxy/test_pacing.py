"""A client that takes nothing of its response, or asks for much more behind it: how little of that stays here."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest

from gateway.proxy.tls_reading import TlsReading
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.patience import PATIENCE
from tests.proxy.applications import Peer, application
from tests.proxy.certificates import authority_pem, client_side, server_side
from tests.proxy.gateways import HOST, Client, Gateway, ask, gateway
from tests.proxy.websocket_ends import TUNNEL, WANTS, frame, switched

uvloop = pytest.mark.asyncio(loop_factories=["uvloop"])

LARGE = 24 << 20
FEW = 52 * 1024
TWO_RECORDS = 32 * 1024
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
        if client.write_paused and isinstance(client.active.upstream, UpstreamConnection):
            return client.active.upstream
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
        # The first is the head's; then they are as large as is taken at once, in the end no larger than may wait here.
        assert pieces[0] <= FEW < max(pieces)
        assert pieces[-1] <= FEW
        reading(client).resume_reading()
        assert await came_of(client) >= LARGE


@uvloop
async def test_of_an_application_that_speaks_tls_little_is_read_at_once(pieces: list[int]) -> None:
    """However much of it there is: OpenSSL's buffers keep the size that they have grown to."""
    trusted = {"file:../certs/ca.pem": authority_pem()}
    async with (
        application(b"HTTP/1.1 200 OK\r\n" + FRAMINGS["counted"], tls=server_side()) as app,
        gateway(app, scheme="https", upstream="ca: {file: ../certs/ca.pem}", secrets=trusted) as gate,
        asked(gate, ask(b"GET /public/a", b"Connection: close"), tls=False) as client,
    ):
        await gate.until(lambda: upstream_of(gate) is not None)
        reading(client).resume_reading()
        assert await came_of(client) >= LARGE
        assert max(pieces) <= TWO_RECORDS


@uvloop
async def test_below_tls_little_waits_where_the_kernel_takes_less_than_it_had_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.proxy.pacing._send_buffer", lambda _: (1 << 30, 2 << 20))
    below: list[asyncio.Transport] = []
    made = TlsReading.connection_made

    def connection_made(self: TlsReading, transport: asyncio.Transport) -> None:
        below.append(transport)
        made(self, transport)

    monkeypatch.setattr(TlsReading, "connection_made", connection_made)
    async with (
        application(b"HTTP/1.1 200 OK\r\n" + FRAMINGS["counted"]) as app,
        gateway(app, tls=server_side()) as gate,
        asked(gate, ask(b"GET /public/a", b"Connection: close"), tls=True) as client,
    ):
        await gate.until(lambda: upstream_of(gate) is not None)
        (connection,) = gate.plane.connections
        waiting: list[int] = []

        def stands() -> bool:
            """What the kernel still takes is on its way until then."""
            waiting.append(connection.transport.get_write_buffer_size() + below[0].get_write_buffer_size())
            return len(waiting) > 2 and waiting[-3] == waiting[-2] == waiting[-1] > 0

        await gate.until(stands)
        assert waiting[-1] <= FEW
        reading(client).resume_reading()
        assert await came_of(client) >= LARGE


@uvloop
async def test_behind_a_short_piece_no_long_one_is_read_for_who_lags_by_tls(
    pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short one may wait below TLS: with 50 KB behind it, more than little would."""
    monkeypatch.setattr("gateway.proxy.pacing._send_buffer", lambda _: (1 << 30, 2 << 20))
    begins = b"HTTP/1.1 200 OK\r\n" + FRAMINGS["counted"][: 40 * 1024]
    async with (
        application(lambda peer: peer.send(begins)) as app,
        gateway(app, tls=server_side()) as gate,
        asked(gate, ask(b"GET /public/a", b"Connection: close"), tls=True) as client,
    ):
        reading(client).resume_reading()
        await gate.until(lambda: sum(pieces) == len(begins))
        peer, before = await app.peer(), len(pieces)
        peer.send(bytes(1000))
        await gate.until(lambda: sum(pieces) == len(begins) + 1000)
        peer.send(bytes(100 * 1024))
        await gate.until(lambda: sum(pieces) == len(begins) + 1000 + 100 * 1024)
        assert pieces[before] == 1000
        assert max(pieces[before:]) <= TWO_RECORDS // 2


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
async def test_who_says_goodbye_by_tls_and_takes_nothing_is_gone(
    asks: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where something waits here, since the kernel takes less than it had said: else whatever the application
    sends is read on, thrown away, and logged by the loop, piece by piece."""
    monkeypatch.setattr("gateway.proxy.pacing._send_buffer", lambda _: (1 << 30, 0))
    endless = switched() if b"Upgrade" in asks else b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    talk = frame(bytes(1 << 16), 2) * 400
    async with (
        application(lambda peer: peer.send(endless + talk)) as app,
        gateway(app, app=TUNNEL, tls=server_side()) as gate,
    ):
        connection = await asyncio.to_thread(begun, gate.port, asks)
        await gate.until(
            lambda: (
                any(one.write_paused for one in gate.plane.connections)
                or any(tunnel.client.full for tunnel in gate.plane.tunnels)
            )
        )
        await asyncio.to_thread(says_goodbye, connection)
        peer = await app.peer()
        await asyncio.wait_for(peer.lost.wait(), PATIENCE / 4)
        connection.close()
        await gate.until(lambda: not gate.plane.admission.held)
    assert not [line for line in caplog.records if line.name == "asyncio"]


def begun(port: int, raw: bytes) -> ssl.SSLSocket:
    """Its response has."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection = client_side().wrap_socket(plain, server_hostname=HOST.decode())
    connection.sendall(raw)
    connection.recv(1)
    return connection


def says_goodbye(connection: ssl.SSLSocket) -> None:
    connection.settimeout(0.05)
    with suppress(OSError):
        connection.unwrap()
