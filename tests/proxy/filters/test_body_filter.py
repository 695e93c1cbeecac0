"""Bodies on their way through a filter: framing, heads, pieces, and what goes wrong in the middle."""

import asyncio
import gzip
from collections.abc import Callable

import pytest

from gateway.proxy.upstream.connection import UpstreamConnection
from tests.patience import PATIENCE
from tests.proxy.applications import Peer, application
from tests.proxy.gateways import Answer, ask, gateway

PUBLIC = b"http://permis.localhost:8080"
BODIES = "rewrite: {headers: true, bodies: true, internal: ['http://intranet:8080'], texts: {ancien: neuf}}\n"
INSIDE = b'<a href="http://intranet:8080/a">ancien</a>'
OUTSIDE = b'<a href="' + PUBLIC + b'/a">neuf</a>'
HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def counted(lines: bytes, body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, lines, len(body), body)


def chunked(lines: bytes, *pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\n%bTransfer-Encoding: chunked\r\n\r\n%b%b" % (lines, chunks, end)


async def answered(sent: bytes, *lines: bytes, method: bytes = b"GET", app: str = BODIES) -> Answer:
    """What a browser gets, twice on one connection, where the application sends this."""
    async with application(sent, sent) as behind, gateway(behind, app=app) as gate:
        client = await gate.client()
        first, second = [await client.ask(ask(method + b" /public/a", *lines)) for _ in range(2)]
        assert first == second
        assert len(behind.peers) == 1, "both connections are kept"
        return first


def one_by_one(sent: bytes) -> Callable[[Peer], object]:
    async def send(peer: Peer) -> None:
        for at in range(0, len(sent), 7):
            peer.transport.write(sent[at : at + 7])
            await asyncio.sleep(0)

    return lambda peer: asyncio.get_running_loop().create_task(send(peer))


@pytest.mark.parametrize(
    "sent",
    [counted(HTML, INSIDE), chunked(HTML, INSIDE), chunked(HTML, INSIDE[:20], INSIDE[20:21], INSIDE[21:])],
)  # fmt: skip
async def test_a_body_that_comes_at_once_has_the_length_that_it_then_has(sent: bytes) -> None:
    got = await answered(sent)
    assert got.body == OUTSIDE
    assert got.values(b"Content-Length") == [b"%d" % len(OUTSIDE)]
    assert got.values(b"Transfer-Encoding") == []


@pytest.mark.parametrize("sent", [counted(HTML, INSIDE * 40), chunked(HTML, *[INSIDE[:9], INSIDE[9:]] * 40)])
async def test_a_body_in_pieces_goes_on_in_chunks(sent: bytes) -> None:
    async with application(one_by_one(sent), one_by_one(sent)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        for _ in range(2):
            got = await client.ask(ask(b"GET /public/a"))
            assert got.body == OUTSIDE * 40
            assert (got.values(b"Transfer-Encoding"), got.values(b"Content-Length")) == ([b"chunked"], [])
        assert len(behind.peers) == 1


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("changed", [True, False])
async def test_of_a_body_that_is_changed_little_is_read_at_once(changed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's comment may be nothing but addresses, and each of them is looked at while nobody else has a turn."""
    pieces: list[int] = []
    read = UpstreamConnection.buffer_updated

    def buffer_updated(self: UpstreamConnection, size: int, held: bytes = b"") -> None:
        pieces.append(size)
        read(self, size, held)

    monkeypatch.setattr(UpstreamConnection, "buffer_updated", buffer_updated)
    body = INSIDE * 20_000
    got = await answered(counted(HTML if changed else b"Content-Type: image/png\r\n", body))
    assert got.body == (OUTSIDE * 20_000 if changed else body)
    # What a usual page has comes in one read.
    usual_page = 50 * 1024
    assert (max(pieces) <= usual_page) is changed


async def test_a_body_that_ends_with_its_connection() -> None:
    def send(peer: Peer) -> None:
        peer.transport.write(b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\n" + INSIDE)
        peer.transport.close()

    async with application(send, send) as behind, gateway(behind, app=BODIES) as gate:
        got = await gate.once(ask(b"GET /public/a"))
        assert got.body == OUTSIDE
        old = await gate.once(b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\n\r\n")
        assert old.body == OUTSIDE
        assert old.values(b"Transfer-Encoding") == []


async def test_http_1_0_gets_a_length_or_the_end() -> None:
    for sent in (counted(HTML, INSIDE), one_by_one(counted(HTML, INSIDE * 40))):
        async with application(sent) as behind, gateway(behind, app=BODIES) as gate:
            got = await gate.once(b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\n\r\n")
            assert got.body in (OUTSIDE, OUTSIDE * 40)
            assert got.values(b"Transfer-Encoding") == []


LINES = (
    b'ETag: "x"\r\nContent-MD5: a\r\nDigest: b\r\nRepr-Digest: c\r\nContent-Digest: d\r\nAccept-Ranges: bytes\r\n'
    b"X-A: 1\r\n"
)  # fmt: skip


async def test_what_a_head_says_of_the_bytes_is_true() -> None:
    got = await answered(counted(HTML + LINES, INSIDE))
    length = b"Content-Length: %d" % len(OUTSIDE)
    assert got.head == b"HTTP/1.1 200 OK\r\n" + HTML + b'ETag: W/"x"\r\nX-A: 1\r\n' + length + b"\r\n\r\n"


async def test_a_head_alone_says_no_length() -> None:
    got = await answered(b"HTTP/1.1 200 OK\r\n" + HTML + LINES + b"Content-Length: 43\r\n\r\n", method=b"HEAD")
    assert got.head == b"HTTP/1.1 200 OK\r\n" + HTML + b'ETag: W/"x"\r\nX-A: 1\r\n\r\n'


async def test_a_304_has_the_tag_that_the_page_had() -> None:
    for tag in (b'"x"', b'W/"x"'):
        got = await answered(b"HTTP/1.1 304 Not Modified\r\nETag: " + tag + b"\r\n\r\n")
        assert got.values(b"ETag") == [b'W/"x"']


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (b"Content-Type: image/png\r\n", INSIDE), (b"", INSIDE), (b"Content-Type: text/plain\r\n", INSIDE),
        (b"Content-Type: text/html; charset=utf-16\r\n", INSIDE.decode().encode("utf-16")),
        (b"Content-Type: image/svg\r\nContent-Encoding: gzip\r\n", gzip.compress(INSIDE, mtime=0)),
        (HTML + b"Content-Encoding: x-unknown\r\n", INSIDE), (HTML + b"Content-Encoding: gzip, gzip\r\n", INSIDE),
    ],
)  # fmt: skip
async def test_what_is_no_text_goes_on_byte_for_byte(lines: bytes, body: bytes) -> None:
    got = await answered(counted(lines + b'ETag: "x"\r\nDigest: b\r\nAccept-Ranges: bytes\r\n', body))
    assert got.body == body
    assert (got.values(b"ETag"), got.values(b"Digest"), got.values(b"Accept-Ranges")) == ([b'"x"'], [b"b"], [b"bytes"])
    got = await answered(chunked(lines, body))
    assert (got.body, got.values(b"Transfer-Encoding")) == (body, [b"chunked"])


async def test_an_empty_text() -> None:
    got = await answered(counted(HTML, b""))
    assert (got.body, got.values(b"Content-Length")) == (b"", [b"0"])


async def test_the_application_is_asked_for_it_as_it_is() -> None:
    async with application() as behind, gateway(behind, app=BODIES) as gate:
        lines = (b"Accept-Encoding: gzip, br", b"Range: bytes=0-9", b'If-Range: "x"', b'If-None-Match: W/"x"')
        client = await gate.client()
        for _ in range(2):
            await client.ask(ask(b"GET /public/a", *lines))
            head = (await behind.request()).lower()
            assert b'\r\nrange: bytes=0-9\r\nif-range: "x"\r\n' in head
            assert head.count(b"accept-encoding") == 1
            assert b"\r\naccept-encoding: identity\r\n" in head
            assert b'if-none-match: w/"x"\r\n' in head
        assert gate.plane.tables.lanes[0].stripped == 0


async def test_without_the_switch_the_request_goes_on_as_it_came() -> None:
    async with application() as behind, gateway(behind, app="rewrite: {headers: true}") as gate:
        await gate.once(ask(b"GET /public/a", b"Accept-Encoding: gzip", b"Range: bytes=0-9"))
        assert b"Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n" in await behind.request()


# --- parts ---

RANGE = b"Range: bytes=0-9"
PART = b"206 Partial Content"
OF_A_TEXT = counted(HTML + b"Content-Range: bytes 0-42/99\r\n", INSIDE, PART)
SEVERAL = counted(b"Content-Type: multipart/byteranges; boundary=b\r\n", b"--b\r\n\r\nx\r\n--b--\r\n", PART)


@pytest.mark.parametrize("part", [OF_A_TEXT, SEVERAL, chunked(HTML, INSIDE).replace(b"200 OK", PART)])
async def test_where_a_part_of_a_text_comes_all_of_it_is_asked_for(part: bytes) -> None:
    async with application(part, counted(HTML, INSIDE)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        got = await client.ask(ask(b"GET /public/a", RANGE, b'If-Range: "x"', b"X-A: 1"))
        assert (got.status, got.body, got.values(b"Content-Range")) == (200, OUTSIDE, [])
        first, second = await behind.request(), await behind.request()
        assert b"\r\nRange: bytes=0-9\r\n" in first
        assert second == first.replace(b'\r\nRange: bytes=0-9\r\nIf-Range: "x"', b"")


async def test_a_part_of_anything_else_goes_on_as_it_comes() -> None:
    lines = b'Content-Type: video/mp4\r\nContent-Range: bytes 0-9/99\r\nAccept-Ranges: bytes\r\nETag: "x"\r\n'
    got = await answered(counted(lines, b"0123456789", PART), RANGE)
    assert (got.status, got.body, got.values(b"ETag")) == (206, b"0123456789", [b'"x"'])
    assert (got.values(b"Content-Range"), got.values(b"Accept-Ranges")) == ([b"bytes 0-9/99"], [b"bytes"])


@pytest.mark.parametrize(
    ("request_line", "lines", "answers"),
    [
        (b"GET /public/a", (), [OF_A_TEXT]),
        (b"GET /public/a", (RANGE,), [OF_A_TEXT, OF_A_TEXT]),
        (b"POST /public/a", (RANGE, b"Content-Length: 0"), [OF_A_TEXT]),
        (b"PUT /public/a", (RANGE, b"Content-Length: 2"), [OF_A_TEXT]),
    ],
    ids=["unasked", "again and again", "a post", "with a body"],
)
async def test_a_part_of_a_text_that_cannot_be_asked_for_again_is_refused(
    request_line: bytes, lines: tuple[bytes, ...], answers: list[bytes]
) -> None:
    async with application(*answers) as behind, gateway(behind, app=BODIES) as gate:
        body = b"ab" if b"Content-Length: 2" in lines else b""
        assert (await gate.once(ask(request_line, *lines, body=body))).status == 502
        assert sum(peer.received.count(b" /public/a HTTP/1.1\r\n") for peer in behind.peers) == len(answers)


# --- what goes wrong in the middle ---


def cut(sent: bytes) -> Callable[[Peer], object]:
    async def send(peer: Peer) -> None:
        peer.transport.write(sent)
        await asyncio.sleep(0.05)
        peer.transport.abort()

    return lambda peer: asyncio.get_running_loop().create_task(send(peer))


@pytest.mark.parametrize(
    "sent",
    [
        counted(HTML, INSIDE * 40)[:-5], chunked(HTML, INSIDE, end=b""), chunked(HTML, INSIDE, end=b"5\r\nab"),
    ],
)  # fmt: skip
async def test_half_a_body_never_looks_whole(sent: bytes) -> None:
    async with application(cut(sent)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        got = await client.rest()
        assert b"\r\nTransfer-Encoding: chunked\r\n" in got
        assert not got.endswith(b"0\r\n\r\n")


async def test_a_broken_chunk_before_anything_was_said_is_a_502() -> None:
    sent = b"HTTP/1.1 200 OK\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    async with application(sent) as behind, gateway(behind, app=BODIES) as gate:
        assert (await gate.once(ask(b"GET /public/a"))).status == 502


async def test_a_client_that_leaves_in_the_middle_ends_the_response() -> None:
    async with application(chunked(HTML, INSIDE, end=b"")) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        await client.reader.readuntil(b"\r\n\r\n")
        client.close()
        await asyncio.wait_for((await behind.peer()).lost.wait(), PATIENCE)


async def test_a_body_that_is_sent_and_one_that_is_changed() -> None:
    async with application(counted(HTML, INSIDE)) as behind, gateway(behind, app=BODIES) as gate:
        got = await gate.once(ask(b"POST /public/a", b"Content-Length: 6", body=b"ancien"))
        assert (await behind.request()).endswith(b"\r\n\r\nancien"), "requests go on as they come"
        assert got.body == OUTSIDE


async def test_a_kept_connection_that_was_closed_is_tried_again() -> None:
    sent = counted(HTML, INSIDE)
    async with application(sent, Peer.reset, sent) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        assert [(await client.ask(ask(b"GET /public/a"))).body for _ in range(2)] == [OUTSIDE] * 2


async def test_a_client_that_reads_slowly_slows_the_application_down() -> None:
    """32 MB are sent at once; what the client does not take is not read of the application. Systems keep up to half."""
    body = (b"x" * 999 + b"\n") * 32_000
    async with application(counted(HTML, body)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        peer = await behind.peer()
        await gate.until(lambda: peer.transport.get_write_buffer_size() > 0)
        await asyncio.sleep(0.3)
        assert peer.transport.get_write_buffer_size() > 4_000_000
        client.close()
