"""Responses that wait for slow clients: the application is free, and the client gets every byte."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.proxy.buffers.held import IN_MEMORY
from tests.patience import until
from tests.proxy.applications import OK, Act, Application, Peer, application, closing
from tests.proxy.buffers.slow import LARGE, SlowClient, files_in, idle, slow_client
from tests.proxy.certificates import authority_pem, client_side, server_side
from tests.proxy.gateways import SIGNED_IN, Gateway, ask, gateway

# No piece of it is like another one.
BODY = b"".join(b"%015d\n" % number for number in range(LARGE // 16))
GET = ask(b"GET /public/a")
COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (LARGE, BODY)
CHUNKS = b"".join(b"10000\r\n%b\r\n" % BODY[at : at + 65536] for at in range(0, LARGE, 65536)) + b"0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
BUFFERED = "buffer: {responses: 32MB}"


def dechunked(body: bytes) -> bytes:
    found, at = [], 0
    while True:
        line = body.index(b"\r\n", at)
        size = int(body[at:line], 16)
        if not size:
            assert body[line:] == b"\r\n\r\n"
            return b"".join(found)
        found.append(body[line + 2 : line + 2 + size])
        at = line + 4 + size


def folder_for(tmp_path: Path) -> str:
    return f"buffers: {{folder: {tmp_path}/buffers}}\n"


class Here(NamedTuple):
    behind: Application
    gate: Gateway
    slow: SlowClient


@asynccontextmanager
async def here(*acts: Act, settings: str, upstream: str = BUFFERED, app: str = "") -> AsyncIterator[Here]:
    async with (
        application(*acts) as behind,
        gateway(behind, upstream=upstream, gateway=settings, app=app) as gate,
        slow_client(gate) as slow,
    ):
        yield Here(behind, gate, slow)


async def test_a_slow_reader_holds_no_connection_of_the_application(tmp_path: Path) -> None:
    settings = folder_for(tmp_path)
    async with here(COUNTED, settings=settings) as (behind, gate, slow):
        await slow.send(GET)
        await until(lambda: idle(gate) == 1)
        assert (await gate.once(GET)).body == b"ok", "another one is answered meanwhile"
        assert len(behind.peers) == 1, "on the same connection"
        assert (await slow.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await slow.exactly(LARGE) == BODY
        await slow.send(GET)
        assert (await slow.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 OK\r\n")
        await until(lambda: not files_in(tmp_path / "buffers"))
        assert gate.plane.buffers.held == 0


async def test_without_buffers_the_application_waits() -> None:
    async with application(COUNTED) as behind, gateway(behind) as gate, slow_client(gate) as slow:
        await slow.send(GET)
        await until(lambda: any(client.write_paused for client in gate.plane.connections))
        assert idle(gate) == 0
        assert (await slow.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await slow.exactly(LARGE) == BODY
        assert gate.plane.buffers.held == 0


async def test_in_chunks_and_up_to_the_end_of_the_connection(tmp_path: Path) -> None:
    to_the_end = closing(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
    settings = folder_for(tmp_path)
    async with here(CHUNKED, to_the_end, settings=settings) as (behind, gate, slow):
        await slow.send(GET)
        await until(lambda: idle(gate) == 1)
        assert b"\r\nTransfer-Encoding: chunked\r\n" in await slow.until(b"\r\n\r\n")
        assert dechunked(await slow.until(b"\r\n0\r\n\r\n")) == BODY
        await slow.send(GET)
        await until(behind.peers[0].lost.is_set)
        assert b"\r\nTransfer-Encoding: chunked\r\n" in await slow.until(b"\r\n\r\n")
        assert dechunked(await slow.until(b"\r\n0\r\n\r\n")) == BODY


async def test_a_body_that_is_rewritten_waits_as_it_goes_out(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % LARGE
    app = "rewrite: {headers: true, bodies: true, texts: {'000000000000077': neuf}}\n"
    settings = folder_for(tmp_path)
    async with here(head + BODY, settings=settings, app=app) as (_behind, gate, slow):
        await slow.send(GET)
        await until(lambda: idle(gate) == 1)
        await slow.until(b"\r\n\r\n")
        got = dechunked(await slow.until(b"\r\n0\r\n\r\n"))
        assert got == BODY.replace(b"000000000000077", b"neuf")


async def test_by_tls_on_both_sides(tmp_path: Path) -> None:
    upstream, trusted = f"ca: {{file: ../certs/ca.pem}}, {BUFFERED}", {"file:../certs/ca.pem": authority_pem()}
    async with (
        application(COUNTED, tls=server_side()) as behind,
        gateway(
            behind,
            scheme="https",
            upstream=upstream,
            gateway=folder_for(tmp_path),
            secrets=trusted,
            tls=server_side(),
        ) as gate,
    ):
        client = await gate.client(client_side())
        client.send(GET)
        await until(lambda: idle(gate) == 1)
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, BODY)
        assert (await client.ask(GET)).body == b"ok"
        assert gate.plane.buffers.held == 0


async def test_what_waits_on_the_disk_has_no_name_and_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "buffers"
    settings = folder_for(tmp_path)
    async with here(COUNTED, settings=settings) as (_behind, gate, slow):
        await slow.send(GET)
        await until(lambda: idle(gate) == 1)
        await until(lambda: files_in(folder))
        (descriptor,) = files_in(folder)
        await until(lambda: os.fstat(descriptor).st_size > LARGE // 4)
        written = os.pread(descriptor, LARGE, 0)
        assert os.listdir(folder) == []
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not any(b"%015d\n" % number in written for number in range(0, LARGE // 16, 50_000))


async def test_no_more_waits_than_the_file_says(tmp_path: Path) -> None:
    settings = folder_for(tmp_path)
    async with application(COUNTED) as behind:
        bounded = gateway(behind, upstream="buffer: {responses: 1MB}", gateway=settings)
        async with bounded as gate, slow_client(gate) as slow:
            await slow.send(GET)
            await until(lambda: gate.plane.buffers.held >= 1 << 20)
            assert gate.plane.buffers.held < (1 << 20) + (1 << 19)
            assert idle(gate) == 0
            await slow.until(b"\r\n\r\n")
            assert await slow.exactly(LARGE) == BODY
            await until(lambda: idle(gate) == 1)
            assert gate.plane.buffers.held == 0


async def test_no_application_takes_all_the_room(tmp_path: Path) -> None:
    settings = f"buffers: {{folder: {tmp_path}/buffers, in_all: 4MB}}\n"
    async with here(COUNTED, settings=settings) as (_behind, gate, slow):
        await slow.send(GET)
        buffers = gate.plane.buffers
        await until(lambda: buffers.is_full("permis"))
        assert buffers.held < (2 << 20) + (1 << 19)
        assert not buffers.is_full("another")
        await slow.until(b"\r\n\r\n")
        assert await slow.exactly(LARGE) == BODY


async def test_a_disk_that_takes_nothing_costs_no_byte(tmp_path: Path) -> None:
    (tmp_path / "buffers").write_text("a file")
    settings = folder_for(tmp_path)
    async with here(COUNTED, settings=settings) as (_behind, gate, slow):
        await slow.send(GET)
        await until(lambda: gate.log.named("buffer.failed"))
        await until(lambda: gate.plane.buffers.held >= IN_MEMORY)
        assert gate.plane.buffers.held < 4 * IN_MEMORY
        await slow.until(b"\r\n\r\n")
        assert await slow.exactly(LARGE) == BODY
        assert len(gate.log.named("buffer.failed")) == 1


async def test_of_a_client_that_leaves_nothing_stays(tmp_path: Path) -> None:
    settings = folder_for(tmp_path)
    async with here(COUNTED, settings=settings) as (_behind, gate, slow):
        await slow.send(GET)
        await until(lambda: idle(gate) == 1)
        slow.close()
        await until(lambda: not gate.plane.connections)
        await until(lambda: not files_in(tmp_path / "buffers"))
        assert gate.plane.buffers.held == 0


@pytest.mark.parametrize("when", ["while it comes", "once it is here"])
async def test_what_waits_for_a_person_is_cut_with_their_session(tmp_path: Path, when: str) -> None:
    """Invariant 12."""
    sent = COUNTED if when == "once it is here" else COUNTED[:-1]
    settings = folder_for(tmp_path)
    async with application(sent) as behind, gateway(behind, upstream=BUFFERED, gateway=settings) as gate:
        gate.sign_in()
        async with slow_client(gate) as slow:
            await slow.send(ask(b"GET /a", SIGNED_IN))
            await until(lambda: gate.plane.buffers.held > 1 << 20)
            if when == "once it is here":
                await until(lambda: idle(gate) == 1)
            (client,) = gate.plane.connections
            client.request.started -= 6
            assert client.request.seat is not None
            gate.plane.revoked([client.request.seat])
            assert len(await slow.rest()) < LARGE
        await until(lambda: gate.plane.buffers.held == 0)


async def test_half_a_response_is_never_a_whole_one(tmp_path: Path) -> None:
    settings = folder_for(tmp_path)
    for sent in (COUNTED[:-1], CHUNKED[:-5]):
        async with here(closing(sent), settings=settings) as (_, gate, slow):
            await slow.send(GET)
            await until(lambda: gate.log.named("upstream.failed"))
            assert len(await slow.rest()) < LARGE
            assert gate.plane.buffers.held == 0


async def test_responses_without_a_body_and_many_small_ones() -> None:
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    same = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    async with application(empty, same, head) as behind, gateway(behind, upstream=BUFFERED) as gate:
        client = await gate.client()
        assert (await client.ask(GET)).status == 204
        assert (await client.ask(GET)).status == 304
        assert (await client.ask(ask(b"HEAD /public/a"))).values(b"Content-Length") == [b"999"]
        for _ in range(5):
            assert (await client.ask(GET)).body == b"ok"
        assert len(behind.peers) == 1


async def test_events_go_on_at_once() -> None:
    def talk(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")

    async with application(talk) as behind, gateway(behind, upstream=BUFFERED) as gate, slow_client(gate) as slow:
        await slow.send(GET)
        await slow.until(b"data: 1\n\n")
        behind.peers[0].send(b"data: 2\n\n")
        await slow.until(b"data: 2\n\n")


async def test_of_two_requests_at_once_the_second_waits_for_the_first_response(tmp_path: Path) -> None:
    settings = folder_for(tmp_path)
    async with here(COUNTED, OK, settings=settings) as (behind, gate, slow):
        await slow.send(GET + GET)
        await until(lambda: idle(gate) == 1)
        await asyncio.sleep(0)
        assert len(behind.requests) == 1
        await slow.until(b"\r\n\r\n")
        assert await slow.exactly(LARGE) == BODY
        await slow.until(b"\r\n\r\nok")
