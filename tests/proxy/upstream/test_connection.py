"""How an application answers, breaks off or says too much, and what the client gets of it."""

import asyncio

import pytest

from gateway.proxy.reader import HEAD
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.proxy.applications import OK, SOON, Peer, application, closing
from tests.proxy.gateways import Client, ask, blot, gateway, reached

PUBLIC = ask(b"GET /public/a")
KEPT = b"Connection: keep-alive\r\n"


async def relayed(answer: bytes, raw: bytes = PUBLIC, *, close: bool = False) -> tuple[bytes, bool]:
    """What a client gets of one answer, byte for byte, and whether its connection is kept after it."""
    async with application(closing(answer) if close else answer) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(raw)
        await app.request()
        await gate.until(lambda: not any(c.active.upstream for c in gate.plane.connections))
        kept = any(c.reader.state is HEAD for c in gate.plane.connections)
        if kept:
            client.send(ask(b"OPTIONS /_ecluse/end"))
        got = await client.reader.readuntil(b"HTTP/1.1 303 ") if kept else await client.rest()
        return got.removesuffix(b"HTTP/1.1 303 "), kept


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        (OK, OK),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\nx"),
        (b"HTTP/1.1 404\r\n" + KEPT + b"Content-Length: 1\r\n\r\nx", b"HTTP/1.1 404\r\nContent-Length: 1\r\n\r\nx"),
        (b"HTTP/1.1 200 OK\r\n" + KEPT + b"Content-Length: 2\r\n\r\nok", OK),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok", OK),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", OK),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", OK),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (
            b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 500\r\n\r\n',
            b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 500\r\n\r\n',
        ),
    ],
)  # fmt: skip
async def test_an_answer_whose_end_is_known_keeps_the_connection(sent: bytes, got: bytes) -> None:
    assert await relayed(sent) == (got, True)


