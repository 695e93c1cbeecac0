"""What is over is freed at once: whatever waits for the collector instead is frozen by a reload, and stays for ever."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from tests.proxy.applications import Application, Peer, application, closing
from tests.proxy.certificates import authority_pem, client_side, server_side
from tests.proxy.gateways import SIGNED_IN, Client, Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE, identity, seat
from tests.proxy.websocket_ends import OPENING, TUNNEL, sent, taking

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_factories=["uvloop"])]

PUBLIC = ask(b"GET /public/a")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Step = Callable[[Gateway, Application], Awaitable[None]]


@contextmanager
def kept() -> Iterator[list[object]]:
    """What the collector had to free, of whatever was done meanwhile."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += [one for one in gc.garbage if _is_ours(one)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _is_ours(one: object) -> bool:
    if isinstance(one, FrameType):
        return "/gateway/" in one.f_code.co_filename
    return type(one).__module__.startswith(("gateway.", "httptools"))


@asynccontextmanager
async def left(gate: Gateway) -> AsyncIterator[None]:
    """Every connection of this gateway has ended afterwards."""
    try:
        yield
    finally:
        for client in gate.clients:
            client.close()
        gate.clients.clear()
        await gate.until(lambda: not gate.plane.connections)
        for pool in gate.plane._pools._by_app.values():
            for connection in tuple(pool.idle):
                connection.close()
        for _ in range(8):
            await asyncio.sleep(0)


async def is_answered(gate: Gateway, _: Application) -> None:
    client = await gate.client()
    for _ in range(2):
        await client.ask(PUBLIC)


async def leaves_while_it_waits(gate: Gateway, app: Application) -> None:
    app.acts.append(None)
    client = await gate.client()
    client.send(PUBLIC)
    await app.request()


async def half_an_upload(gate: Gateway, app: Application, framing: bytes = b"Content-Length: 100000") -> None:
    client = await gate.client()
    client.send(ask(b"POST /public/a", framing, body=b"5\r\nhello\r\n"))
    await gate.until(lambda: app.received.endswith(b"hello\r\n"))


async def half_an_upload_in_chunks(gate: Gateway, app: Application) -> None:
    await half_an_upload(gate, app, b"Transfer-Encoding: chunked")


async def a_whole_upload_in_chunks(gate: Gateway, _: Application) -> None:
    client = await gate.client()
    await client.ask(ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"))


async def a_bad_chunk(gate: Gateway, _: Application) -> None:
    await (await gate.client()).ask(ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"zz\r\n"))


async def half_a_form_of_ours(gate: Gateway, _: Application) -> None:
    client = await gate.client()
    client.send(ask(b"POST /_ecluse/logout", b"Content-Length: 100", body=b"csrf="))
    await gate.until(lambda: any(one.active.upstream is not None for one in gate.plane.connections))


