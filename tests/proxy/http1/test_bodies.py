"""Bodies both ways: counted or in chunks, in constant memory, past a slow peer."""

import asyncio
from pathlib import Path

import pytest

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.bodies import ChunkedBody, chunk
from tests.proxy.applications import application
from tests.proxy.gateways import ask, blot, gateway, reached

MIB = 1 << 20
PIECE = bytes(256 * 1024)
PIECES = 256  # 64 MiB
CHUNKED = b"Transfer-Encoding: chunked"


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Most:
    """The most memory that was used beyond what was there at first."""

    def __init__(self) -> None:
        self._first = resident()
        self.seen = 0

    def look(self) -> None:
        self.seen = max(self.seen, resident() - self._first)


class Bulk(asyncio.Protocol):
    """An application of 64 MiB each way: writes as far as it may, counts what it reads, and rests at first."""

    def __init__(self, *, in_chunks: bool, rest: float) -> None:
        self.in_chunks, self.rest = in_chunks, rest
        self.read = self.left = 0
        self.may = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport
        self.may.set()

    def pause_writing(self) -> None:
        self.may.clear()

    def resume_writing(self) -> None:
        self.may.set()

    def data_received(self, data: bytes) -> None:
        self.read += len(data)
        if data.startswith(b"GET "):
            self.writer = asyncio.get_running_loop().create_task(self._write())
        elif self.rest:
            self.transport.pause_reading()  # type: ignore[attr-defined]
            asyncio.get_running_loop().call_later(self.rest, self.transport.resume_reading)  # type: ignore[attr-defined]
            self.rest = 0.0

    async def _write(self) -> None:
        framing = CHUNKED if self.in_chunks else b"Content-Length: %d" % (PIECES * len(PIECE))
        self.transport.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")  # type: ignore[attr-defined]
        piece = chunk((PIECE,)) if self.in_chunks else PIECE
        for _ in range(PIECES):
            await self.may.wait()
            self.transport.write(piece)  # type: ignore[attr-defined]
        if self.in_chunks:
            self.transport.write(b"0\r\n\r\n")  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_64_mib_down_to_a_client_that_reads_late(in_chunks: bool) -> None:
    bulk = Bulk(in_chunks=in_chunks, rest=0)
    server = await asyncio.get_running_loop().create_server(lambda: bulk, "127.0.0.1", 0)
    async with gateway(server.sockets[0].getsockname()[1]) as gate:
        client = await gate.client()
        client.writer.transport.pause_reading()
        most = Most()
        client.send(ask(b"GET /public/a"))
        await gate.until(lambda: hasattr(bulk, "writer") and not bulk.may.is_set())
        for _ in range(30):
            await asyncio.sleep(0.01)
            most.look()
        client.writer.transport.resume_reading()
        read = 0
        while read < PIECES * len(PIECE):
            read += len(await client.reader.read(MIB))
            most.look()
    server.close()
    assert most.seen < 24 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_64_mib_up_to_an_application_that_reads_late(in_chunks: bool) -> None:
    bulk = Bulk(in_chunks=in_chunks, rest=0.3)
    server = await asyncio.get_running_loop().create_server(lambda: bulk, "127.0.0.1", 0)
    async with gateway(server.sockets[0].getsockname()[1]) as gate:
        client = await gate.client()
        most = Most()
        client.send(ask(b"POST /public/a", CHUNKED if in_chunks else b"Content-Length: %d" % (PIECES * len(PIECE))))
        piece = chunk((PIECE,)) if in_chunks else PIECE
        for _ in range(PIECES):
            client.send(piece)
            await client.writer.drain()
            most.look()
        client.send(b"0\r\n\r\n" if in_chunks else b"")
        await gate.until(lambda: bulk.read >= PIECES * len(PIECE))
        most.look()
    server.close()
    assert most.seen < 24 * MIB


