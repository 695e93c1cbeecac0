"""Bodies that are gathered before the application is asked: a slow upload holds nobody, and comes whole."""

import asyncio
from pathlib import Path

import pytest

from tests.patience import until
from tests.proxy.applications import OK, Peer, application
from tests.proxy.buffers.slow import files_in, idle, slow_client
from tests.proxy.gateways import SIGNED_IN, ask, blot, gateway, reached
from tests.proxy.stand_ins import COOKIE

GATHERED = "buffer: {requests: 8MB}"
LARGE = b"".join(b"%015d\n" % number for number in range(1 << 18))
BUSY = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch"


def settings(tmp_path: Path, more: str = "") -> str:
    return f"buffers: {{folder: {tmp_path}/buffers{more}}}\n"


def post(body: bytes, *lines: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return ask(b"POST /public/a", *lines, b"Content-Length: %d" % size, body=body)


def got(body: bytes, *lines: bytes) -> bytes:
    return reached(b"POST /public/a", *lines, end=b"Content-Length: %d" % len(body), body=body)


def chunks(body: bytes, size: int = 65536) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def test_the_application_hears_nothing_before_the_body_is_here(tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        client.send(post(LARGE[:-1], length=len(LARGE)))
        await until(lambda: gate.plane.buffers.held == len(LARGE) - 1)
        assert (await gate.once(ask(b"GET /public/b"))).body == b"ok", "it is free for others"
        assert len(behind.peers) == 1
        client.send(LARGE[-1:])
        assert (await client.answer()).body == b"ok"
        assert blot(behind.requests[1]) == got(LARGE)
        assert len(behind.peers) == 1
        assert gate.plane.buffers.held == 0
        assert (await client.ask(post(b"small"))).body == b"ok"
        assert (await client.ask(ask(b"GET /public/b"))).body == b"ok"
        assert blot(behind.requests[2]) == got(b"small")
        await until(lambda: not files_in(tmp_path / "buffers"))


@pytest.mark.parametrize("body", [LARGE, b"", b"a"], ids=["large", "empty", "one"])
async def test_what_came_in_chunks_has_its_length(tmp_path: Path, body: bytes) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        raw = ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=chunks(body))
        for at in range(0, len(raw), 500_000):
            client.send(raw[at : at + 500_000])
        assert (await client.answer()).body == b"ok"
        assert blot(behind.requests[0]) == got(body)
        assert (await client.ask(ask(b"GET /public/b"))).body == b"ok"
        assert len(behind.peers) == 1


async def test_what_is_more_than_is_gathered_goes_on_as_it_comes(tmp_path: Path) -> None:
    few = "buffer: {requests: 1MB}"
    async with application(then=None) as behind, gateway(behind, upstream=few, gateway=settings(tmp_path)) as gate:
        counted = await gate.client()
        counted.send(post(LARGE[:-1], length=len(LARGE)))
        await until(lambda: behind.peers and len(behind.peers[0].received) > 2 << 20)
        chunked = await gate.client()
        whole = ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=chunks(LARGE))
        chunked.send(whole[:-5])
        await until(lambda: len(behind.peers) > 1 and len(behind.peers[1].received) > 2 << 20)
        assert b"\r\nTransfer-Encoding: chunked\r\n" in behind.peers[1].received[:2000]
        chunked.send(whole[-5:])
        counted.send(LARGE[-1:])
        await until(lambda: len(behind.requests) == 2)
        first, second = sorted(behind.requests, key=lambda request: b"chunked" in request[:2000])
        assert blot(first) == got(LARGE)
        payload = b"".join(second.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2])
        assert payload == LARGE
        assert gate.plane.buffers.held == 0


async def test_where_there_is_no_room_it_goes_on_as_it_comes(tmp_path: Path) -> None:
    more = settings(tmp_path, ", in_all: 1MB")
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=more) as gate:
        client = await gate.client()
        client.send(post(LARGE[:-1], length=len(LARGE)))
        await until(lambda: behind.peers and len(behind.peers[0].received) > 2 << 20)
        client.send(LARGE[-1:])
        assert (await client.answer()).body == b"ok"
        assert blot(behind.requests[0]) == got(LARGE)


async def test_a_disk_that_takes_nothing_costs_no_byte(tmp_path: Path) -> None:
    (tmp_path / "buffers").write_text("a file")
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        assert (await client.ask(post(LARGE))).body == b"ok"
        assert blot(behind.requests[0]) == got(LARGE)
        assert len(gate.log.named("buffer.failed")) == 1


