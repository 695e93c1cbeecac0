"""A WebSocket, once the application has accepted it: two connections, and bytes passed on as they came.

No byte is changed. Only heads of frames are read, so that a Close frame can end the tunnel between two frames:
libraries know it and programs survive it.
"""

import os
from asyncio import Transport
from collections.abc import Callable
from time import monotonic, time
from typing import Final, Literal, NamedTuple, cast

from gateway.model.session import Seat
from gateway.proxy.admission import CountedConnection
from gateway.proxy.lasting import still_allowed
from gateway.proxy.pacing import HEADS, READ, SMALL, PacedReading, PacedTls, let_go, paced
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.proxy.timers import NEVER
from gateway.proxy.upgrade import may_still
from gateway.wire.fences import Fence
from gateway.wire.frames import FrameCounter, close_frame

# Beyond the longest head of a frame, frames are held because there were too many at once.
_HEAD: Final = 14
# Invariant 12: a second in total, of which the earlier steps took a part.
_CLOSES_WITHIN: Final = 0.6
# Seconds for the rest, after both sides have sent Close, or a side is gone.
_LINGERS: Final = 5.0

TunnelEnding = Literal[
    "client", "application", "signed_out", "expired", "denied", "idle", "protocol", "restart", "fault"
]  # fmt: skip


class Farewell(NamedTuple):
    """What the two sides are told. RFC 6455 7.4.1, and IANA's registry for 1012."""

    to_client: int
    to_application: int
    reason: bytes


FAREWELLS: Final[dict[TunnelEnding, Farewell]] = {
    "signed_out": Farewell(1008, 1008, b"signed out"),
    "expired": Farewell(1008, 1008, b"session expired"),
    "denied": Farewell(1008, 1008, b"no longer allowed"),
    "idle": Farewell(1001, 1001, b"idle"),
    "protocol": Farewell(1002, 1002, b"not a frame"),
    "restart": Farewell(1012, 1001, b"service restart"),
    "fault": Farewell(1011, 1001, b""),
}


class TunnelEnd(PacedReading):
    """The connection to one side: its bytes go to `other`, at the pace of `other`. `passed`: the number of bytes
    passed. `shut`: our Close frame went to `other`, and no byte may follow."""

    __slots__ = ("_held", "_tunnel", "counter", "full", "lost", "other", "passed", "shut", "transport")

    first = HEADS

    other: "TunnelEnd"

    def __init__(self, tunnel: "Tunnel", transport: Transport, *, masks: bool) -> None:
        super().__init__()
        self._tunnel = tunnel
        self.transport = transport
        self.counter = FrameCounter(masks=masks)
        self._held = b""
        self.passed = 0
        self.shut = self.full = self.lost = False

    # --- asyncio.BufferedProtocol ---

    def buffer_updated(self, size: int, before: bytes = b"") -> None:
        """`before`: bytes already read from this side."""
        tunnel, counter = self._tunnel, self.counter
        data = before or READ[:size]
        try:
            if self._held or tunnel.ended:
                self._take(self._held + data)
            else:
                end = counter.feed(data)
                if end < size or counter.closed:
                    self._go_on(data, end)
                else:
                    self.passed += end
                    tunnel.deadline = tunnel.timers.now + tunnel.idle
                    self.other.transport.write(data)
            if size >= SMALL or self.view is not HEADS:
                self.size_the_next(size, self.other.transport)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            tunnel.faulted(fault)

    def eof_received(self) -> None:
        """The transport closes itself, and `connection_lost` follows. A WebSocket cannot be half closed. With TLS, a
        half-closed transport would first wait until its bytes are taken, and log the bytes of the other side."""
        if isinstance(self.transport, PacedTls):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._held = b""
        let_go(self.transport)
        self._tunnel.lost(self)

    def forget(self) -> None:
        """Breaks a cycle of references, so that memory is freed at once. Call it when both connections are gone."""
        del self.other, self._tunnel

    def pause_writing(self) -> None:
        self.full = True
        self.other.steer()

    def resume_writing(self) -> None:
        self.full = False
        self.other.steer()

    # --- what is not usual ---

    def _take(self, data: bytes) -> None:
        self._held = b""
        left = self.counter.left
        if self._tunnel.ended and not self.shut and 0 < left < len(data):
            # The frame under way is the last one.
            self._go_on(data[:left], self.counter.feed(data[:left]))
            data = data[left:]
        self._go_on(data, self.counter.feed(data))

    def _go_on(self, data: bytes, end: int) -> None:
        """`end`: the bytes of `data` up to this index may go on."""
        tunnel, counter = self._tunnel, self.counter
        if end and not self.shut:
            self.passed += end
            self.other.transport.write(data[:end])
        if counter.fault:
            tunnel.end("protocol", counter.fault)
        elif not counter.closed:
            self._held = data[end:]
            if len(self._held) > _HEAD:
                # Thousands of frames: other connections need their turn.
                self.steer()
                tunnel.timers.loop.call_soon(self._again)
        if tunnel.ended:
            self.shut_between_frames()
        else:
            tunnel.deadline = tunnel.timers.now + tunnel.idle
        if counter.closed and not counter.left:
            tunnel.closed(self)

    def _again(self) -> None:
        if not self.lost:
            try:
                self._take(self._held)
                self.steer()
            except Exception as fault:  # noqa: BLE001 - the outermost handler
                self._tunnel.faulted(fault)

    def steer(self) -> None:
        """Reads no more than the other side takes."""
        if len(self._held) > _HEAD or (self.other.full and not self.shut):
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def shut_between_frames(self) -> None:
        """Sends a Close frame to the other side, unless this side sent one. Within a frame, the rest of the frame
        goes first."""
        if self.shut or self.counter.left:
            return
        self.shut = True
        if not (self.counter.closed or self.other.lost):
            self.other.transport.write(self._tunnel.farewell(self.other))
        self.steer()


