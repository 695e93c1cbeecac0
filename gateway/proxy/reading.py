"""From the bytes of one client connection to whole heads and pieces of bodies, one request at a time.

What is read ahead is one read of the socket: while a request waits for its response, the bytes behind it stay bytes,
and reading is paused.
"""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from time import monotonic
from typing import Final

from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Exchange
from gateway.proxy.http1.bodies import RequestBody
from gateway.proxy.http1.partial_head import PartialHead, check_size
from gateway.proxy.pacing import HEADS, READ, SMALL, PacedTls, for_body
from gateway.proxy.posts.sending import NobodyThere, Sending
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.proxy.timers import NEVER


class ReadState(Enum):
    """What the connection is reading. WAIT: nothing, for the request is read and its response is not yet written.
    LINGER: what the client still sends after its last response, to be thrown away."""

    HEAD = auto()
    BODY = auto()
    WAIT = auto()
    LINGER = auto()
    CLOSED = auto()


# Names of this module: at each use an attribute of the class would be looked up first.
HEAD: Final = ReadState.HEAD
BODY: Final = ReadState.BODY
WAIT: Final = ReadState.WAIT
LINGER: Final = ReadState.LINGER
CLOSED: Final = ReadState.CLOSED

_HEADS_AT_ONCE: Final = 32
_LINGER_SECONDS: Final = 2.0
_LINGER_BYTES: Final = 64 * 1024


