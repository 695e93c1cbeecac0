"""Every wait ends: the timeouts of gateway.yaml, each with a short value, and the one timer behind them."""

import asyncio
import socket
import time

import pytest

from gateway.proxy.reading import BODY
from gateway.proxy.timers import NEVER, Timers
from tests.proxy.applications import application
from tests.proxy.gateways import Client, ask, gateway

pytestmark = pytest.mark.slow

PUBLIC = ask(b"GET /public/a")


def times(**seconds: str) -> str:
    return "timeouts: {" + ", ".join(f"{name}: {value}" for name, value in seconds.items()) + "}\n"


async def ends_soon(client: Client, after: float = 0.1, before: float = 1.5) -> bytes:
    began = time.monotonic()
    got = await client.rest()
    assert after <= time.monotonic() - began <= before
    return got


@pytest.mark.parametrize("start", [b"G", b"GET /public/a HTTP/1.1\r\nHost: permis.localhost\r\n"])
async def test_request_head_runs_from_the_first_byte(start: bytes) -> None:
    async with gateway(1, gateway=times(request_head="200ms")) as gate:
        client = await gate.client()
        client.send(start)
        assert (await ends_soon(client)).startswith(b"HTTP/1.1 408 ")


async def test_request_head_is_not_prolonged_by_drips() -> None:
    async with gateway(1, gateway=times(request_head="200ms")) as gate:
        client = await gate.client()
        began = time.monotonic()
        for byte in PUBLIC[:40]:
            client.send(bytes((byte,)))
            await asyncio.sleep(0.02)
            if client.reader.at_eof():
                break
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 1.5


async def test_a_connection_without_a_request_ends_without_a_word() -> None:
    async with gateway(1, gateway=times(request_head="200ms")) as gate:
        assert await ends_soon(await gate.client()) == b""


async def test_idle_ends_a_kept_connection_without_a_word() -> None:
    async with application() as app, gateway(app, gateway=times(idle="200ms")) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        assert await ends_soon(client) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stops_is_a_408(framing: bytes) -> None:
    async with application() as app, gateway(app, gateway=times(body="200ms")) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", framing, body=b"2\r\nhi\r\n"))
        assert (await ends_soon(client)).startswith(b"HTTP/1.1 408 ")
        await asyncio.wait_for(app.peers[0].lost.wait(), 2)
        assert app.requests == []


async def test_an_answer_that_stops_is_broken_off() -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    async with application(start) as app, gateway(app, gateway=times(body="200ms")) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        assert (await ends_soon(client)).endswith(b"half")
        assert gate.log.named("upstream.failed")[0]["code"] == "upstream.timeout"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-A"])
async def test_first_byte_is_a_504(start: bytes) -> None:
    async with application(start or None) as app, gateway(app, gateway=times(first_byte="200ms")) as gate:
        client = await gate.client()
        answer = await client.ask(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (504, b"upstream.timeout")
        await asyncio.wait_for(app.peers[0].lost.wait(), 2)
        assert (await client.ask(PUBLIC)).status == 200


async def test_an_applications_own_timeout_counts() -> None:
    async with application(None) as app, gateway(app, upstream="timeout: 200ms") as gate:
        assert (await gate.once(PUBLIC)).status == 504


async def test_total_ends_what_never_stops_for_long() -> None:
    async with application(None) as app, gateway(app, gateway=times(total="300ms", first_byte="10s")) as gate:
        client = await gate.client()
        assert (await client.ask(PUBLIC)).status == 504


async def test_connect_is_a_504() -> None:
    """A server that takes no connection: its queue is full, and those in it are never taken."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        try:
            async with gateway(port, gateway=times(connect="200ms")) as gate:
                answer = await gate.once(PUBLIC)
                assert (answer.status, answer.body.split()[0]) == (504, b"upstream.timeout")
        finally:
            for one in waiting:
                one.close()


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("buffer", [16_384, 0])
async def test_a_reader_that_stands_still_is_cut_and_a_slow_one_is_not(reads: bool, buffer: int) -> None:
    """With a small system buffer ours show who reads; with the usual one, megabytes, only the system knows."""
    loop = asyncio.get_running_loop()
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000)
    async with application(big) as app, gateway(app, gateway=times(body="500ms")) as gate:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", gate.port))
            await gate.until(lambda: gate.plane.connections)
            (connection,) = gate.plane.connections
            if buffer:
                connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            await loop.sock_sendall(client, PUBLIC)
            await gate.until(lambda: connection.write_paused)
            for _ in range(75):
                if reads:
                    await loop.sock_recv(client, 4000)
                await asyncio.sleep(0.02)
            assert len(gate.plane.connections) == reads


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("reads", [False, True])
async def test_an_application_that_takes_no_body_is_given_up_and_a_slow_one_is_not(reads: bool) -> None:
    """Its system's buffer is small and ours is not: the kernel takes no more of us for seconds."""
    loop = asyncio.get_running_loop()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        listening.setblocking(False)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        async with gateway(listening.getsockname()[1], gateway=times(body="500ms")) as gate:
            client = await gate.client()
            client.send(ask(b"POST /public/a", b"Content-Length: 30000000"))
            app, _ = await loop.sock_accept(listening)
            with app:
                app.setblocking(False)
                client.send(bytes(30_000_000))
                (connection,) = gate.plane.connections
                await gate.until(lambda: connection.body_paused)
                for _ in range(75):
                    if reads:
                        await loop.sock_recv(app, 4000)
                    await asyncio.sleep(0.02)
                assert (connection.state == BODY) is reads
                client.writer.transport.abort()


async def test_an_upload_that_takes_longer_than_an_answer_may_is_no_late_answer() -> None:
    async with application() as app, gateway(app, gateway=times(first_byte="300ms")) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Content-Length: 30"))
        for _ in range(10):
            await asyncio.sleep(0.1)
            client.send(b"abc")
        assert (await client.answer()).status == 200


async def test_lingering_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.proxy.client._LINGER_SECONDS", 0.2)
    async with gateway(1) as gate:
        client = await gate.client()
        client.send(ask(b"POST /private", b"Content-Length: 1000"))
        assert (await client.answer()).status == 401
        await gate.until(lambda: not gate.plane.connections, 1.5)


async def test_an_upstream_that_lets_a_connection_lie_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.proxy.upstream.IDLE_SECONDS", 0.2)
    async with application() as app, gateway(app) as gate:
        await gate.once(PUBLIC)
        await asyncio.wait_for(app.peers[0].lost.wait(), 2)


# --- alone ---


class Late:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.times = 0

    def expired(self) -> None:
        self.times += 1
        self.deadline = NEVER


async def test_who_is_late_is_told_once_and_who_is_forgotten_never() -> None:
    timers = Timers(asyncio.get_running_loop(), 0.005)
    late, never, gone = Late(timers.now), Late(NEVER), Late(timers.now)
    timers.watch(late)
    timers.watch(never)
    timers.forget(gone, timers.watch(gone))
    timers.start()
    await asyncio.sleep(0.1)
    timers.stop()
    assert (late.times, never.times, gone.times) == (1, 0, 0)
    before = timers.now
    await asyncio.sleep(0.03)
    assert timers.now == before


async def test_each_share_has_its_turn() -> None:
    timers = Timers(asyncio.get_running_loop(), 0.002)
    items = [Late(timers.now) for _ in range(9)]
    for item in items:
        timers.watch(item)
    timers.start()
    await asyncio.sleep(0.1)
    timers.stop()
    assert [item.times for item in items] == [1] * 9
