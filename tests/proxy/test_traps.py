"""The sixteen traps of two C parsers and two sockets back to back, each of which was once seen to snap."""

import asyncio
import socket

import pytest

from tests.proxy.applications import OK, SOON, application, closing
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import ask, blot, gateway, reached

PUBLIC = ask(b"GET /public/a")
MIB = 1 << 20


@pytest.mark.parametrize("extra", [b"\r\n\r\nevil", b"evil", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])
async def test_trap_01_bytes_after_a_complete_response(extra: bytes) -> None:
    async with application(OK + extra) as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(PUBLIC)).body == b"ok"
        answer = await client.ask(PUBLIC)
        assert (answer.status, answer.body) == (200, b"ok")
        assert len(app.peers) == 2


async def test_trap_01_bytes_on_an_idle_pooled_connection() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        app.peers[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        assert (await client.ask(PUBLIC)).body == b"ok"


@pytest.mark.parametrize(
    "head",
    [
        b"Connection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 2",
        b"X-Hop: 1\r\nContent-Length: 2\r\nConnection: x-hop, keep-alive",
        b"Connection: keep-alive\r\nConnection: X-HOP\r\nX-Hop: 1\r\nContent-Length: 2",
        b"Connection: X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked",
    ],
)
async def test_trap_02_a_connection_token_before_the_header_that_it_names(head: bytes) -> None:
    body = b"2\r\nok\r\n0\r\n\r\n" if b"chunked" in head else b"ok"
    async with application(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n" + head + b"\r\n\r\n" + body) as app, gateway(app) as gate:
        answer = await gate.once(PUBLIC)
        assert (answer.values(b"X-A"), answer.values(b"X-Hop"), answer.values(b"Connection")) == ([b"1"], [], [])
        assert answer.body == b"ok"


async def test_trap_02_a_clients_connection_token_takes_out_its_own_header_and_none_of_ours() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        await gate.once(ask(b"GET /a", b"Connection: X-Hop, X-Remote-User, Host, Cookie", b"X-Hop: 1", cookie))
        assert blot(app.requests[0]) == reached(
            b"GET /a", b"Cookie: CTSESSION=present", injected=(b"X-Remote-User: jdupont",)
        )


async def test_trap_03_trailers_never_become_headers() -> None:
    trailers = b"X-Remote-User: admin\r\nHost: evil\r\nConnection: close\r\nCookie: CTSESSION=1\r\n"
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        chunked = ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n")
        client.send(chunked + PUBLIC)
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert blot(app.requests[0]) == reached(
            b"POST /public/a", end=b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"
        )
        assert blot(app.requests[1]) == reached(b"GET /public/a")


async def test_trap_03_a_trailer_that_would_be_framing_is_refused() -> None:
    async with application(then=None) as app, gateway(app) as gate:
        body = b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=body) + PUBLIC)
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert app.requests == []