class Reading(asyncio.BufferedProtocol):
    """The reading half of a client connection (client.py is the other). `ahead`: what is read and not yet used.
    `upstream`: where the request is. `until`: the end of the whole exchange, however slowly either side goes on.
    `sending`: a kept post that comes in the place of what the socket brings. `view`: where the next piece goes, in
    READ, and so its size. `asks`: a front's questions came here and were allowed."""

    __slots__ = (
        "_lingered", "_probe", "_pumping", "_upload", "ahead", "asks", "body_done", "body_paused", "deadline", "plane",
        "reads", "request", "sending", "state", "transport", "until", "upstream", "view", "write_paused",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, plane: Services) -> None:
        self.plane = plane
        self.view = HEADS
        self.request = Request()
        self.state: ReadState = HEAD
        self.ahead = b""
        self.deadline = NEVER
        self.body_paused = self.write_paused = False
        self.body_done = True
        self._lingered = 0
        self.reads = True
        self.asks = False
        self._pumping = False
        self._probe: PartialHead | None = None
        self._upload: RequestBody | None = None
        self.upstream: Exchange | None = None
        self.until = NEVER
        self.sending: Sending | None = None

    # --- what the other half does with it ---

    @abstractmethod
    def go(self) -> None:
        """`request` is read."""

    @abstractmethod
    def known_question(self, head: bytes) -> bool:
        """Whether `head` is a front's question like one that was allowed; if so, it goes its way."""

    @abstractmethod
    def refuse_unread(self, error: GatewayError, head: bytes) -> None: ...

    @abstractmethod
    def body_failed(self, error: GatewayError) -> None:
        """No more can be taken of a body."""

    @abstractmethod
    def abort(self) -> None: ...

    @abstractmethod
    def faulted(self, fault: Exception) -> None: ...

    # --- reading ---

    @property
    def get_buffer(self) -> partial[memoryview]:
        """The loop calls what this gives before each read: `view`, without a Python call."""
        return partial(getattr, self, "view")

    def eof_received(self) -> None:
        """A client that half-closes is gone: whatever is under way for it is abandoned. The loop's TLS would go on for
        half a minute, throw away what is written meanwhile, and log each piece of it."""
        if self.upstream is not None and isinstance(self.transport, PacedTls):
            self.transport.abort()

    def buffer_updated(self, size: int) -> None:
        self.data_received(READ[:size])

    def data_received(self, data: bytes) -> None:
        try:
            # The usual case: one whole head and nothing else.
            if self.state is not HEAD or self.ahead or not data.endswith(b"\r\n\r\n") or not self._usual_request(data):
                if self.sending is not None:
                    # The connection ends with it: what is sent behind the click is no body.
                    return
                self.ahead = self.ahead + data if self.ahead else data
                self.pump()
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    def pump(self) -> None:
        """Works through the bytes read ahead, as far as the state allows."""
        if self._pumping:
            return
        self._pumping = True
        heads = _HEADS_AT_ONCE
        try:
            while self.ahead and heads:
                if self.state is HEAD:
                    heads -= 1
                    if self.write_paused or not self._take_head():
                        break
                elif self.state is BODY:
                    heads -= 1
                    if self.body_paused or not self._take_body():
                        break
                    if self.ahead and self.state is BODY:
                        # Chunks by the thousand.
                        heads = 0
                elif self.state is LINGER:
                    self._throw_away()
                else:
                    break
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)
        finally:
            self._pumping = False
        if not heads:
            # Others want their turn too.
            self.plane.loop.call_soon(self.pump)
        self.steer(may_read=bool(heads))

    def steer(self, *, may_read: bool = True) -> None:
        """Reads from the socket only what can be worked on, or what tells that the client has gone."""
        if self.state is CLOSED:
            return
        if self.sending is not None:
            self.sending.steer()
            return
        if self.state is HEAD:
            wanted = may_read and not self.write_paused
        elif self.state is BODY:
            wanted = not self.body_paused and not self.ahead
        else:
            wanted = not self.ahead
        if wanted != self.reads:
            self.reads = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def _take_head(self) -> bool:
        data = self.ahead
        if data[0] == 13:
            # RFC 9112 2.2: empty lines before a request are passed over.
            rest = data.lstrip(b"\r\n")
            if not rest:
                # The other half of one may be on its way.
                self.ahead = b"\r" if data.endswith(b"\r") else b""
                return False
            data = self.ahead = rest
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            self._part_of_head(data)
            return False
        self.ahead = data[end:]
        self.head_read(data[:end])
        return True

    def _part_of_head(self, data: bytes) -> None:
        """What is no HTTP or too long is refused before its end has come, and the clock runs from the first byte."""
        if self._probe is None:
            self._probe = PartialHead()
            self.deadline = self.plane.timers.now + self.plane.timeouts.request_head
        try:
            self._probe.feed(data, self.plane.limits)
        except GatewayError as error:
            self.ahead = b""
            self.refuse_unread(error, data)

    def _usual_request(self, head: bytes) -> bool:
        """False, and nothing is done, where `head` is not one whole head in a usual form."""
        plane, request = self.plane, self.request
        request.started = monotonic()
        tables = plane.tables
        if plane.holder.snapshot is not tables.snapshot:
            tables = plane.renew()
        if self.asks and self.known_question(head):
            return True
        try:
            if not request.read_usual(head, tables, plane.usual_head):
                return False
        except GatewayError as error:
            self.refuse_unread(error, head)
        else:
            self.go()
        return True

    def head_read(self, head: bytes) -> None:
        """One whole head in any form."""
        plane, request = self.plane, self.request
        request.started = monotonic()
        self._probe = None
        try:
            tables = plane.renew()
            if not request.read_usual(head, tables, plane.usual_head):
                check_size(head, plane.limits)
                request.read_any(head, tables)
        except GatewayError as error:
            self.refuse_unread(error, head)
        else:
            self.go()

    # --- the body ---

    def begin_body(self, limit: int, *, bare: bool = False) -> bytes:
        """The body follows its head; what has come of it. `limit`: bytes, 0 for none; `bare`: without any framing."""
        if whole := self._whole_body():
            return whole
        upload = RequestBody(self.request.framing, limit, bare=bare)
        self.state, self._upload = BODY, upload
        self.wait(self.request.limits.timeouts.body)
        piece, self.ahead = upload.first_piece(self.ahead)
        if upload.done:
            self._body_read()
        return piece

    def size_body(self, upstream: Exchange) -> None:
        """The next piece is read for what the application takes of it: of one that stands still, little waits here."""
        if self._upload is not None:
            self.view = for_body(self._upload.left, upstream.room())

    def _take_body(self) -> bool:
        """A piece of the body from `ahead`; False where nothing more can be done with it now."""
        upstream, upload = self.upstream, self._upload
        if upstream is None or upload is None or upstream.is_closing():
            return False
        self.wait(self.request.limits.timeouts.body)
        came = len(self.ahead)
        try:
            piece, self.ahead = upload.take(self.ahead)
            if upload.done:
                self._body_read()
            if piece:
                upstream.write(piece)
            if came < SMALL:
                self.view = HEADS
            else:
                self.size_body(upstream)
        except GatewayError as error:
            self.body_failed(error)
            return False
        return True

    def _whole_body(self) -> bytes:
        """A counted body, as most forms are, that has come with its head; b"" where more of it is to come."""
        framing, ahead = self.request.framing, self.ahead
        if not 0 < framing <= len(ahead):
            return b""
        self.ahead = ahead[framing:]
        self.body_done = True
        return ahead[:framing]

    def skip_body(self) -> None:
        """Of a request that goes nowhere: a body that is here already need not cost the connection."""
        if self.state is WAIT and not self.body_done:
            self._whole_body()

    def _body_read(self) -> None:
        self.body_done = True
        self.state, self._upload = WAIT, None
        self.view = HEADS
        self.deadline = self.until
        if self.upstream is not None:
            self.upstream.await_response()

    def pause_body(self) -> None:
        """The upstream takes no more for the moment."""
        self.body_paused = True
        self.steer()

    def resume_body(self) -> None:
        self.body_paused = False
        self.pump()

    def wait(self, seconds: float) -> None:
        """Something has to come of this connection within `seconds`."""
        self.deadline = min(self.plane.timers.now + seconds, self.until)

    # --- a kept post, in the place of what the socket brings ---

    def takes(self) -> bool:
        """Whether a piece of its body could be taken now."""
        return self.state is BODY and not self.body_paused and not self.ahead

    def feed(self, piece: bytes) -> None:
        if self.state is BODY:
            self.ahead = piece
            self.pump()

    def goes_on_alone(self) -> bool:
        """Whether it goes on to its end though the client has left: a second click ends the first one's connection."""
        if self.sending is None or not self.sending.begun or isinstance(self.transport, NobodyThere):
            return False
        self.transport = NobodyThere(self)
        self.write_paused = False
        if self.upstream is not None:
            self.upstream.resume()
        return True

    def sent_on(self) -> None:
        """Its response is written, or will never be."""
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.end()

    # --- nothing more is read ---

    def leave(self) -> None:
        """Closes, but not before the client has had a moment to read: bytes unread here would reset the connection."""
        if self.sending is not None:
            # What the client still sends is nothing to wait for.
            self.body_done = True
            self.sent_on()
        if self.body_done and not self.ahead:
            self.state = CLOSED
            self.transport.close()
            return
        self.state = LINGER
        self.ahead = b""
        self._lingered = 0
        self.deadline = self.plane.timers.now + _LINGER_SECONDS
        if self.transport.can_write_eof():
            # asyncio's own loop says so here where the client has gone.
            with suppress(OSError):
                self.transport.write_eof()
        self.steer()

    def leave_if_idle(self) -> None:
        """The worker drains: what waits for nothing goes now, the others after their response."""
        if self.state is HEAD and not self.ahead and not self.write_paused:
            self.state = CLOSED
            self.transport.close()

    def _throw_away(self) -> None:
        self._lingered += len(self.ahead)
        self.ahead = b""
        if self._lingered > _LINGER_BYTES:
            self.abort()
