"""Texts that an application compresses although it was asked not to, on real sockets."""

import asyncio
import random
import zlib
from collections import Counter

import pytest

from gateway.proxy.filters.codings import STEP, Undone
from gateway.proxy.pacing import LITTLE
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.proxy.applications import Peer, application
from tests.proxy.filters.test_body_filter import BODIES, HTML, INSIDE, LINES, OUTSIDE, answered, chunked, counted
from tests.proxy.filters.test_codings import CODED, zipped
from tests.proxy.gateways import ask, gateway

GZIP = b"Content-Encoding: gzip\r\n"
IDENTITY = b"Content-Encoding: identity\r\n"
TAKES = b"Accept-Encoding: gzip, deflate, br"
# Compresses to a sixth: many steps for each piece that is read.
LARGE = b"".join(INSIDE + b"%x" % random.Random(7).getrandbits(64) for _ in range(60_000))
LARGE_OUTSIDE = LARGE.replace(INSIDE, OUTSIDE)


@pytest.mark.parametrize(("encoding", "code"), CODED)
@pytest.mark.parametrize("framed", [counted, chunked])
@pytest.mark.parametrize("asked", [(), (TAKES,)], ids=["takes nothing", "takes gzip"])
async def test_it_is_undone_and_comes_plain_whatever_the_client_takes(encoding, code, framed, asked) -> None:
    got = await answered(framed(HTML + LINES + b"Content-Encoding:%b\r\n" % encoding, code(INSIDE)), *asked)
    assert got.body == OUTSIDE
    length = b"Content-Length: %d" % len(OUTSIDE)
    assert got.head == b"HTTP/1.1 200 OK\r\n" + HTML + b'ETag: W/"x"\r\nX-A: 1\r\n' + length + b"\r\n\r\n"


async def test_what_a_page_says_that_it_depends_on_goes_on() -> None:
    got = await answered(counted(HTML + GZIP + b"Vary: Cookie\r\nVary: accept-encoding\r\n", zipped(INSIDE)), TAKES)
    assert got.values(b"Vary") == [b"Cookie", b"accept-encoding"]


@pytest.mark.parametrize("lines", [GZIP + IDENTITY, IDENTITY + GZIP, b"Content-Encoding: gzip, identity\r\n"])
async def test_several_lines_of_codings_are_one_list(lines: bytes) -> None:
    got = await answered(counted(HTML + lines, zipped(INSIDE)))
    assert (got.body, got.values(b"Content-Encoding")) == (OUTSIDE, [])
    got = await answered(counted(HTML + IDENTITY * 2, INSIDE))
    assert got.body == OUTSIDE


async def test_a_head_alone_says_what_a_get_would() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + HTML + GZIP + b"Content-Length: 43\r\n\r\n"
    got = await answered(head, TAKES, method=b"HEAD")
    assert got.head == b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\n"
    got = await answered(b"HTTP/1.1 304 Not Modified\r\n" + GZIP + b'ETag: "x"\r\n\r\n')
    assert got.head == b'HTTP/1.1 304 Not Modified\r\nETag: W/"x"\r\n\r\n'


@pytest.mark.parametrize("framed", [counted, chunked])
async def test_a_large_one_comes_whole_while_others_are_served_by_its_connection(framed) -> None:
    """All of it has come long before it is written: the connection of the application is another's by then."""
    large = framed(HTML + GZIP, zipped(LARGE))
    small = counted(b"", b"ok")
    async with application(large, small, large, small, small) as behind, gateway(behind, app=BODIES) as gate:
        slow, others = await gate.client(), await gate.client()
        for _ in range(2):
            slow.send(ask(b"GET /public/a"))
            await behind.request()
            assert (await others.ask(ask(b"GET /public/b"))).body == b"ok"
            got = await slow.answer()
            assert got.body == LARGE_OUTSIDE
            assert (got.values(b"Content-Encoding"), got.values(b"Transfer-Encoding")) == ([], [b"chunked"])
        assert (await slow.ask(ask(b"GET /public/c"))).body == b"ok"