async def test_trap_04_the_answer_to_head_does_not_eat_the_next_one() -> None:
    async with application(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n") as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"HEAD /public/a"))).values(b"Content-Length") == [b"50"]
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 1


async def test_trap_05_a_body_that_a_close_ends_does_end() -> None:
    async with application(closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(PUBLIC)).body == b"all of it"
        assert (await client.ask(PUBLIC)).body == b"ok"


async def test_trap_06_keep_alive_is_read_as_it_was_said() -> None:
    closes = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    old = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
    old_kept = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    async with application(closes, old, old_kept, OK) as app, gateway(app) as gate:
        client = await gate.client()
        connections = []
        for _ in range(5):
            assert (await client.ask(PUBLIC)).body == b"ok"
            connections.append(len(app.peers))
        assert connections == [1, 2, 3, 3, 3]


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0"])
async def test_trap_07_an_upgrade_is_refused_and_what_comes_behind_it_is_nothing(protocol: bytes) -> None:
    """Until upgrades are served: a plain request is not what was asked for, and bytes behind it are no request."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        wants = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol, b"HTTP2-Settings: AAM")
        client.send(ask(b"GET /public/a", *wants) + ask(b"GET /public/b"))
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert app.peers == []
        (told,) = gate.log.named("request.refused")
        assert (told["code"], told["app"]) == ("wire.upgrade", "permis")
        assert protocol.decode() in str(told["detail"])
        # Where nobody is let in, the answer is what it is without an upgrade.
        assert (await gate.once(ask(b"GET /a", *wants))).status == 401


@pytest.mark.parametrize("framing", [b"Content-Length: 3", b"Transfer-Encoding: chunked"])
async def test_trap_07_an_upgrade_with_a_body_is_refused(framing: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        wants = (b"Connection: Upgrade", b"Upgrade: h2c", framing)
        assert (await gate.once(ask(b"POST /public/a", *wants, body=b"abc"))).status == 400
        assert app.peers == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /public/a HTTP/2.0\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"GET /public/a HTTP/1.2\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"GET /public/a HTTP/0.9\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"GET /public/a\r\n\r\n", 400),
        (b"GET /public/a\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET  /public/a HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"GET /public/a  HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"CONNECT permis.localhost:80 HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 405),
        (b"TRACE /public/a HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 405),
        (b"get /public/a HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 405),
        (b"PROPFIND /public/a HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 405),
        (b"GET /public/a HTTP/1.1\r\n\r\n", 400),
        (b"GET /public/a HTTP/1.1\r\nHost: permis.localhost\r\nHost: permis.localhost\r\n\r\n", 400),
        (b"GET /public/a HTTP/1.1\nHost: permis.localhost\n\n\r\n\r\n", 400),
        (b"GET http://evil.example/public/a HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 400),
        (ask(b"POST /public/a", b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
        (ask(b"POST /public/a", b"Content-Length: 3", b"Content-Length: 3", body=b"abc"), 400),
        (ask(b"POST /public/a", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 400),
        (b"POST /public/a HTTP/1.0\r\nHost: permis.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (ask(b"GET /public/a", b"X-A: 1", b" folded"), 400),
        (ask(b"GET /public/a", b"X-A : 1"), 400),
    ],
)  # fmt: skip
async def test_trap_08_what_the_parser_lets_pass_is_refused_by_us(raw: bytes, status: int) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(raw + PUBLIC)
        answer = await client.answer()
        assert answer.status == status
        assert answer.values(b"Connection") == [b"close"]
        # RFC 9110 15.5.6: what would be taken.
        accepted = [b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"] if status == 405 else []
        assert answer.values(b"Allow") == accepted
        assert await client.is_closed()
        assert app.peers == []


async def test_trap_08_a_target_in_pieces_is_one_target() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for piece in (b"GET /pub", b"lic/", b"../admin", b"/ HTTP/1.1\r\n", b"Host: permis.localhost\r\n\r\n"):
            client.send(piece)
            await asyncio.sleep(0.005)
        assert (await client.answer()).status == 400
        assert app.peers == []


async def test_trap_09_a_connection_is_given_back_after_its_parser_is_done() -> None:
    """The next request goes out on the connection while the read that ended its last answer is still under way."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC * 100)
        assert [(await client.answer()).body for _ in range(100)] == [b"ok"] * 100
        assert (len(app.peers), len(app.requests)) == (1, 100)


async def test_trap_10_a_paused_connection_is_resumed_before_it_is_pooled() -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (8 * MIB) + bytes(8 * MIB)
    async with application(big) as app, gateway(app) as gate:
        client = await gate.client()
        client.writer.transport.pause_reading()
        client.send(PUBLIC)
        await gate.until(lambda: any(c.active.upstream and c.active.upstream.paused for c in gate.plane.connections))
        client.writer.transport.resume_reading()
        assert len((await client.answer()).body) == 8 * MIB
        for _ in range(3):
            assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", range(300_000, 1_000_000, 100_000))
async def test_trap_10_an_answer_whose_last_read_pauses_the_connection(size: int) -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    async with application(big) as app, gateway(app) as gate:
        late = await gate.client()
        late.writer.transport.pause_reading()
        (connection,) = gate.plane.connections
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        late.send(PUBLIC)
        await asyncio.sleep(0.05)
        client = await gate.client()
        assert (await client.ask(PUBLIC)).body == b"ok"
        late.writer.transport.resume_reading()
        assert len((await late.answer()).body) == size
        assert (await client.ask(PUBLIC)).body == b"ok"


async def test_trap_11_a_body_that_comes_before_the_upstream_connects() -> None:
    async with application() as app, gateway(app) as gate:
        body = bytes(range(256)) * 4096
        answer = await gate.once(ask(b"POST /public/a", b"Content-Length: %d" % len(body), body=body))
        assert answer.status == 200
        assert blot(app.requests[0]) == reached(b"POST /public/a", end=b"Content-Length: %d" % len(body), body=body)


async def test_trap_12_a_head_over_the_limit_in_one_read() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /public/a", *[b"X-%d: %b" % (n, b"x" * 990) for n in range(40)]))
        assert answer.status == 431
        assert app.peers == []


async def test_trap_13_an_answer_before_the_body_is_read_is_not_lost_in_a_reset() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /private", b"Content-Length: 60000", body=bytes(30000)))
        await asyncio.sleep(0.05)
        client.send(bytes(30000))
        assert (await client.answer()).status == 401
        assert await client.is_closed()
        assert app.peers == []


async def test_trap_13_nor_is_the_answer_to_a_head_that_could_not_be_read() -> None:
    """What still comes behind it is thrown away for a moment, for a reset could overtake the answer."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /public/a", b"Content-Length: x"))
        assert (await client.answer()).status == 400
        for _ in range(4):
            client.send(bytes(1000))
            await asyncio.sleep(0.02)
        assert client.reader.exception() is None
        assert await client.is_closed()
        assert app.peers == []


async def test_trap_14_many_ends_of_what_is_never_answered_leave_nothing_behind() -> None:
    async with application(then=None) as app, gateway(app) as gate:
        wants = ask(b"GET /public/events", b"Accept: text/event-stream")
        for number in range(60):
            client = await gate.client()
            client.send(wants)
            peer = await app.peer()
            if number % 3:
                await gate.until(lambda peer=peer: peer.received)
            (peer if number % 2 else client).close()
        await gate.until(lambda: all(peer.lost.is_set() for peer in app.peers))


async def test_trap_15_after_an_upload_over_tls_we_hold_none_of_it() -> None:
    """What the TLS layer keeps of its buffers is not ours to give back; what we have read is."""
    async with application() as app, gateway(app, tls=server_side()) as gate:
        client = await gate.client(client_side())
        answer = await client.ask(ask(b"POST /public/a", b"Content-Length: %d" % MIB, body=bytes(MIB)))
        assert answer.status == 200
        (connection,) = gate.plane.connections
        assert (connection.reader.ahead, connection.active.sent, connection.reader._upload) == (b"", b"", None)
        assert len(app.requests[0]) > MIB


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_trap_16_half_an_answer_is_not_passed_off_as_a_whole_one(half: bytes) -> None:
    async with application(closing(half)) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        got = await client.rest()
        assert got.partition(b"\r\n\r\n")[2] in {b"half", b"4\r\nhalf\r\n"}