@pytest.mark.parametrize("status", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK"])
async def test_a_body_that_only_a_close_ends_is_put_into_chunks(status: bytes) -> None:
    got, kept = await relayed(status + b"\r\nX-A: 1\r\n\r\nabcde", close=True)
    assert got.startswith(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert got.endswith(b"5\r\nabcde\r\n0\r\n\r\n")
    assert kept


async def test_an_answer_that_comes_byte_by_byte() -> None:
    def drip(peer: Peer) -> None:
        async def bytes_one_by_one() -> None:
            for at in range(len(OK)):
                peer.send(OK[at : at + 1])
                await asyncio.sleep(0.001)

        asyncio.get_running_loop().create_task(bytes_one_by_one())

    async with application(drip) as app, gateway(app) as gate:
        answer = await gate.once(PUBLIC)
        assert (answer.head, answer.body) == (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok")


# --- answers without a body ---


@pytest.mark.parametrize("framing", [b"Content-Length: 4711", b"Transfer-Encoding: chunked", b"X-None: 1"])
async def test_the_answer_to_head_has_no_body_whatever_it_says(framing: bytes) -> None:
    async with application(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n") as app, gateway(app) as gate:
        client = await gate.client()
        first = await client.ask(ask(b"HEAD /public/a"))
        assert first.status == 200
        assert first.values(b"Content-Length") == ([b"4711"] if framing.startswith(b"Content") else [])
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 1


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (ask(b"HEAD /public/a"), OK),
        (PUBLIC, b"HTTP/1.1 204 No Content\r\n\r\nbody"),
        (PUBLIC, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody"),
        (PUBLIC, OK + b"X"),
        (PUBLIC, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX"),
        (PUBLIC, OK + OK),
    ],
)
async def test_bytes_after_an_answer_reach_nobody_and_end_the_connection(raw: bytes, sent: bytes) -> None:
    async with application(OK, sent) as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        first = await client.ask(raw)
        assert first.status in {200, 204, 304}
        assert first.body in {b"", b"ok"}
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 2


# --- interim answers ---


async def test_early_hints_go_on_and_the_100_of_the_application_does_not() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    async with application(hints + b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        assert await client.reader.readexactly(len(hints * 2 + OK)) == hints * 2 + OK
        assert await client.is_open()


async def test_http_1_0_gets_no_interim_answer() -> None:
    async with application(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK) as app, gateway(app) as gate:
        answer = await gate.once(b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\n\r\n")
        assert answer.status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 17 + OK,
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Endless: " + b"x" * 70_000,
        # A wrong chunk that comes with the head: nothing was said yet.
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    ],
)  # fmt: skip
async def test_an_answer_of_an_odd_form_is_a_502_and_none_of_it_goes_on(sent: bytes) -> None:
    """HR12."""
    async with application(sent) as app, gateway(app) as gate:
        client = await gate.client()
        answers = [await client.ask(PUBLIC)]
        while answers[-1].status == 102:
            answers.append(await client.answer())
        assert answers[-1].status == 502
        assert answers[-1].body.startswith(b"upstream.response")
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 2


# --- early answers, early ends ---


async def upload_begun(client: Client, length: int = 100_000) -> None:
    client.send(ask(b"POST /public/a", b"Content-Length: %d" % length, body=b"begin"))


async def test_an_answer_before_the_end_of_the_body_is_the_answer() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await upload_begun(client)
        peer = await app.peer()
        await gate.until(lambda: peer.received.endswith(b"begin"))
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        got = await client.rest()
        assert got == b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
        await asyncio.wait_for(peer.lost.wait(), SOON)


@pytest.mark.parametrize("takes_it", [False, True])
async def test_an_answer_before_the_request_was_taken_ends_the_connection(takes_it: bool) -> None:
    """The next one's request would wait behind what the application has not taken, without a bound."""
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        peer = await app.peer()
        await gate.until(lambda: peer.received.endswith(b"\r\n\r\n"))
        (connection,) = gate.plane.connections
        upstream = connection.active.upstream
        assert isinstance(upstream, UpstreamConnection)
        # As the loop calls it where the kernel takes no more.
        upstream._stuck = 1
        if takes_it:
            upstream.resume_writing()
        peer.send(OK)
        assert (await client.answer()).status == 200
        if not takes_it:
            await asyncio.wait_for(peer.lost.wait(), SOON)
        await client.ask(PUBLIC)
        assert len(app.peers) == 2 - takes_it


@pytest.mark.parametrize("before", [0, 1])
async def test_after_an_early_answer_the_rest_of_the_body_is_no_request(before: int) -> None:
    """Also where such an answer is known, so that it would go on as it came."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(before):
            await client.ask(PUBLIC)
        await upload_begun(client, 300)
        peer = await app.peer()
        await gate.until(lambda: peer.received.endswith(b"begin"))
        peer.send(OK)
        assert (await client.answer()).values(b"Connection") == [b"close"]
        client.send(PUBLIC * 3)
        assert await client.is_closed()
        assert app.received.count(b"GET ") == before


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_a_close_before_the_answer_is_a_502(said: bytes) -> None:
    async with application(closing(said)) as app, gateway(app) as gate:
        client = await gate.client()
        answer = await client.ask(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (502, b"upstream.reset")
        assert (await client.ask(PUBLIC)).status == 200
        assert [event["code"] for event in gate.log.named("upstream.failed")] == ["upstream.reset"]


async def test_a_close_during_the_upload_is_a_502() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await upload_begun(client)
        peer = await app.peer()
        await gate.until(lambda: peer.received.endswith(b"begin"))
        peer.reset()
        answer = await client.answer()
        assert answer.status == 502
        assert await client.is_closed()


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    ],
)
async def test_a_close_during_the_answer_breaks_the_client_off_too(half: bytes) -> None:
    async with application(closing(half)) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        got = await client.rest()
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not got.endswith(b"0\r\n\r\n")


async def test_a_reset_is_no_end_of_a_body_that_a_close_ends() -> None:
    async with application(b"HTTP/1.1 200 OK\r\n\r\nhalf") as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await client.reader.readuntil(b"half")
        app.peers[0].reset()
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


async def test_a_malformed_chunk_breaks_off() -> None:
    async with (
        application(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n") as app,
        gateway(app) as gate,
    ):
        client = await gate.client()
        client.send(PUBLIC)
        await client.reader.readuntil(b"ok\r\n")
        app.peers[0].send(b"zz\r\n")
        assert b"0\r\n\r\n" not in await client.rest()


async def test_an_application_that_is_not_there_is_a_502() -> None:
    async with application() as app:
        port = app.port
    async with gateway(port) as gate:
        client = await gate.client()
        answer = await client.ask(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (502, b"upstream.connect")
        assert b"127.0.0.1" not in answer.body
        assert "127.0.0.1" in str(gate.log.named("upstream.failed")[0]["detail"])
        assert await client.is_open()


async def test_head_and_body_that_come_together_go_on_in_one_write() -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"POST /public/a", b"Content-Length: 3", body=b"abc"))
        assert blot(app.requests[0]) == reached(b"POST /public/a", end=b"Content-Length: 3", body=b"abc")


async def test_early_hints_are_counted_per_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with application(then=hints + OK) as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(20):
            assert (await client.ask(ask(b"GET /public/a"))).status == 103
            assert (await client.answer()).status == 200
