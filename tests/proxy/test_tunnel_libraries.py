"""A WebSocket between two ends that are no work of ours: the library `websockets` as client and as application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from tests.proxy.gateways import HOST, Gateway, gateway
from tests.proxy.stand_ins import COOKIE
from tests.proxy.websocket_ends import TUNNEL

ORIGIN = "http://permis.localhost:8080"
MESSAGES = ["", "é" * 50, b"\x00" * 70_000, "x" * 300_000, b"last"]

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def behind(handler: Handler, compression: str | None = "deflate") -> AsyncIterator[Gateway]:
    async with serve(handler, "127.0.0.1", 0, compression=compression) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with gateway(port, app=TUNNEL) as gate:
            gate.sign_in()
            yield gate


def to(gate: Gateway, path: str = "/ws", cookie: bytes = COOKIE) -> connect:
    cookies = {"Cookie": f"__Host-ecluse={cookie.decode()}"}
    return connect(
        f"ws://{HOST.decode()}{path}", host="127.0.0.1", port=gate.port, origin=ORIGIN, additional_headers=cookies  # type: ignore[arg-type]
    )  # fmt: skip


async def ended(client: ClientConnection) -> ConnectionClosedError:
    """What came before the end is passed over."""

    async def read() -> None:
        async with asyncio.timeout(60):
            while True:
                await client.recv()

    with pytest.raises(ConnectionClosedError) as closed:
        await read()
    return closed.value


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_messages_of_any_size_come_as_they_were_sent(compression: str | None) -> None:
    async def echo(server: ServerConnection) -> None:
        async for message in server:
            await server.send(message)

    async with behind(echo, compression) as gate, to(gate) as client:
        assert bool(client.protocol.extensions) is (compression is not None)
        for message in MESSAGES * 3:
            await client.send(message)
            assert await client.recv() == message
        await (await client.ping(b"there?"))
        await client.send(iter(["in ", "three ", "fragments"]))
        assert await client.recv() == "in three fragments"
        await client.close(1000, "done")
        assert (client.close_code, client.close_reason) == (1000, "done")
        await gate.until(lambda: not gate.plane.tunnels)


async def test_a_sign_out_reaches_both_as_an_orderly_end_and_no_other_person() -> None:
    ends: list[ConnectionClosed] = []

    async def talks(server: ServerConnection) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(server.send("x" * 100_000))
                while True:
                    await server.send(await server.recv())
        except* ConnectionClosed as group_of:
            ends.extend(error for error in group_of.exceptions if isinstance(error, ConnectionClosed))

    async with behind(talks) as gate:
        other = COOKIE[:-1] + b"7"
        gate.sign_in(other)
        gate.sessions.hot[other].session_id = "another"
        async with to(gate) as client, to(gate, cookie=other) as theirs:
            await client.send("hello")
            await client.recv()
            gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
            closed = await ended(client)
            assert closed.rcvd is not None
            assert (closed.rcvd.code, closed.rcvd.reason) == (1008, "signed out")
            await gate.until(lambda: ends)
            assert ends[0].rcvd is not None
            assert (ends[0].rcvd.code, ends[0].rcvd.reason) == (1008, "signed out")
            assert len(await theirs.recv()) == 100_000
            await theirs.send("still there")
            assert await theirs.recv() == "still there"
        with pytest.raises(InvalidStatus) as refused:
            await to(gate)
        assert refused.value.response.status_code == 401
        assert refused.value.response.body == b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"


async def test_an_application_that_refuses_is_heard() -> None:
    async def never(_: ServerConnection) -> None: ...

    async with serve(never, "127.0.0.1", 0, process_request=lambda at, _: at.respond(403, "not you")) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with gateway(port, app=TUNNEL) as gate:
            gate.sign_in()
            with pytest.raises(InvalidStatus) as refused:
                await to(gate)
            assert refused.value.response.status_code == 403
            assert refused.value.response.body == b"not you"


async def test_a_restart_is_told_as_such() -> None:
    async def waits(server: ServerConnection) -> None:
        await server.wait_closed()

    async with behind(waits) as gate, to(gate) as client:
        ending = asyncio.create_task(gate.plane.drain(5))
        closed = await ended(client)
        assert closed.rcvd is not None
        assert (closed.rcvd.code, closed.rcvd.reason) == (1012, "service restart")
        assert await ending == 0