class Tunnel:
    """A tunnel between a client and an application.

    `seat`: the person's; None: nobody signed in.
    `ended`: the reason; empty: open.
    `deadline`: the end of idling; after a Close, the end of the wait for both sides.
    `keeps_session`: the client's data count as use of the session.
    `over`: called when both connections are gone.
    """

    __slots__ = (
        "_is_beyond", "_over", "_counted", "_plane", "_share", "_started", "application", "client", "deadline", "ended",
        "idle", "keeps_session", "request", "timers",
    )  # fmt: skip

    def __init__(
        self,
        plane: Services,
        request: Request,
        counted: CountedConnection,
        is_beyond: Callable[[Fence | None], bool],
        over: "Callable[[Tunnel], None]",
    ) -> None:
        """`counted`: the client's connection, until it leaves at the end. `is_beyond`: whether a fence lets nobody
        through to where the application is."""
        tunnel = request.application.app.tunnel
        assert tunnel is not None
        self._plane = plane
        self._counted = counted
        self._is_beyond = is_beyond
        self._over = over
        self._started = request.started
        self.request = request
        self.idle = tunnel.idle
        self.keeps_session = tunnel.keeps_session
        self.timers = plane.timers
        self.ended: TunnelEnding | Literal[""] = ""
        self.deadline = plane.timers.now + self.idle
        self._share = plane.timers.watch(self)

    def begin(self, client: Transport, application: Transport, came: bytes) -> None:
        """`came`: the application's bytes after its 101. The client already has the 101."""
        room = self._plane.room
        self.client = TunnelEnd(self, paced(client, room), masks=True)
        self.application = TunnelEnd(self, paced(application, room), masks=False)
        self.client.other, self.application.other = self.application, self.client
        for end in (self.client, self.application):
            # Not while it reads: the loop asks how a protocol wants its bytes when reading begins.
            end.transport.pause_reading()
            end.transport.set_protocol(end)
            end.transport.resume_reading()
        if came:
            self.application.buffer_updated(len(came), came)

    @property
    def seat(self) -> Seat | None:
        return self.request.seat

    # --- ends ---

    def end(self, why: TunnelEnding, detail: str = "") -> None:
        """Sends a Close frame to both sides, between two frames, and waits a moment for their Close."""
        if self.ended:
            return
        self.ended = why
        if why == "protocol":
            self._plane.log.event(
                "tunnel.broken",
                app=self.request.lane.name,
                detail=f"a frame with a wrong {detail}",
                request_id=self.request.id.decode("ascii"),
            )
        self.deadline = NEVER
        self.timers.loop.call_later(_CLOSES_WITHIN, self.abort)
        self.client.shut_between_frames()
        self.application.shut_between_frames()

    def farewell(self, to: TunnelEnd) -> bytes:
        said = FAREWELLS[cast(TunnelEnding, self.ended)]
        if to is self.client:
            return close_frame(said.to_client, said.reason)
        return close_frame(said.to_application, said.reason, os.urandom(4))

    def closed(self, end: TunnelEnd) -> None:
        """Called when the side has sent Close. The tunnel is over once each side has sent or received Close."""
        if self.ended and end.other.shut:
            end.transport.close()
        elif end.other.counter.closed and not self.ended:
            # 7.1.1: the server closes; it may need a moment, and no longer.
            self.deadline = self.timers.now + _LINGERS

    def lost(self, end: TunnelEnd) -> None:
        if not self.ended:
            self.ended = "client" if end is self.client else "application"
        if not end.other.lost:
            # The waiting bytes are still sent.
            self.deadline = self.timers.now + _LINGERS
            end.other.transport.close()
            return
        self.timers.forget(self, self._share)
        self._counted.leave()
        self._over(self)
        self.client.forget()
        self.application.forget()
        if self._plane.access_log is not None:
            more = b',"up":%d,"down":%d,"ended":"%b"' % (
                self.client.passed, self.application.passed, self.ended.encode()
            )  # fmt: skip
            self._plane.access_log.line(self.request, 101, time(), monotonic() - self._started, more)

    def abort(self) -> None:
        for end in (self.client, self.application):
            if not end.lost:
                end.transport.abort()

    def expired(self) -> None:
        """From the timers."""
        if self.ended or (self.client.counter.closed and self.application.counter.closed):
            self.abort()
        else:
            self.end("idle")

    def faulted(self, fault: Exception) -> None:
        """The one edge: uvloop refuses a write to a lost connection before it informs the protocol."""
        if not (self.client.transport.is_closing() or self.application.transport.is_closing()):
            self._plane.faulted(fault, self.request.id)
        self.ended = self.ended or "fault"
        self.abort()

    # --- while it lasts ---

    def revalidate(self) -> None:
        """The policy has changed, or the time, or what is known of the person."""
        if self.ended:
            return
        if self.seat is not None and not self.seat.live:
            self.end("signed_out")
        elif not (
            still_allowed(self.request, self, self._plane.tables) and may_still(self.request, self._plane.tables)
        ):
            self.end("denied")

    def is_beyond(self, fence: Fence | None) -> bool:
        return self._is_beyond(fence)
