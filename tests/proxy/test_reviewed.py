"""What a review of the whole found wrong once, each by the name of its fault."""

import asyncio
import json

import pytest

from gateway.proxy.upstream.pool import Pool
from tests.proxy.applications import OK, SOON, application
from tests.proxy.gateways import ask, gateway

NO_HEAD = b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"


async def test_a_head_that_was_refused_unread_is_in_no_access_line_of_another_request() -> None:
    async with application() as app, gateway(app, gateway="access_log: true\n") as gate:
        assert (await gate.once(NO_HEAD)).status == 400
        client = await gate.client()
        assert (await client.ask(ask(b"GET /public/a"))).status == 200
        assert (await client.ask(NO_HEAD)).status == 400
        assert await client.is_closed()
    lines = [json.loads(line) for line in gate.log.lines]
    assert [(line.get("path"), line["status"]) for line in lines] == [(None, 400), ("/public/a", 200), (None, 400)]


async def test_a_head_that_was_refused_unread_has_an_id_of_its_own() -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(NO_HEAD)
        client = await gate.client()
        await client.ask(ask(b"GET /public/a"))
        await client.ask(NO_HEAD)
        answered = (await app.request()).partition(b"X-Request-Id: ")[2][:32].decode()
    refused = [str(fields["request_id"]) for fields in gate.log.named("request.refused")]
    assert [len(each) for each in refused] == [32, 32]
    assert len({*refused, answered}) == 3


async def test_the_portal_gets_no_header_that_it_does_not_read() -> None:
    odd = (
        b"Sec-WebSocket-Key1: a",
        b"Content-Encoding: gzip",
        b"X-Odd: a",
        b"Accept-Language: fr",
        b"Accept: text/html",
    )
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /_ecluse/session", *odd))
        await gate.once(ask(b"GET /a", *odd))
        assert app.requests == []
    for portal in gate.portal.asked:
        assert portal.call.headers == {b"accept-language": b"fr", b"accept": b"text/html"}
    assert [portal.call.purpose for portal in gate.portal.asked] == ["endpoint", "challenge"]


async def test_a_stream_ends_whose_session_ended_while_it_waited_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Invariant 12."""
    connect, waiting, go_on = Pool._connect, asyncio.Event(), asyncio.Event()

    async def slowly(pool: Pool, waiter: object) -> None:
        waiting.set()
        await go_on.wait()
        await connect(pool, waiter)

    monkeypatch.setattr(Pool, "_connect", slowly)
    stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    async with application(then=stream) as app, gateway(app) as gate:
        cookie = gate.sign_in()
        client = await gate.client()
        client.send(ask(b"GET /a", cookie))
        await waiting.wait()
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        go_on.set()
        peer = await app.peer()
        await app.request()
        await gate.clock.passes(6)
        await asyncio.wait_for(peer.lost.wait(), SOON)
        assert b"data: 1" in await client.rest()


async def test_what_comes_beyond_a_chunked_answer_may_look_like_an_upgrade() -> None:
    beyond = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    async with application(answer + beyond, OK) as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /public/a"))).body == b"x"
        assert (await client.ask(ask(b"GET /public/b"))).body == b"ok"
        assert len(app.peers) == 2, "nobody can say whose these bytes are: that connection was closed"
