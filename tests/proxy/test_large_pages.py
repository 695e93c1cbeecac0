"""Pages of ours that are larger than one write: the files of a design system, which strangers may ask for."""

import asyncio
from typing import cast

import pytest

from gateway.model.ports import Page
from tests.proxy.applications import application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import Client, ask, gateway

PAGE = bytes(range(256)) * (48 << 10)
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


def reads(client: Client, *, now: bool) -> None:
    # uvloop's transports are none of asyncio's classes.
    transport = cast(asyncio.Transport, client.writer.transport)
    if now:
        transport.resume_reading()
    else:
        transport.pause_reading()


@TLS
async def test_a_large_page_waits_whole_for_nobody_and_comes_to_its_end(*, tls: bool) -> None:
    """Kept for each who reads nothing, such pages would fill a worker."""
    async with application() as app, gateway(app, tls=server_side() if tls else None) as gate:
        gate.portal.page = Page(200, (), PAGE)
        client = await gate.client(client_side() if tls else None)
        reads(client, now=False)
        client.send(ask(b"GET /_ecluse/login") + ask(b"GET /_ecluse/session") + ask(b"GET /public/a"))
        await gate.until(lambda: gate.portal.asked)
        (connection,) = gate.plane.connections
        await gate.until(lambda: connection.write_paused)
        assert connection.transport.get_write_buffer_size() < 128 << 10
        assert len(gate.portal.asked) == 1
        reads(client, now=True)
        for _ in range(2):
            got = await client.answer()
            assert (got.status, got.body == PAGE) == (200, True)
        assert (await client.answer()).body == b"ok"


@TLS
async def test_who_leaves_in_the_middle_of_it_is_gone(*, tls: bool) -> None:
    async with application() as app, gateway(app, tls=server_side() if tls else None) as gate:
        gate.portal.page = Page(200, (), PAGE)
        client = await gate.client(client_side() if tls else None)
        reads(client, now=False)
        client.send(ask(b"GET /_ecluse/login"))
        await gate.until(lambda: gate.portal.asked)
        (connection,) = gate.plane.connections
        await gate.until(lambda: connection.write_paused)
        client.close()
        await gate.until(lambda: not gate.plane.connections)


async def test_who_stands_in_the_middle_of_it_is_closed() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = Page(200, (), PAGE)
        client = await gate.client()
        reads(client, now=False)
        client.send(ask(b"GET /_ecluse/login"))
        await gate.until(lambda: gate.portal.asked)
        (connection,) = gate.plane.connections
        await gate.until(lambda: connection.write_paused)
        await gate.clock.passes(3600)
        await gate.until(lambda: not gate.plane.connections)


async def test_only_the_head_of_it_and_to_an_old_client_its_end() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = Page(200, (), PAGE)
        client = await gate.client()
        client.send(ask(b"HEAD /_ecluse/login"))
        assert (await client.answer(head_only=True)).values(b"Content-Length") == [b"%d" % len(PAGE)]
        client.send(ask(b"GET /_ecluse/login").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (await client.answer()).body == PAGE
        assert await client.is_closed()
