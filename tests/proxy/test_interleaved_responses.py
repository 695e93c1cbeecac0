"""Many connections share one parser of responses: whatever comes on some of them, in pieces and in any order, hostile
responses among it, each client gets what it would get of a connection with a parser of its own."""

import random
from typing import Final, cast

import pytest

from gateway.proxy.client import ClientConnection
from gateway.proxy.http1.response_head import ResponseHeads
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.proxy.drawn_heads import response
from tests.proxy.remembering import Wire, Worker, in_order

ROUNDS, AT_ONCE = 400, 5
HOSTS: Final = (b"permis.localhost", b"autre.localhost")

OK: Final = b"HTTP/1.1 200 OK\r\n"
HOSTILE: Final = (
    OK + b"Content-Length: 90000\r\n\r\nx",
    OK + b"Content-Length: 5\r\nSet-Cookie: __Host-ecluse=evil\r\n\r\n12345",
    OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 4\r\nX-Other: evil\r\n\r\nevil",
    OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=\"b\";c\r\nok\r\n0\r\nX-Trailer: a\r\nSet-Cookie: a=1\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: gzip\r\n\r\nok",
    OK + b"\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\n\r\nok",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200",
    OK + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok",
    OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
    OK + b"Content-Length: 2\r\n X-Folded: a\r\n\r\nok",
    OK + b"X-A: \x01\r\nContent-Length: 2\r\n\r\nok",
    OK + b"X-A\r\nContent-Length: 2\r\n\r\nok",
    OK + b"X-Endless: " + b"x" * 300,
    OK + b"A: b\nContent-Length: 2\n\nok",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"ICY 200 OK\r\n\r\n",
    b"\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\nhalf",
    b"",
)  # fmt: skip
_INNER: Final = (OK + b"Content-Length: 99\r\nSet-Cookie: a=1\r\n\r\n").ljust(99, b"x")
_OUTER: Final = OK + b"Content-Length: 99\r\nSet-Cookie: __Host-ecluse=evil\r\n\r\n"
# What of one would be of another where a parser is left with it: the values of its lines, the length that it announced.
KIN: Final = (
    tuple(OK + b"Content-Length: 5\r\nSet-Cookie: %b=1\r\n\r\n12345" % name for name in (b"a", b"__Host-ecluse")),
    (OK + b"X-Not-Kept: a\r\nContent-Length: %d\r\n\r\n" % len(_OUTER), _OUTER + _INNER),
)


class Exchange:
    """One request on a client connection and an upstream connection of their own."""

    def __init__(self, worker: Worker, host: bytes, method: bytes, heads: ResponseHeads) -> None:
        plane = worker.plane
        pool = plane.tables.find(host).lane.pool
        assert pool is not None
        place = plane.admission.enter("127.0.0.1", 3)
        assert place is not None
        self.front, self.back = Wire(), Wire()
        self.upstream = UpstreamConnection(pool, plane.timers, heads, plane.room)
        self.upstream.connection_made(self.back)
        self.upstream.used = True
        self.upstream.idle_since = plane.timers.loop.time()
        pool.give(self.upstream)
        self.client: ClientConnection = plane.protocol_factory(tls=False)(place)
        self.client.connection_made(self.front)
        self.client.data_received(b"%b /public/a HTTP/1.1\r\nHost: %b\r\nAccept: */*\r\n\r\n" % (method, host))
        assert self.client.active.upstream is self.upstream

    def came(self, piece: bytes | None) -> None:
        """`piece`: None where the application ends its connection."""
        if self.back.closed:
            return
        if piece is None:
            self.upstream.eof_received()
            self.upstream.connection_lost(None)
            self.back.closed = True
        else:
            self.upstream.data_received(piece)

    def end(self) -> tuple[object, ...]:
        """What the client has got, and whether either connection is kept."""
        seen = in_order(self.front.take()), self.front.closed, self.back.closed
        self.client.connection_lost(None)
        self.upstream.connection_lost(None)
        return seen


def pieces(draw: random.Random, hostile: tuple[bytes, ...]) -> list[bytes | None]:
    whole = draw.choice(hostile) if draw.random() < 0.5 else b"".join(response(draw))
    cuts = sorted({draw.randint(0, len(whole)) for _ in range(draw.choice((0, 0, 1, 2, 5)))})
    parts = [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    return [*[part for part in parts if part], *([None] if draw.random() < 0.3 else [])]


async def compare(draw: random.Random, rounds: int) -> tuple[int, int]:
    """How many responses were compared, and how many of these came whole."""
    worker, shared, whole = Worker("[]", forgets=False), ResponseHeads(), 0
    for _ in range(rounds):
        hostile = draw.choice((HOSTILE, HOSTILE, *KIN))
        methods = draw.choices((b"GET", b"HEAD"), (3, 1), k=AT_ONCE)
        asked = [(draw.choice(HOSTS), method, pieces(draw, hostile)) for method in methods]
        turns = [place for place, (_, _, parts) in enumerate(asked) for _ in parts]
        draw.shuffle(turns)
        together = [Exchange(worker, host, method, shared) for host, method, _ in asked]
        left = [iter(parts) for _, _, parts in asked]
        for place in turns:
            together[place].came(next(left[place]))
        for (host, method, parts), one in zip(asked, together, strict=True):
            got = one.end()
            alone = Exchange(worker, host, method, ResponseHeads())
            for piece in parts:
                alone.came(piece)
            assert got == alone.end(), (host, method, parts, asked, turns)
            whole += not cast(bool, got[2])
    worker.plane.close()
    return rounds * AT_ONCE, whole


async def test_what_comes_on_other_connections_shows_on_none() -> None:
    compared, kept = await compare(random.Random(0), ROUNDS)
    assert kept > compared // 8, "without usual responses this compares nothing"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
async def test_nor_in_20_000_responses(seed: int) -> None:
    await compare(random.Random(seed), 4000)
