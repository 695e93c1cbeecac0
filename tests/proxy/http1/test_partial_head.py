"""Limits on a head, however it comes."""

import asyncio

import pytest

from gateway.config.snapshot import Limits
from gateway.model.errors import GatewayError
from gateway.proxy.http1.partial_head import PartialHead, check_size
from tests.proxy.applications import application
from tests.proxy.gateways import Client, ask, gateway

LIMITS = "limits: {url: 100B, headers: 1KB, header_count: 5}\n"


async def in_one_read(client: Client, raw: bytes) -> None:
    client.send(raw)


async def in_pieces(client: Client, raw: bytes) -> None:
    for at in range(0, len(raw), 300):
        client.send(raw[at : at + 300])
        await asyncio.sleep(0.002)


async def byte_by_byte(client: Client, raw: bytes) -> None:
    for at in range(len(raw)):
        client.send(raw[at : at + 1])
        await asyncio.sleep(0)


WAYS = [in_one_read, in_pieces, byte_by_byte]
TARGET = b"/public/" + b"a" * 92


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (ask(b"GET " + TARGET), 200),
        (ask(b"GET " + TARGET + b"a"), 414),
        (ask(b"GET /public/" + b"a" * 5000), 414),
        (ask(b"GET /public/a", b"X-A: " + b"a" * 900), 200),
        (ask(b"GET /public/a", b"X-A: " + b"a" * 1024), 431),
        (ask(b"GET /public/a", b"X-" + b"a" * 1024 + b": a"), 431),
        (ask(b"GET /public/a", b"X-A: " + b"a" * 5000), 431),
        (ask(b"GET /public/a", *[b"X-%d: a" % number for number in range(4)]), 200),
        (ask(b"GET /public/a", *[b"X-%d: a" % number for number in range(5)]), 431),
        (ask(b"GET /public/a", *[b"X: a"] * 5), 431),
        (ask(b"GET /public/a", *[b"Cookie: a=b"] * 60), 431),
    ],
)  # fmt: skip
async def test_url_bytes_and_lines(way: object, raw: bytes, status: int) -> None:
    assert callable(way)
    async with application() as app, gateway(app, gateway=LIMITS) as gate:
        client = await gate.client()
        await way(client, raw)
        assert (await client.answer()).status == status
        assert len(app.requests) == (status == 200)


@pytest.mark.parametrize("before", [b"", ask(b"GET /public/a")])
async def test_many_lines_behind_another_request_are_counted_too(before: bytes) -> None:
    async with application() as app, gateway(app, gateway=LIMITS) as gate:
        client = await gate.client()
        client.send(before + ask(b"GET /public/a", *[b"X-%d: a" % number for number in range(5)]))
        statuses = [(await client.answer()).status for _ in range(1 + bool(before))]
        assert statuses == [*([200] if before else []), 431]


async def test_the_usual_limits_in_one_read() -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(ask(b"GET /public/" + b"a" * 8185))).status == 414
        assert (await gate.once(ask(b"GET /public/" + b"a" * 8100))).status == 200
        assert (await gate.once(ask(b"GET /public/a", *[b"X-%d: a" % n for n in range(100)]))).status == 431
        assert (await gate.once(ask(b"GET /public/a", *[b"X-%d: a" % n for n in range(99)]))).status == 200
        assert (await gate.once(ask(b"GET /public/a", b"X: " + b"a" * 33_000))).status == 431
        assert (await gate.once(ask(b"GET /public/a", b"X: " + b"a" * 32_000))).status == 200


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 405),
        (b"BREW /pot HTTP/1.1\r\n", 405),
        (b"GET /public/a HTTP/1.1\r\nno colon here\r\n", 400),
        (b"GET /public/a HTTP/1.1\r\nHost: a\nX: b\n", 400),
        (b"GET /public/a HTTP/1.1\r\nX\0: b\r\n", 400),
        (b"GET / RTSP/1.0\r\nHost: permis.localhost\r\n\r\n", 400),
    ],
)
async def test_nonsense_is_refused_before_its_end_has_come(start: bytes, status: int) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(start)
        answer = await client.answer()
        assert (answer.status, bool(answer.values(b"Allow"))) == (status, status == 405)
        assert await client.is_closed()


# --- alone ---


def refused(data: bytes, limits: Limits) -> str:
    with pytest.raises(GatewayError) as caught:
        check_size(data, limits)
    return caught.value.code.id


def test_a_head_that_comes_in_one_read_meets_both_limits() -> None:
    limits = Limits(headers_bytes=1000, headers_count=3)
    line = b"GET / HTTP/1.1\r\n"
    check_size(line + b"A: b\r\n" * 3 + b"\r\n", limits)
    assert refused(line + b"A: b\r\n" * 4 + b"\r\n", limits) == "limit.headers"
    check_size(line + b"A: " + b"b" * 980 + b"\r\n\r\n", limits)
    assert refused(line + b"A: " + b"b" * 1000 + b"\r\n\r\n", limits) == "limit.headers"
    assert refused(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", limits) == "limit.url"


def test_a_probe_looks_at_each_byte_once() -> None:
    probe, limits, head = PartialHead(), Limits(), b""
    for piece in (b"GE", b"T /a HT", b"TP/1.1\r\nHos", b"t: a\r\nX: ", b"y"):
        head += piece
        probe.feed(head, limits)
    with pytest.raises(GatewayError) as caught:
        probe.feed(head + b"\r\nX Y: 1\r\n", limits)
    assert caught.value.code.id == "wire.syntax"