@pytest.mark.parametrize(
    ("texts", "instead", "body", "framed"),
    [
        ("{ancien: neuf}", b"neuf", INSIDE * 3000, counted),
        ("{ancien: neuf}", b"neuf", INSIDE * 3000, chunked),
        ("{ancien: " + "x" * 1000 + "}", b"x" * 1000, b"ancien" * 3000, chunked),
        ("{ancien: " + "\u00e9" * 1000 + "}", "\u00e9".encode() * 1000, b"ancien" * 160, counted),
    ],
    ids=["counted", "chunked", "grows", "grows at its end"],
)
async def test_invariant_14_no_turn_of_the_loop_undoes_much(
    monkeypatch: pytest.MonkeyPatch, texts: str, instead: bytes, body: bytes, framed
) -> None:
    undone, turn = Counter[int](), [0]
    counting: list[bool] = []

    class CountedUndone(Undone):
        def step(self) -> bytes:
            made = super().step()
            undone[turn[0]] += len(made)
            return made

    def next_turn() -> None:
        turn[0] += 1
        if counting:
            loop.call_soon(next_turn)

    monkeypatch.setattr("gateway.proxy.filters.body_filter.Undone", CountedUndone)
    loop = asyncio.get_running_loop()
    app = BODIES.replace("{ancien: neuf}", texts)
    async with application(framed(HTML + GZIP, zipped(body))) as behind, gateway(behind, app=app) as gate:
        client = await gate.client()
        counting.append(True)
        next_turn()
        got = await client.ask(ask(b"GET /public/a"))
        counting.clear()
    outside = body.replace(INSIDE, OUTSIDE) if INSIDE in body else body.replace(b"ancien", instead)
    assert got.body == outside
    assert sum(undone.values()) == len(body)
    assert max(undone.values()) <= STEP


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_of_what_was_compressed_little_is_read_and_once_in_each_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was read is kept until it is undone. uvloop reads up to thirty times in a turn, as long as all is filled."""
    pieces, turns, turn, read = list[int](), Counter[int](), [0], UpstreamConnection.buffer_updated

    def buffer_updated(self: UpstreamConnection, size: int, held: bytes = b"") -> None:
        pieces.append(size)
        turns[turn[0]] += 1
        read(self, size, held)

    def next_turn() -> None:
        turn[0] += 1
        loop.call_soon(next_turn)

    monkeypatch.setattr(UpstreamConnection, "buffer_updated", buffer_updated)
    loop = asyncio.get_running_loop()
    # Hardly compressed: a piece is undone in one step.
    body = random.Random(7).randbytes(1 << 18).hex().encode()
    async with application(counted(HTML + GZIP, zipped(body))) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        next_turn()
        assert (await client.ask(ask(b"GET /public/a"))).body == body
    assert len(pieces) >= len(zipped(body)) // LITTLE
    assert (max(pieces), max(turns.values())) == (LITTLE, 1)


async def test_what_has_come_can_be_read_before_the_rest_comes() -> None:
    coder = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    first = coder.compress(b"<p>first</p>" + INSIDE + b"<p>") + coder.flush(zlib.Z_SYNC_FLUSH)
    second = coder.compress(b"second</p>") + coder.flush(zlib.Z_SYNC_FLUSH)
    rest = coder.compress(INSIDE) + coder.flush()
    head = b"HTTP/1.1 200 OK\r\n" + HTML + GZIP + b"Transfer-Encoding: chunked\r\n\r\n"
    begun: list[Peer] = []

    def begin(peer: Peer) -> None:
        begun.append(peer)
        peer.transport.write(head + b"%x\r\n%b\r\n" % (len(first), first))

    async with application(begin) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        await client.reader.readuntil(b"\r\n\r\n")

        async def shown() -> bytes:
            size = int(await client.reader.readuntil(b"\r\n"), 16)
            return (await client.reader.readexactly(size + 2))[:-2]

        assert await shown() == b"<p>first</p>" + OUTSIDE + b"<p>"
        for more, seen in ((second, b"second</p>"), (rest, OUTSIDE)):
            begun[0].transport.write(b"%x\r\n%b\r\n" % (len(more), more))
            assert await shown() == seen
        begun[0].transport.write(b"0\r\n\r\n")
        assert await shown() == b""


async def test_a_client_that_leaves_in_the_middle_closes_nobody_elses_connection() -> None:
    large, small = counted(HTML + GZIP, zipped(LARGE)), counted(b"", b"ok")
    async with application(large, small, small) as behind, gateway(behind, app=BODIES) as gate:
        leaves, stays = await gate.client(), await gate.client()
        leaves.send(ask(b"GET /public/a"))
        await leaves.reader.read(1)
        leaves.close()
        for _ in range(2):
            assert (await stays.ask(ask(b"GET /public/b"))).body == b"ok"


@pytest.mark.parametrize(
    "body",
    [b"<p>plain</p>", zipped(INSIDE)[:-9], zipped(INSIDE) + b"x", zlib.compress(INSIDE)],
)
@pytest.mark.parametrize("framed", [counted, chunked])
async def test_what_cannot_be_undone_is_refused_before_anything_is_said(body: bytes, framed) -> None:
    async with application(framed(HTML + GZIP, body)) as behind, gateway(behind, app=BODIES) as gate:
        got = await gate.once(ask(b"GET /public/a"))
        assert got.status == 502
        (line,) = gate.log.named("request.refused")
        assert line["code"] == "upstream.response"
        assert "a compressed text that cannot be rewritten" in str(line["detail"])


@pytest.mark.parametrize("broken", [zipped(LARGE)[:-9], zipped(LARGE)[:-8] + bytes(8)])
@pytest.mark.parametrize("framed", [counted, chunked])
async def test_one_that_breaks_off_in_the_middle_never_looks_whole(broken: bytes, framed) -> None:
    async with application(framed(HTML + GZIP, broken)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        got = await client.rest()
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not got.endswith(b"0\r\n\r\n")


async def test_a_bomb_is_cut_off() -> None:
    bomb = counted(HTML + GZIP, zipped(bytes(24 << 20)))
    async with application(bomb) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        got = await client.rest()
        assert len(got) < 12 << 20
        assert not got.endswith(b"0\r\n\r\n")


async def test_an_application_that_ends_with_its_connection() -> None:
    def send(peer: Peer) -> None:
        peer.transport.write(b"HTTP/1.1 200 OK\r\n" + HTML + GZIP + b"\r\n" + zipped(LARGE))
        peer.transport.close()

    async with application(send, send) as behind, gateway(behind, app=BODIES) as gate:
        assert (await gate.once(ask(b"GET /public/a"))).body == LARGE_OUTSIDE
        old = await gate.once(b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\n\r\n")
        assert old.body == LARGE_OUTSIDE


async def test_it_comes_piece_by_piece() -> None:
    coded = zipped(INSIDE * 40)

    async def send(peer: Peer) -> None:
        for at in range(0, len(coded), 7):
            peer.transport.write(b"%x\r\n%b\r\n" % (len(coded[at : at + 7]), coded[at : at + 7]))
            await asyncio.sleep(0)
        peer.transport.write(b"0\r\n\r\n")

    def begin(peer: Peer) -> object:
        peer.transport.write(b"HTTP/1.1 200 OK\r\n" + HTML + GZIP + b"Transfer-Encoding: chunked\r\n\r\n")
        return asyncio.get_running_loop().create_task(send(peer))

    async with application(begin, begin) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        for _ in range(2):
            assert (await client.ask(ask(b"GET /public/a"))).body == OUTSIDE * 40


async def test_of_a_client_that_reads_nothing_no_more_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is undone waits where it came from."""
    made, step = [], Undone.step

    def seen(undone: Undone) -> bytes:
        made.append(step(undone))
        return made[-1]

    monkeypatch.setattr(Undone, "step", seen)
    coded = zipped(LARGE[: 1 << 20] * 40)
    async with application(counted(HTML + GZIP, coded)) as behind, gateway(behind, app=BODIES) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        await client.reader.readuntil(b"\r\n\r\n")
        before = -1
        while len(made) != before:
            before = len(made)
            await asyncio.sleep(0.3)
        assert sum(map(len, made)) < 12 << 20
        client.close()
