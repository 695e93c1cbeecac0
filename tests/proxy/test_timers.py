"""Every wait ends: the timeouts of gateway.yaml, on a clock that the test puts on, and the one timer behind them."""

import asyncio
import socket
from typing import cast

import pytest

from gateway.proxy.client import ClientConnection
from gateway.proxy.reader import BODY, CLOSED, LINGER, WAIT
from gateway.proxy.timers import NEVER, Timers
from gateway.proxy.unread import unread
from tests.proxy.applications import SOON, Application, application
from tests.proxy.clock import Clock
from tests.proxy.gateways import Answer, Client, Gateway, ask, gateway

pytestmark = pytest.mark.slow

PUBLIC = ask(b"GET /public/a")


def times(**seconds: str) -> str:
    return "timeouts: {" + ", ".join(f"{name}: {value}" for name, value in seconds.items()) + "}\n"


async def cut_off(gate: Gateway, client: Client, after: float) -> bytes:
    """What is left to read of a connection that ends after so many seconds, and not before."""
    await gate.until(lambda: gate.plane.connections)
    (connection,) = gate.plane.connections
    await gate.clock.passes(after - 1)
    assert connection.reader.state not in {LINGER, CLOSED}
    # A deadline is looked at each half second.
    await gate.clock.passes(2)
    return await client.rest()


async def has_sent(gate: Gateway, client: Client, start: bytes) -> None:
    """Of a head; returns when it is there."""
    client.send(start)
    await gate.until(lambda: [each.reader.ahead for each in gate.plane.connections] == [start])


@pytest.mark.parametrize("start", [b"G", b"GET /public/a HTTP/1.1\r\nHost: permis.localhost\r\n"])
async def test_request_head_runs_from_the_first_byte(start: bytes) -> None:
    async with gateway(1, gateway=times(request_head="20s")) as gate:
        client = await gate.client()
        await gate.until(lambda: gate.plane.connections)
        await gate.clock.passes(15)
        await has_sent(gate, client, start)
        assert (await cut_off(gate, client, 20)).startswith(b"HTTP/1.1 408 ")


async def test_request_head_runs_from_the_first_byte_behind_an_empty_line_too() -> None:
    """RFC 9112 2.2: the empty line is of no head."""
    async with application() as app, gateway(app, gateway=times(request_head="20s")) as gate:
        client = await gate.client()
        await client.ask(PUBLIC + b"\r\n")
        await gate.clock.passes(15)
        await has_sent(gate, client, b"G")
        assert (await cut_off(gate, client, 20)).startswith(b"HTTP/1.1 408 ")


async def test_request_head_is_not_prolonged_by_drips() -> None:
    async with gateway(1, gateway=times(request_head="20s")) as gate:
        client = await gate.client()
        await has_sent(gate, client, PUBLIC[:1])
        (connection,) = gate.plane.connections
        for length in range(2, 20):
            await gate.clock.passes(1)
            client.send(PUBLIC[length - 1 : length])
            await gate.until(lambda length=length: len(connection.reader.ahead) == length)
        assert (await cut_off(gate, client, 2)).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_without_a_request_ends_without_a_word() -> None:
    async with gateway(1, gateway=times(request_head="20s")) as gate:
        assert await cut_off(gate, await gate.client(), 20) == b""


async def test_idle_ends_a_kept_connection_without_a_word() -> None:
    async with application() as app, gateway(app, gateway=times(idle="20s")) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        assert await cut_off(gate, client, 20) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stops_is_a_408(framing: bytes) -> None:
    async with application() as app, gateway(app, gateway=times(body="20s")) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", framing, body=b"2\r\nhi\r\n"))
        await gate.until(lambda: app.received.endswith(b"hi\r\n"))
        assert (await cut_off(gate, client, 20)).startswith(b"HTTP/1.1 408 ")
        await app.peers[0].lost.wait()
        assert app.requests == []


async def test_an_answer_that_stops_is_broken_off() -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    async with application(start) as app, gateway(app, gateway=times(body="20s")) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        assert (await client.reader.readuntil(b"half")).startswith(b"HTTP/1.1 200 ")
        assert await cut_off(gate, client, 20) == b""
        assert gate.log.named("upstream.failed")[0]["code"] == "upstream.timeout"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-A"])
async def test_first_byte_is_a_504(start: bytes) -> None:
    async with application(start or None) as app, gateway(app, gateway=times(first_byte="20s")) as gate:
        client = await gate.client()
        answer = await answered_late(gate, client, app, 20)
        assert (answer.status, answer.body.split()[0]) == (504, b"upstream.timeout")
        await app.peers[0].lost.wait()
        assert (await client.ask(PUBLIC)).status == 200


