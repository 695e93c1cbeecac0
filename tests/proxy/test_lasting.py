"""What streams ends with its session: at its absolute end, at its idle end unless it is used, with its token."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.proxy.client import ClientConnection
from tests.proxy.applications import Peer, application
from tests.proxy.gateways import SIGNED_IN, Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE, NEVER, identity

pytestmark = pytest.mark.slow

STREAM = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbegun"
IDLE, ABSOLUTE = 600.0, 3000.0


@dataclass
class Streaming:
    """One answer that streams, for a seat on the data plane's own clock."""

    gate: Gateway
    connection: ClientConnection
    peer: Peer
    seat: Seat

    @property
    def goes_on(self) -> bool:
        return self.connection.active.under_way

    async def sends_for(self, seconds: int) -> None:
        """A piece each ten seconds."""
        for _ in range(0, seconds, 10):
            before = self.connection.active.upstream
            self.peer.send(b"more")
            await self.gate.until(lambda: True)
            await self.gate.clock.passes(10)
            if self.connection.active.upstream is not before:
                return


@asynccontextmanager
async def streaming(monkeypatch: pytest.MonkeyPatch, app: str = "", cookie: bytes = COOKIE) -> AsyncIterator[Streaming]:
    patient = "timeouts: {body: 1h, total: 10h}\n"
    async with application(STREAM) as behind, gateway(behind, app=app, gateway=patient) as gate:
        for module in ("lasting", "client"):
            monkeypatch.setattr(f"gateway.proxy.{module}.monotonic", gate.clock.time)
        began = gate.clock.time()
        seat = Seat(
            cookie, "permis.localhost", "s", identity(uid="jdupont"), None, IDLE, began + IDLE, began + ABSOLUTE, NEVER
        )
        gate.sessions.hot[COOKIE] = seat
        client = await gate.client()
        client.send(ask(b"GET /a", SIGNED_IN))
        await client.reader.readuntil(b"begun")
        (connection,) = gate.plane.connections
        yield Streaming(gate, connection, behind.peers[0], seat)


def touching(streaming: Streaming) -> Callable[[Seat, float], None]:
    def touch(seat: Seat, now: float) -> None:
        seat.deadline = min(now + seat.idle, seat.hard_deadline)

    return touch


async def test_invariant_12_a_stream_ends_at_the_absolute_end_of_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(monkeypatch) as stream:
        stream.seat.deadline = stream.seat.hard_deadline
        await stream.gate.clock.passes(ABSOLUTE - 1)
        assert stream.goes_on
        await stream.gate.clock.passes(1)
        assert not stream.goes_on
        assert stream.gate.sessions.loads == 0


async def test_invariant_12_a_stream_ends_when_its_seat_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """As stores.sessions.seats shortens it, when the browser has got another."""
    async with streaming(monkeypatch) as stream:
        await stream.gate.clock.passes(60)
        stream.seat.hard_deadline = stream.seat.deadline = stream.gate.clock.time() + 30
        await stream.gate.clock.passes(29)
        assert stream.goes_on
        await stream.gate.clock.passes(1)
        assert not stream.goes_on


@pytest.mark.parametrize("error", [None, GatewayError(store_codes.UNREACHABLE)])
async def test_invariant_12_a_stream_ends_at_the_idle_end_of_its_session_whatever_it_sends(
    monkeypatch: pytest.MonkeyPatch, error: GatewayError | None
) -> None:
    async with streaming(monkeypatch) as stream:
        stream.gate.sessions.error = error
        await stream.sends_for(int(IDLE) - 10)
        assert stream.goes_on
        await stream.sends_for(20)
        await stream.gate.until(lambda: not stream.goes_on)
        assert stream.gate.sessions.loads == 1
        assert stream.gate.sessions.touched == []


async def test_a_stream_goes_on_while_its_session_is_used_in_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(monkeypatch) as stream:
        later = Seat(
            COOKIE, "permis.localhost", "s", stream.seat.identity, None, IDLE, stream.seat.deadline + 300,
            stream.seat.hard_deadline, NEVER,
        )  # fmt: skip
        stream.gate.sessions.cold[COOKIE] = later
        await stream.gate.clock.passes(IDLE + 290)
        assert stream.goes_on
        assert stream.connection.request.seat is later
        stream.gate.sessions.cold.clear()
        await stream.gate.clock.passes(20)
        await stream.gate.until(lambda: not stream.goes_on)


async def test_where_the_file_says_so_its_own_traffic_moves_the_idle_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(monkeypatch, app="session: {streams: last}\n") as stream:
        monkeypatch.setattr(stream.gate.sessions, "touch", touching(stream))
        await stream.sends_for(int(IDLE) + 300)
        assert stream.goes_on
        # Silence is no use.
        await stream.gate.clock.passes(IDLE + 20)
        await stream.gate.until(lambda: not stream.goes_on)


async def test_where_the_file_says_so_its_absolute_end_ends_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(monkeypatch, app="session: {streams: last}\n") as stream:
        monkeypatch.setattr(stream.gate.sessions, "touch", touching(stream))
        await stream.sends_for(int(ABSOLUTE) - 10)
        assert stream.goes_on
        await stream.sends_for(20)
        assert not stream.goes_on


async def test_what_streams_for_a_program_ends_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its seat is looked at anew before; no store knows of it."""
    async with streaming(monkeypatch, cookie=b"") as stream:
        await stream.gate.clock.passes(ABSOLUTE - 1)
        assert stream.goes_on
        await stream.gate.clock.passes(1)
        assert not stream.goes_on
        assert stream.gate.sessions.loads == 0


async def test_what_streams_for_a_program_leaves_its_seat_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no idle limit: to move that by nothing would have each of its calls asked about anew."""
    async with streaming(monkeypatch, app="session: {streams: last}\n", cookie=b"") as stream:
        await stream.sends_for(60)
        assert stream.goes_on
        assert stream.gate.sessions.touched == []
