"""One client connection, seen from both of its ends."""

import asyncio

import pytest

from tests.proxy.applications import SOON, application
from tests.proxy.gateways import ask, blot, gateway, reached

PUBLIC = ask(b"GET /public/a")


async def test_a_request_goes_through_byte_for_byte() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /public/a?x=%2F&y=+1", b"Accept: */*", b"X-Odd:  two  blanks "))
        assert answer == (200, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok")
        assert blot(await app.request()) == reached(b"GET /public/a?x=%2F&y=+1", b"Accept: */*", b"X-Odd: two  blanks")


async def test_a_signed_in_request_carries_who_asks() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        await gate.once(ask(b"GET /a", cookie + b"; theme=dark"))
        assert blot(await app.request()) == reached(
            b"GET /a", b"Cookie: CTSESSION=present; theme=dark", injected=(b"X-Remote-User: jdupont",)
        )


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for path in (b"/public/a", b"/public/b", b"/public/b", b"/public/c"):
            assert (await client.ask(ask(b"GET " + path))).status == 200
            assert blot(await app.request()) == reached(b"GET " + path)
        assert len(gate.plane.connections) == 1


async def test_two_people_on_one_connection_are_each_decided_alone() -> None:
    """HR07: the connection says nothing of who asks."""
    other = b"z" * 22 + b"." + b"1" * 43
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        other_cookie = gate.sign_in(other, uid="amartin")
        client = await gate.client()
        client.send(ask(b"GET /a", cookie) + ask(b"GET /a", other_cookie) + ask(b"GET /a") + ask(b"GET /a", cookie))
        assert [(await client.answer()).status for _ in range(4)] == [200, 200, 401, 200]
        users = [request.split(b"X-Remote-User: ")[1].partition(b"\r\n")[0] for request in app.requests]
        assert users == [b"jdupont", b"amartin", b"jdupont"]


@pytest.mark.parametrize("option", [b"close", b"Close", b"keep-alive, close", b"close, x-remote-user"])
async def test_a_client_that_closes_is_told_so_and_closed(option: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a", b"Connection: " + option) + PUBLIC)
        answer = await client.answer()
        assert answer.head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        assert await client.is_closed()
        assert len(app.requests) == 1
        assert b"Connection" not in app.requests[0]


async def test_http_1_0_without_keep_alive_is_closed_after_its_answer() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        answer = await client.ask(b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\n\r\n")
        assert answer.head.endswith(b"\r\nConnection: close\r\n\r\n")
        assert await client.is_closed()
        assert blot(app.requests[0]) == reached(b"GET /public/a")


async def test_http_1_0_with_keep_alive_is_kept() -> None:
    raw = b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\nConnection: keep-alive\r\n\r\n"
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(3):
            answer = await client.ask(raw)
            assert answer.head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"
        assert len(app.requests) == 3


async def test_http_1_0_gets_no_chunks() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    raw = b"GET /public/a HTTP/1.0\r\nHost: permis.localhost\r\nConnection: keep-alive\r\n\r\n"
    async with application(chunked) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(raw)
        assert await client.rest() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"


async def test_a_client_that_goes_away_abandons_the_upstream() -> None:
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await app.request()
        client.close()
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        await gate.until(lambda: not gate.plane.connections)


async def test_a_client_that_goes_away_while_its_answer_streams_abandons_the_upstream() -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc"
    async with application(start) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await client.reader.readuntil(b"abc")
        client.close()
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)


async def test_a_client_that_goes_away_while_it_waits_for_a_connection_is_forgotten() -> None:
    async with gateway(1) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        client.close()
        await gate.until(lambda: not gate.plane.connections)