async def test_an_applications_own_timeout_counts() -> None:
    async with application(None) as app, gateway(app, upstream="timeout: 20s") as gate:
        assert (await answered_late(gate, await gate.client(), app, 20)).status == 504


async def test_total_ends_what_never_stops_for_long() -> None:
    async with application(None) as app, gateway(app, gateway=times(total="20s", first_byte="1000s")) as gate:
        assert (await answered_late(gate, await gate.client(), app, 20)).status == 504


async def answered_late(gate: Gateway, client: Client, app: Application, after: float) -> Answer:
    """The answer to a request that the application lets lie, which comes after so many seconds and not before."""
    client.send(PUBLIC)
    await app.request()
    (connection,) = gate.plane.connections
    await gate.clock.passes(after - 1)
    assert connection.reader.state == WAIT
    await gate.clock.passes(2)
    return await client.answer()


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


async def until_still(connection: ClientConnection) -> None:
    """The system takes no more of it."""
    before = -1
    while not connection.write_paused or unread(connection.transport) != before:
        before = unread(connection.transport)
        await asyncio.sleep(0.1)


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("buffer", [16_384, 0])
async def test_a_reader_that_stands_still_is_cut_and_a_slow_one_is_not(reads: bool, buffer: int) -> None:
    """With a small system buffer ours show who reads; with the usual one, megabytes, only the system knows."""
    loop = asyncio.get_running_loop()
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000)
    async with application(big) as app, gateway(app, gateway=times(body="20s")) as gate:
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
            await until_still(connection)
            # From here on: what the system has still taken since it was full was movement.
            connection.pause_writing()
            # The piece that a response begins with.
            assert connection.transport.get_write_buffer_size() <= 64 * 1024
            for _ in range(4):
                waiting = unread(connection.transport)
                while reads and unread(connection.transport) >= waiting:
                    await loop.sock_recv(client, 4000)
                    await asyncio.sleep(0)
                await gate.clock.passes(19)
                assert gate.plane.connections, "cut before its time"
                if not reads:
                    await gate.clock.passes(2)
                    await gate.until(lambda: not gate.plane.connections)
                    break
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
        async with gateway(listening.getsockname()[1], gateway=times(body="20s")) as gate:
            client = await gate.client()
            client.send(ask(b"POST /public/a", b"Content-Length: 30000000"))
            app, _ = await loop.sock_accept(listening)
            with app:
                app.setblocking(False)
                client.send(bytes(30_000_000))
                (connection,) = gate.plane.connections
                await gate.until(lambda: connection.body_paused)
                upstream = connection.active.upstream
                assert upstream is not None
                # Its system may take a little more at first: that is not what is looked at here.
                await asyncio.sleep(0.5)
                while upstream.drains():
                    await asyncio.sleep(0.5)
                for _ in range(4):
                    waiting = unread(upstream.transport)
                    while reads and unread(upstream.transport) >= waiting:
                        await loop.sock_recv(app, 4000)
                    await gate.clock.passes(19)
                    assert connection.reader.state == BODY, "given up before its time"
                    await gate.clock.passes(2)
                    assert (connection.reader.state == BODY) is reads
                    if not reads:
                        break
                client.writer.transport.abort()


async def test_an_upload_that_takes_longer_than_an_answer_may_is_no_late_answer() -> None:
    async with application() as app, gateway(app, gateway=times(first_byte="20s")) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Content-Length: 30"))
        (peer,) = [await app.peer()]
        for number in range(10):
            await gate.clock.passes(10)
            client.send(b"abc")
            await gate.until(lambda number=number: peer.received.endswith(b"abc" * (number + 1)))
        assert (await client.answer()).status == 200


async def test_total_ends_an_upload_that_drips() -> None:
    async with application() as app, gateway(app, gateway=times(body="20s", total="60s")) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Content-Length: 3000"))
        peer = await app.peer()
        for number in range(5):
            client.send(b"abc")
            await gate.until(lambda number=number: peer.received.endswith(b"abc" * (number + 1)))
            await gate.clock.passes(10)
        assert [connection.reader.state for connection in gate.plane.connections] == [BODY]
        client.send(b"abc")
        await gate.until(lambda: peer.received.endswith(b"abc" * 6))
        await gate.clock.passes(12)
        assert (await client.answer()).status == 408
        await peer.lost.wait()


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_total_ends_an_answer_that_is_read_slowly() -> None:
    loop = asyncio.get_running_loop()
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000)
    async with application(big) as app, gateway(app, gateway=times(body="20s", total="60s")) as gate:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", gate.port))
            await loop.sock_sendall(client, PUBLIC)
            await gate.until(lambda: any(connection.write_paused for connection in gate.plane.connections))
            (connection,) = gate.plane.connections
            for _ in range(5):
                waiting = unread(connection.transport)
                while unread(connection.transport) >= waiting:
                    await loop.sock_recv(client, 4000)
                await gate.clock.passes(11)
                assert gate.plane.connections, "cut before its time"
            await loop.sock_recv(client, 4000)
            await gate.clock.passes(7)
            await gate.until(lambda: not gate.plane.connections)


