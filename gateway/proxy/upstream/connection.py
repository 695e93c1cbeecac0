"""One connection to an application: a response streamed to the client that asked.

Its own state says where in a response it is; the client connection is told only of the end, or of a failure.
"""

import asyncio
from typing import Final, cast

from gateway.config.exchange_limits import Timeouts
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Requester
from gateway.proxy.http1.bodies import LAST_CHUNK, PIECES, SLICE, ChunkedBody, chunk
from gateway.proxy.http1.response_head import ResponseHead, ResponseHeads
from gateway.proxy.pacing import FIRST, READ, SMALL, PacedReading, Room, let_go, paced, room
from gateway.proxy.timers import NEVER, Timers
from gateway.proxy.unread import unread
from gateway.proxy.upstream.state import (
    CLOSED,
    COUNTED,
    HEAD,
    IDLE,
    IDLE_SECONDS,
    IN_CHUNKS,
    TO_END,
    Keeper,
    ResponseState,
)
from gateway.wire.fences import Fence
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.lenient_heads import HEAD_BYTES

_INTERIM: Final = 16


class UpstreamConnection(PacedReading):
    """`client`: set from `send` until the response has ended.
    `bound`: NTLM or Negotiate was used here, so the connection belongs to one client connection.
    `used`: the connection has carried a response before.
    `padded`: sizes of chunks may be padded.
    """

    __slots__ = (
        "_chunks", "_held", "_interim", "_left", "_method", "_room", "_share", "_stuck", "_timeouts", "_timers",
        "bound", "client", "deadline", "heard", "idle_since", "longest_head", "padded", "paused", "pool", "response",
        "state", "transport", "used",
    )  # fmt: skip

    transport: asyncio.Transport
    _method: bytes
    _timeouts: Timeouts

    revalidated: Final = True

    def __init__(self, pool: "Keeper[UpstreamConnection]", timers: Timers, heads: ResponseHeads, room: Room) -> None:
        super().__init__()
        self.client: Requester | None = None
        self._room = room
        self.pool = pool
        self._timers = timers
        self.response = ResponseHead(heads)
        self.state: ResponseState = IDLE
        self.bound = self.used = self.heard = self.paused = self.padded = False
        self.longest_head = HEAD_BYTES
        self.deadline = NEVER
        self.idle_since = 0.0
        self._share = self._left = self._interim = self._stuck = 0
        self._held = b""
        self._chunks: ChunkedBody | None = None

    # --- calls of the client connection ---

    def send(self, client: Requester, data: bytes, method: bytes, timeouts: Timeouts) -> None:
        """A whole head, with the part of the body already here."""
        self.client = client
        self._method = method
        self._timeouts = timeouts
        self.state = HEAD
        self.heard = False
        self._interim = 0
        self.deadline = self._timers.now + timeouts.first_byte
        self.transport.write(data)

    def write(self, piece: bytes) -> None:
        """More of the request's body."""
        self.transport.write(piece)

    def room(self) -> int:
        return room(self.transport)

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def await_response(self) -> None:
        """The request is sent: from here the first byte is awaited."""
        if self.state is HEAD and self.client is not None:
            self.deadline = self._timers.now + self._timeouts.first_byte

    def pause(self) -> None:
        """The client reads more slowly than this server writes."""
        if not self.paused and self.state is not CLOSED:
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.paused and self.state is not CLOSED:
            self.paused = False
            if self._held and self.state is IN_CHUNKS:
                self._timers.loop.call_soon(self._go_on)
            else:
                self.transport.resume_reading()

    def abandon(self) -> None:
        """The client is gone, or must not get the rest: further bytes are discarded."""
        self.client = None
        self.close()

    def close(self) -> None:
        if self.state is not CLOSED:
            self.state = CLOSED
            self.deadline = NEVER
            self.transport.abort()

    def release(self) -> asyncio.Transport:
        """Hands the transport and its callbacks to a tunnel."""
        self._timers.forget(self, self._share)
        self.client, self.state, self.deadline = None, CLOSED, NEVER
        return self.transport

    def drains(self) -> bool:
        """Whether a server that had stopped reading has read bytes since the last call."""
        waiting = unread(self.transport)
        drained, self._stuck = waiting < self._stuck, waiting
        return drained

    def has_moved(self, within: float) -> bool:
        return self.deadline >= self._timers.now + self._timeouts.body - within

    def is_beyond(self, fence: Fence | None) -> bool:
        return self.pool.is_beyond(self, fence)

    def is_free_in(self, pool: object) -> bool:
        return self.state is IDLE and self.pool is pool

    # --- asyncio.BufferedProtocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's classes.
        self.transport = paced(cast(asyncio.Transport, transport), self._room)
        self._share = self._timers.watch(self)

    def buffer_updated(self, size: int, held: bytes = b"") -> None:
        """`held`: bytes read earlier, to be treated as new input."""
        data = held or READ[:size]
        client = self.client
        try:
            if self.state is HEAD:
                self._head(data)
            elif client is None:
                # Bytes outside a response belong to no request.
                self.close()
            elif self.state is COUNTED:
                self._counted(client, data)
            elif self.state is IN_CHUNKS:
                self._in_chunks(client, data)
            elif self.state is TO_END:
                self.deadline = self._timers.now + self._timeouts.body
                client.transport.write(chunk((data,)) if client.chunked_out else data)
        except GatewayError as error:
            self._failed(error)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self._faulted(client, fault)
        if (size > SMALL or self.view is not FIRST) and not held:
            self.size_the_next(size, None if self.client is None else self.client.transport)

    def data_received(self, data: bytes) -> None:
        """Bytes read earlier."""
        self.buffer_updated(len(data), data)
        self.size_the_next(0, None)

    def eof_received(self) -> None:
        """The transport closes itself: connection_lost says the rest."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._timers.forget(self, self._share)
        let_go(self.transport)
        if self.client is None:
            self.pool.forget(self)
        client = self.client
        try:
            self._lost(exc)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self._faulted(client, fault)

    def pause_writing(self) -> None:
        self._stuck = unread(self.transport)
        if self.client is not None:
            self.client.pause_body()

    def resume_writing(self) -> None:
        self._stuck = 0
        if self.client is not None:
            self.client.resume_body()

    def expired(self) -> None:
        """From the timers."""
        client = self.client
        if client is None:
            self.close()
        elif client.write_paused or (self.state is HEAD and not client.body_done):
            # The client reads or sends slowly, within the limits of its own deadline.
            self.deadline = self._timers.now + self._timeouts.body
        else:
            self._failed(
                GatewayError(upstream_codes.TIMEOUT, "no answer" if self.state is HEAD else "the answer stopped")
            )

    # --- the head ---

    def _head(self, data: bytes) -> None:
        client: Requester = self.client  # type: ignore[assignment]
        if self._held:
            data = self._held + data
            self._held = b""
        end = data.find(b"\r\n\r\n") + 4
        if 4 <= end <= self.longest_head and client.take_usual(self.response, data, end):
            # The usual case: exactly one response, or its beginning.
            if left := self.response.left:
                self.heard = True
                self._left, self.state = left, COUNTED
                self.deadline = self._timers.now + self._timeouts.body
            else:
                self._give_back(client)
                client.answered()
            return
        self.heard = True
        if 4 <= end <= self.longest_head:
            self._respond(client, data, end)
        elif len(data) > self.longest_head:
            raise GatewayError(upstream_codes.RESPONSE, "head too long")
        else:
            self._held = data

    def _respond(self, client: Requester, data: bytes, end: int) -> None:
        """Forwards a head that ends at `end`, and the part of the body already here, in one write."""
        response = self.response
        response.read(data[:end], self._method)
        if response.status < 200:
            self._relay_interim(client, data[end:])
            return
        framing = response.framing
        if framing < 0:
            self._relay(client, data, end)
            return
        left = self._left = end + framing - len(data)
        client.transport.write(
            client.response_head(response) + (data[end:] if left >= 0 else data[end : end + framing])
        )
        if left > 0:
            self.state = COUNTED
            self.deadline = self._timers.now + self._timeouts.body
        else:
            self._ended(client, clean=left == 0)

    def _relay_interim(self, client: Requester, rest: bytes) -> None:
        """RFC 9110 15.2: any number of interim responses may precede the response. 100 is ours to send; HTTP/1.0 has
        none.
        """
        response = self.response
        self._interim += 1
        if self._interim > _INTERIM:
            raise GatewayError(upstream_codes.RESPONSE, f"status {response.status} too often")
        if response.status == 101:
            client.switch(response, self, rest)
            return
        if response.status != 100:
            client.interim_response(response)
        if rest:
            self._head(rest)

    def _relay(self, client: Requester, data: bytes, end: int) -> None:
        """Forwards a head without a body, or with a body that delimits itself, with the bytes already here in the same
        write.
        """
        response, rest = self.response, data[end:]
        if response.framing == CHUNKED:
            # Sends the head together with the first chunks: with wrong chunks, the client gets an error page instead.
            self.state, self._chunks = IN_CHUNKS, ChunkedBody(upstream_codes.RESPONSE, padded=self.padded)
            self._in_chunks(client, rest, begin=True)
            return
        head = client.response_head(response)
        if response.framing == NO_BODY:
            client.transport.write(head)
            self._ended(client, clean=not rest)
        else:
            self.deadline = self._timers.now + self._timeouts.body
            self.state = TO_END
            client.transport.write(head + (chunk((rest,)) if rest and client.chunked_out else rest))

    # --- the body ---

    def _counted(self, client: Requester, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            self.deadline = self._timers.now + self._timeouts.body
            client.transport.write(data)
            return
        client.transport.write(data if left == 0 else data[: self._left])
        self._ended(client, clean=left == 0)

    def _in_chunks(self, client: Requester, data: bytes, *, begin: bool = False) -> None:
        chunks = self._chunks
        assert chunks is not None
        self.deadline = self._timers.now + self._timeouts.body
        pieces: list[bytes] = []
        used, more = 0, False
        while used < len(data) and not chunks.done and len(pieces) < PIECES:
            found, more = chunks.feed_all(data[used : used + SLICE])
            pieces += found
            used += SLICE
        head, body = client.response_head(self.response) if begin else b"", b""
        if pieces:
            body = chunk(pieces) if client.chunked_out else b"".join(pieces)
        if chunks.done and client.chunked_out:
            body += LAST_CHUNK
        if head or body:
            client.transport.write(head + body)
        if chunks.done:
            self._chunks = None
            self._ended(client, clean=not more and used >= len(data))
        elif used < len(data):
            # Thousands of chunks: other connections need their turn.
            self._held = data[used:]
            self.transport.pause_reading()
            self._timers.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """With what was read of a chunked body and is held."""
        client = self.client
        if client is None or self.state is not IN_CHUNKS or self.paused or not self._held:
            return
        data, self._held = self._held, b""
        self.data_received(data)
        self._read_on()

    def _read_on(self) -> None:
        """Also where the response has ended: in the pool the connection would stay deaf."""
        if not (self._held or self.paused or self.transport.is_closing()):
            self.transport.resume_reading()

    # --- how it ends ---

    def _ended(self, client: Requester, *, clean: bool) -> None:
        """The response is written. The connection is kept if its request went out whole and no byte came behind it."""
        if clean and self.response.keep_alive and client.body_done:
            self._give_back(client)
        else:
            self.client = None
            self.close()
        client.answered()

    def _give_back(self, client: Requester) -> None:
        self.client = None
        if self.state is CLOSED:
            return
        if self._stuck:
            # The response came before the request was taken: the next request would wait behind the rest of this one.
            self.close()
            return
        self.state = IDLE
        self.used = True
        self.idle_since = now = self._timers.now
        self.deadline = now + IDLE_SECONDS
        if self.paused:
            # In the pool the connection would stay deaf.
            self.resume()
        if self.bound or self.response.binds:
            self.bound = True
            client.bind(self)
        else:
            self.pool.give(self)

    def _failed(self, error: GatewayError) -> None:
        client, self.client = self.client, None
        self.close()
        if client is not None:
            client.upstream_failed(error)

    def _faulted(self, client: Requester | None, fault: Exception) -> None:
        self.client = None
        self.close()
        # uvloop refuses a write to a lost connection even before it has called connection_lost: no fault of ours.
        if client is not None and not client.transport.is_closing():
            client.faulted(fault)

    def _lost(self, exc: Exception | None) -> None:
        state, self.state = self.state, CLOSED
        client, self.client = self.client, None
        if client is None:
            return
        if state is TO_END and exc is None:
            if client.chunked_out:
                client.transport.write(LAST_CHUNK)
            client.answered()
        elif state is HEAD and not self.heard and self.used and client.retry():
            return
        else:
            client.upstream_failed(
                GatewayError(upstream_codes.RESET, "closed " + ("early" if self.heard else "unanswered"))
            )