async def an_answer_in_chunks(gate: Gateway, app: Application) -> None:
    app.acts.append(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
    await (await gate.client()).ask(PUBLIC)


async def half_an_answer(gate: Gateway, app: Application, start: bytes = CHUNKED + b"5\r\nhello\r\n") -> None:
    app.acts.append(start)
    client = await gate.client()
    client.send(PUBLIC)
    await client.reader.readuntil(b"hello")


async def half_a_counted_answer(gate: Gateway, app: Application) -> None:
    await half_an_answer(gate, app, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello")


async def an_answer_that_breaks(gate: Gateway, app: Application) -> None:
    app.acts.append(closing(CHUNKED + b"5\r\nhello\r\n"))
    client = await gate.client()
    client.send(PUBLIC)
    await client.rest()


async def an_odd_answer(gate: Gateway, app: Application) -> None:
    app.acts.append(b"HTTP/9.9 what\r\n\r\n")
    await (await gate.client()).ask(PUBLIC)


async def no_http(gate: Gateway, _: Application) -> None:
    await (await gate.client()).ask(b"what\r\n\r\n")


async def half_a_head(gate: Gateway, _: Application) -> None:
    client = await gate.client()
    client.send(PUBLIC[:30])
    await gate.until(lambda: any(one.reader.ahead for one in gate.plane.connections))


async def is_refused(gate: Gateway, _: Application) -> None:
    for line in (b"GET /private", b"GET /public/%2e%2e/", b"TRACE /"):
        await (await gate.client()).ask(ask(line))


async def a_seat_from_the_store(gate: Gateway, _: Application) -> None:
    gate.sessions.cold[COOKIE] = seat("permis.localhost", identity(uid="jdupont"))
    await (await gate.client()).ask(ask(b"GET /a", SIGNED_IN))


async def no_store(gate: Gateway, _: Application) -> None:
    gate.sessions.error = GatewayError(store_codes.UNREACHABLE)
    await (await gate.client()).ask(ask(b"GET /a", SIGNED_IN))


async def the_portal(gate: Gateway, _: Application) -> None:
    await (await gate.client()).ask(ask(b"GET /_ecluse/session"))


EVERYTHING: list[Step] = [
    is_answered, leaves_while_it_waits, half_an_upload, half_an_upload_in_chunks, a_whole_upload_in_chunks, a_bad_chunk,
    half_a_form_of_ours, an_answer_in_chunks, half_an_answer, half_a_counted_answer, an_answer_that_breaks,
    an_odd_answer, no_http, half_a_head, is_refused, a_seat_from_the_store, no_store, the_portal,
]  # fmt: skip


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("step", EVERYTHING, ids=lambda step: step.__name__)
async def test_what_a_connection_was_is_freed_with_it(step: Step, tls: bool) -> None:
    async with application() as app, gateway(app, tls=server_side() if tls else None) as gate:
        if tls:
            plain = gate.client

            async def client() -> Client:
                return await plain(client_side())

            gate.client = client  # type: ignore[method-assign,assignment]
        with kept() as found:
            async with left(gate):
                await step(gate, app)
        assert found == []


@pytest.mark.parametrize("step", [is_answered, leaves_while_it_waits, half_an_answer], ids=lambda step: step.__name__)
async def test_nor_does_what_a_connection_to_an_application_by_tls_was(step: Step) -> None:
    trusted = {"file:../certs/ca.pem": authority_pem()}
    async with (
        application(tls=server_side()) as app,
        gateway(app, scheme="https", upstream="ca: {file: ../certs/ca.pem}", secrets=trusted) as gate,
    ):
        with kept() as found:
            async with left(gate):
                await step(gate, app)
        assert found == []


@pytest.mark.parametrize("first", ["client", "application"])
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_nor_does_what_a_tunnel_was(first: str, tls: bool) -> None:
    ends: list[Peer] = []
    more = {"scheme": "https", "upstream": "ca: {file: ca.pem}"} if tls else {}
    secrets = {"file:ca.pem": authority_pem()} if tls else None
    async with (
        application(taking(ends.append), tls=server_side() if tls else None) as app,
        gateway(app, app=TUNNEL, tls=server_side() if tls else None, secrets=secrets, **more) as gate,
    ):
        gate.sign_in()
        with kept() as found:
            async with left(gate):
                client = await gate.client(client_side() if tls else None)
                client.send(OPENING)
                assert (await client.answer()).status == 101
                client.send(sent(b"x" * 100_000))
                await gate.until(lambda: app.received.endswith(sent(b"x" * 100_000)))
                if first == "application":
                    ends.pop().close()
                else:
                    client.close()
                await gate.until(lambda: not gate.plane.tunnels)
                ends.clear()
        assert found == []


async def test_an_application_that_is_not_there_leaves_nothing_behind() -> None:
    async with gateway(1) as gate:
        with kept() as found:
            async with left(gate):
                assert (await (await gate.client()).ask(PUBLIC)).status == 502
        assert found == []


@pytest.mark.parametrize("how", ["not there", "another's certificate", "no TLS"])
async def test_nor_does_one_with_which_no_handshake_comes_to_its_end(how: str) -> None:
    trusted = {"file:../certs/ca.pem": authority_pem()}
    async with (
        application(tls=server_side("other.localhost") if how == "another's certificate" else None) as app,
        gateway(
            1 if how == "not there" else app,
            scheme="https",
            upstream="ca: {file: ../certs/ca.pem}",
            app="timeouts: {connect: 1s}\n",
            secrets=trusted,
        ) as gate,
    ):
        with kept() as found:
            async with left(gate):
                assert (await (await gate.client()).ask(PUBLIC)).status == (504 if how == "no TLS" else 502)
        assert found == []
