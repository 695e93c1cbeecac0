"""What is read of a client connection, and what is not read yet."""

import asyncio
from typing import Any

import pytest

from gateway.model.codes.code import Code
from gateway.model.ports import Page
from tests.proxy.applications import OK, application
from tests.proxy.gateways import ask, blot, gateway, reached
from tests.proxy.stand_ins import Pages

PUBLIC = ask(b"GET /public/a")


async def test_the_same_lines_again_are_read_again_where_it_counts() -> None:
    """Browsers repeat their header lines byte for byte: what was read of them holds, what was decided does not."""
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        client = await gate.client()
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        assert (await client.ask(ask(b"GET /admin/a", cookie))).status == 403
        assert (await client.ask(ask(b"GET /%2e%2e/a", cookie))).status == 400
        client = await gate.client()
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        gate.sessions.revoke(["session-abcd"])
        assert (await client.ask(ask(b"GET /a", cookie))).status == 401
        assert len(app.requests) == 2


async def test_pipelined_requests_are_answered_in_order() -> None:
    slow = [lambda peer: asyncio.get_running_loop().call_later(0.05, peer.send, OK)]
    numbers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(1, 6)]
    async with application(*slow, *numbers) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(b"".join(ask(b"GET /public/%d" % number) for number in range(6)))
        bodies = [(await client.answer()).body for _ in range(6)]
        assert bodies == [b"ok", b"1", b"2", b"3", b"4", b"5"]
        lines = [request.partition(b" HTTP")[0] for request in app.requests]
        assert lines == [b"GET /public/%d" % number for number in range(6)]


@pytest.mark.parametrize(("path", "status"), [(b"/public/a", 200), (b"/a", 401), (b"/_ecluse/session", 303)])
async def test_a_request_right_behind_a_body_is_the_next_and_no_part_of_it(path: bytes, status: int) -> None:
    """All in one piece: a form, as small ones come, and what follows it; forwarded, refused or the portal's."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST " + path, b"Content-Length: 4", body=b"form") + ask(b"GET /public/b"))
        assert (await client.answer()).status == status
        assert (await client.answer()).status == 200
        *forwarded, last = app.requests
        assert blot(last) == reached(b"GET /public/b")
        bodies = [*map(blot, forwarded), *(portal.received for portal in gate.portal.asked)]
        assert [request.partition(b"\r\n\r\n")[2] for request in bodies] == [b"form"] * (status != 401)


async def test_nothing_is_read_ahead_of_the_request_under_way() -> None:
    """A request that may not be: it is refused in its turn, and after it nothing of the connection is read."""
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC + ask(b"GET /public/../admin/") + PUBLIC)
        await app.request()
        assert await client.is_open()
        app.peers[0].send(OK)
        assert (await client.answer()).status == 200
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert len(app.requests) == 1


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n\r\n"])
async def test_a_head_in_pieces_is_the_same_head(before: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        raw = before + PUBLIC
        for at in range(len(raw)):
            client.send(raw[at : at + 1])
            await client.writer.drain()
            await asyncio.sleep(0)
        assert (await client.answer()).status == 200
        assert blot(app.requests[0]) == reached(b"GET /public/a")


async def test_empty_lines_before_a_request_are_passed_over() -> None:
    """RFC 9112 2.2."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for raw in (PUBLIC, b"\r\n" + PUBLIC, b"\r\n\r\n\r\n" + PUBLIC):
            assert (await client.ask(raw)).status == 200
        assert len(app.requests) == 3


class LongPages(Pages):
    def render(self, code: Code, **more: Any) -> Page:
        return Page(code.status, (), bytes(40000))


@pytest.mark.slow
@pytest.mark.parametrize("path", [b"/_ecluse/session", b"/private"])
async def test_a_client_that_reads_nothing_is_not_read_from_either(path: bytes) -> None:
    """Small requests one by one, whose answers are not read, must not pile up answers here."""
    async with application() as app, gateway(app) as gate:
        gate.portal.page = Page(200, (), bytes(40000))
        gate.plane.pages = LongPages()
        client = await gate.client()
        client.writer.transport.pause_reading()
        (connection,) = gate.plane.connections
        for _ in range(800):
            client.send(ask(b"GET " + path))
            await asyncio.sleep(0.0005)
        await gate.until(lambda: connection.write_paused)
        assert connection.transport.get_write_buffer_size() < 1 << 20
        assert app.requests == []