async def test_an_application_that_takes_it_slowly_or_answers_early(tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        client.send(post(LARGE))
        peer = await behind.peer()
        peer.transport.pause_reading()
        await until(lambda: client.writer.transport.get_write_buffer_size() == 0)
        peer.transport.resume_reading()
        assert (await client.answer()).body == b"ok"
        assert blot(behind.requests[0]) == got(LARGE)

    def early(peer: Peer) -> None:
        peer.transport.pause_reading()
        peer.send(BUSY)

    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        client.send(post(LARGE * 2, length=len(LARGE) * 2))
        early(await behind.peer())
        assert (await client.answer()).status == 413
        await until(lambda: gate.plane.buffers.held == 0)
        assert idle(gate) == 0, "behind half a body no other request goes"
        assert (await client.ask(ask(b"GET /public/b"))).body == b"ok"


async def test_a_client_that_expects_it_is_invited_once(tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        client.send(post(b"", b"Expect: 100-continue", length=4))
        assert (await client.answer()).status == 100
        assert not behind.peers
        client.send(b"body")
        assert (await client.answer()).status == 200
        assert blot(behind.requests[0]) == got(b"body")


@pytest.mark.parametrize(
    "raw",
    [post(b"", length=3 << 20), ask(b"POST /public/a", b"Transfer-Encoding: chunked")],
    ids=["counted", "chunked"],
)
async def test_the_limit_on_bodies_holds(tmp_path: Path, raw: bytes) -> None:
    limits = "limits: {body: 2MB}\n"
    behind = application()
    async with behind as there, gateway(there, upstream=GATHERED, app=limits, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        client.send(raw)
        client.send(chunks(LARGE[: 3 << 20]))
        assert (await client.answer()).status == 413
        assert not there.peers
        await until(lambda: gate.plane.buffers.held == 0)


async def test_of_a_client_that_leaves_the_application_hears_nothing(tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        async with slow_client(gate) as client:
            await client.send(post(LARGE[:-1], length=len(LARGE)))
            await until(lambda: gate.plane.buffers.held == len(LARGE) - 1)
        await until(lambda: not gate.plane.connections)
        await until(lambda: not files_in(tmp_path / "buffers"))
        assert gate.plane.buffers.held == 0
        assert not behind.peers


async def test_a_body_in_bad_chunks_never_comes_there(tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        bad = ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\nZ\r\n")
        assert (await gate.once(bad)).status == 400
        assert not behind.peers
        await until(lambda: gate.plane.buffers.held == 0)


async def test_a_person_who_left_meanwhile_sends_nothing(tmp_path: Path) -> None:
    """Invariant 12: it is judged again when the body is here."""
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(ask(b"POST /a", SIGNED_IN, b"Content-Length: 4", body=b"bo"))
        await until(lambda: gate.plane.buffers.held == 2)
        gate.sessions.hot[COOKIE].live = False
        del gate.sessions.hot[COOKIE]
        client.send(b"dy")
        assert (await client.answer()).status == 401
        assert not behind.peers
        assert gate.plane.buffers.held == 0
        assert (await client.ask(ask(b"GET /public/b"))).body == b"ok"


@pytest.mark.parametrize("lines", [(b"Content-Length: %d" % len(LARGE),), (b"Transfer-Encoding: chunked",)])
async def test_who_left_while_more_was_sent_than_is_gathered_is_led_to_a_sign_in(
    tmp_path: Path, lines: tuple[bytes, ...]
) -> None:
    more = settings(tmp_path, ", in_all: 1MB")
    body = chunks(LARGE) if b"chunked" in lines[0] else LARGE
    navigation = (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document", b"Accept: text/html")
    async with application() as behind, gateway(behind, upstream=GATHERED, gateway=more) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(ask(b"POST /a", SIGNED_IN, *navigation, *lines, body=body[: 1 << 18]))
        await until(lambda: gate.plane.buffers.held > 1 << 17)
        gate.sessions.hot[COOKIE].live = False
        del gate.sessions.hot[COOKIE]
        client.send(body[1 << 18 :])
        answer = await client.answer()
        assert (answer.status, b"\r\nConnection: close\r\n" in answer.head) == (303, True)
        assert not behind.peers
        assert gate.plane.buffers.held == 0


async def test_no_connection_to_it_and_none_that_is_left_half_used(tmp_path: Path) -> None:
    async with application() as behind:
        port = behind.port
    async with gateway(port, upstream=GATHERED, gateway=settings(tmp_path)) as gate:
        client = await gate.client()
        assert (await client.ask(post(LARGE))).status == 502
        assert gate.plane.buffers.held == 0

    def ends(peer: Peer) -> None:
        peer.close()

    async with application(OK, ends, OK) as behind, gateway(behind, upstream=GATHERED) as gate:
        client = await gate.client()
        assert (await client.ask(post(b"one", length=3))).status == 200
        client.send(post(b"", length=3))
        await asyncio.sleep(0)
        client.send(b"two")
        assert (await client.answer()).status == 502, "it may have been heard: it is not sent twice"
        assert (await client.ask(post(b"three"))).status == 200