@pytest.mark.slow
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_10_000_requests_behind_a_slow_one() -> None:
    """They stay bytes, and mostly in the kernel: none is parsed, and answered they are all the same, in order."""
    one = ask(b"GET /public/a")
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(one)
        await app.request()
        (connection,) = gate.plane.connections
        most = Most()
        client.send(one * 10_000)
        await gate.until(lambda: connection.reader.ahead)
        for _ in range(20):
            await asyncio.sleep(0.01)
            most.look()
        assert most.seen < 10 * MIB
        assert len(connection.reader.ahead) <= 256 * 1024
        assert len(app.requests) == 1
        app.peers[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        for _ in range(10_001):
            assert (await client.answer()).status == 200
        assert len(app.requests) == 10_001


# --- chunks ---


@pytest.mark.parametrize(
    ("sent", "goes_on"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        (b"1\r\na\r\n1\r\nb\r\n01\r\nc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        (b"3;a=b\r\nabc\r\n0;x\r\nX-Remote-User: admin\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"a\r\n0123456789\r\n0\r\n\r\n"),
        (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"4\r\n\r\n\r\n\r\n0\r\n\r\n"),
        (b"0\r\n\r\n", b"0\r\n\r\n"),
    ],
)
async def test_a_clients_chunks_are_put_into_ours(sent: bytes, goes_on: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", CHUNKED, body=sent) + ask(b"GET /public/b"))
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        head, _, body = blot(app.requests[0]).partition(b"\r\n\r\n")
        assert head + b"\r\n\r\n" == reached(b"POST /public/a", end=CHUNKED)
        payload = b"".join(ChunkedBody(wire_codes.FRAMING).feed_all(body)[0])
        assert payload == b"".join(ChunkedBody(wire_codes.FRAMING).feed_all(goes_on)[0])
        assert body.endswith(b"0\r\n\r\n")
        assert b"admin" not in body
        assert blot(app.requests[1]) == reached(b"GET /public/b")


@pytest.mark.parametrize(
    "sent",
    [
        b"0x1\r\na\r\n0\r\n\r\n", b"1 \r\na\r\n0\r\n\r\n", b" 1\r\na\r\n0\r\n\r\n", b"-0\r\n\r\n",
        b"1;a=b\na\r\n0\r\n\r\n",
        b"1;" + b"a" * 20_000 + b"\r\na\r\n0\r\n\r\n", b"1\na\n0\n\n", b"1\ra\r0\r\r", b"1\r\nab\r\n0\r\n\r\n",
        b"10000000000000000\r\na\r\n0\r\n\r\n", b"zz\r\n", b"\r\n0\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    ],
)  # fmt: skip
async def test_hr05_chunks_of_an_odd_form_are_a_400(sent: bytes) -> None:
    async with application(then=None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", CHUNKED, body=sent) + ask(b"GET /public/b"))
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert not any(b"GET /public/b" in peer.received for peer in app.peers)
        assert not any(peer.received.endswith(b"0\r\n\r\n") for peer in app.peers)


@pytest.mark.parametrize(
    "value", [b"+1", b"-1", b"0x10", b"1_0", b"010", b"1, 1", b"", b"1Z", b"1" + b"0" * 23, b"\xd9\xa1", b"1 1"]
)
async def test_hr04_a_length_has_one_spelling(value: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Content-Length: " + value, body=b"a" * 20))
        assert (await client.answer()).status == 400
        assert app.peers == []


async def test_a_body_at_its_limit_and_one_byte_over() -> None:
    async with application() as app, gateway(app, app="limits: {body: 1KB}\n") as gate:
        for size, status in ((1024, 200), (1025, 413)):
            body = bytes(size)
            counted = ask(b"POST /public/a", b"Content-Length: %d" % size, body=body)
            chunked = ask(b"POST /public/a", CHUNKED, body=chunk((body[:700],)) + chunk((body[700:],)) + b"0\r\n\r\n")
            assert (await gate.once(counted)).status == status
            assert (await gate.once(chunked)).status == status
        assert len(app.requests) == 2
        assert not any(peer.received.endswith(b"0\r\n\r\n") for peer in app.peers[1:])


@pytest.mark.parametrize("chunks", [4095, 4097, 6000, 30_000])
async def test_an_answer_in_tiny_chunks_leaves_its_connection_able_to_hear(chunks: int) -> None:
    tiny = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * chunks + b"0\r\n\r\n"
    async with application(tiny) as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /public/a"))).body == b"a" * chunks
        for _ in range(3):
            assert (await client.ask(ask(b"GET /public/a"))).body == b"ok"
        assert len(app.peers) == 1


# --- Expect ---


@pytest.mark.parametrize("framing", [b"Content-Length: 3", CHUNKED])
async def test_expect_100_continue_is_answered_by_us_and_not_passed_on(framing: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", framing, b"Expect: 100-continue"))
        assert await client.reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"xyz" if framing != CHUNKED else b"3\r\nxyz\r\n0\r\n\r\n")
        assert (await client.answer()).status == 200
        assert b"Expect" not in app.requests[0]
        # No letters of a request id, which is hexadecimal.
        assert app.requests[0].count(b"xyz") == 1


async def test_who_is_refused_is_not_asked_for_the_body() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        answer = await client.ask(ask(b"POST /private", b"Content-Length: 3", b"Expect: 100-continue"))
        assert answer.status == 401
        assert await client.is_closed()
        other = await gate.once(ask(b"POST /public/a", b"Content-Length: 3", b"Expect: 200-ok"))
        assert other.status == 417


# --- alone ---


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_the_end_is_found_wherever_the_reads_are_cut(step: int) -> None:
    data = b"4\r\n\r\n\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    rest, body, pieces = data + b"GET /next", ChunkedBody(wire_codes.FRAMING), []
    while not body.done:
        part, rest = rest[:step], rest[step:]
        while part and not body.done:
            found, used = body.feed(part)
            pieces += found
            part = part[used:]
        rest = part + rest
    assert (b"".join(pieces), rest, body.taken) == (b"\r\n\r\nabc", b"GET /next", 7)


def test_extensions_are_bounded_in_all() -> None:
    body = ChunkedBody(wire_codes.FRAMING)
    for _ in range(10):
        body.feed(b"1;" + b"x" * 600 + b"\r\na\r\n")
    with pytest.raises(GatewayError):
        body.feed((b"1;" + b"x" * 600 + b"\r\na\r\n") * 10)


def test_we_write_chunks_as_hexadecimal() -> None:
    assert chunk((b"0123456789", b"abcdef")) == b"10\r\n0123456789abcdef\r\n"