async def test_lingering_ends() -> None:
    async with gateway(1) as gate:
        client = await gate.client()
        client.send(ask(b"POST /private", b"Content-Length: 1000"))
        assert (await client.answer()).status == 401
        await gate.clock.passes(1)
        assert [connection.reader.state for connection in gate.plane.connections] == [LINGER]
        await gate.clock.passes(2)
        await gate.until(lambda: not gate.plane.connections)


async def test_an_upstream_that_lets_a_connection_lie_is_not_waited_for() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        await gate.clock.passes(3)
        await client.ask(PUBLIC)
        assert len(app.peers) == 1
        await gate.clock.passes(5)
        await app.peers[0].lost.wait()
        await client.ask(PUBLIC)
        assert len(app.peers) == 2


# --- alone ---


class Late:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.times = 0

    def expired(self) -> None:
        self.times += 1
        self.deadline = NEVER


@pytest.fixture
async def clock() -> Clock:
    return Clock(asyncio.get_running_loop())


def timers_on(clock: Clock) -> Timers:
    return Timers(cast(asyncio.AbstractEventLoop, clock), 0.1)


async def test_who_is_late_is_told_once_and_who_is_forgotten_never(clock: Clock) -> None:
    timers = timers_on(clock)
    late, never, gone = Late(timers.now), Late(NEVER), Late(timers.now)
    timers.watch(late)
    timers.watch(never)
    timers.forget(gone, timers.watch(gone))
    timers.start()
    await clock.passes(3)
    timers.stop()
    assert (late.times, never.times, gone.times) == (1, 0, 0)
    before = timers.now
    await clock.passes(3)
    assert timers.now == before


async def test_each_share_has_its_turn(clock: Clock) -> None:
    timers = timers_on(clock)
    items = [Late(timers.now) for _ in range(9)]
    for item in items:
        timers.watch(item)
    timers.start()
    await clock.passes(0.35)
    assert sorted(item.times for item in items) == [0] * 2 + [1] * 7
    await clock.passes(0.1)
    timers.stop()
    assert [item.times for item in items] == [1] * 9


# --- of one application, and of one path of it ---

SLOW = "limits: {body: 10B, paths: [{path: /public/slow/**, body: 30B, timeouts: {first_byte: 40s, body: 200s}}]}\n"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"


async def test_an_answer_may_pause_where_its_path_says_so_and_nowhere_else() -> None:
    async with application(HALF, HALF) as app, gateway(app, app=SLOW) as gate:
        slow, other = await gate.client(), await gate.client()
        for number, (client, path) in enumerate(((slow, b"slow/report"), (other, b"page")), 1):
            client.send(ask(b"GET /public/" + path))
            await gate.until(lambda number=number: len(app.requests) == number)
        for client in (slow, other):
            assert await client.reader.readuntil(b"ha")
        await gate.clock.passes(150)
        assert await other.is_closed()
        app.peers[0].send(b"lf")
        assert await asyncio.wait_for(slow.reader.readexactly(2), SOON) == b"lf"


async def test_the_first_byte_is_awaited_as_long_as_the_path_says() -> None:
    async with application(None, None) as app, gateway(app, app=SLOW) as gate:
        slow, other = await gate.client(), await gate.client()
        for number, (client, path) in enumerate(((slow, b"slow/report"), (other, b"page")), 1):
            client.send(ask(b"GET /public/" + path))
            await gate.until(lambda number=number: len(app.requests) == number)
        await gate.clock.passes(45)
        assert (await slow.answer()).status == 504
        assert await other.is_open()


async def test_a_body_is_as_large_as_its_path_says() -> None:
    async with application() as app, gateway(app, app=SLOW) as gate:
        rows = (("slow/up", 30, 200), ("slow/up", 31, 413), ("page", 10, 200), ("page", 11, 413))
        # The path that rules are asked about, however it is written.
        written_otherwise = (("sl%6Fw/up", 30, 200), ("sl%6Fw/up", 31, 413))
        for path, size, status in rows + written_otherwise:
            line = f"POST /public/{path}".encode()
            raw = ask(line, b"Content-Length: %d" % size, body=b"x" * size)
            assert (await gate.once(raw)).status == status
        assert len(app.requests) == 3


async def test_the_times_of_an_application_hold_on_all_its_paths() -> None:
    async with application(None) as app, gateway(app, app="timeouts: {first_byte: 7s}\n") as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        await app.request()
        await gate.clock.passes(6)
        assert await client.is_open()
        await gate.clock.passes(3)
        assert (await client.answer()).status == 504
