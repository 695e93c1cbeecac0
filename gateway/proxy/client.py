"""One client connection: reads requests one at a time, and sees each through to its answer.

In the order of a request: reading.py, then walk.py up to `send`; then response_head and answered, which the upstream
connection calls.
"""

import asyncio
from time import monotonic, time
from typing import TYPE_CHECKING, Final, cast

from gateway.access.outcome import Refuse
from gateway.access.pipeline import outcome_of
from gateway.model.codes import GATEWAY_FAULT, LIMIT_REQUEST_TIME, UPSTREAM_TIMEOUT
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy import walk
from gateway.proxy.admission import Place
from gateway.proxy.answer import answer, answer_unread
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.http1.bodies import RequestBody
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.lasting import Lasting
from gateway.proxy.memo import Memo
from gateway.proxy.reading import BODY, CLOSED, HEAD, LINGER, WAIT
from gateway.proxy.refusals import head_refusal, refusal, seen_in, to_https
from gateway.proxy.timers import NEVER
from gateway.proxy.unread import unread
from gateway.wire.framing import NO_CONTENT

if TYPE_CHECKING:
    from gateway.proxy.dataplane import DataPlane

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# Of who takes nothing more, so much stays here, and what the loop reads of an answer at once.
_BUFFER: Final = 32 * 1024


class ClientConnection(Lasting):
    """`answering`: the head of the answer is written, so that nothing else can be said but by closing. `until`: the end
    of the whole exchange, however slowly either side goes on."""

    __slots__ = (
        "_place", "_scheme", "_share", "_stuck", "answering", "bound", "chunked_out", "keep",
        "memo", "pending", "redirects", "retried", "status", "until", "upload",
    )  # fmt: skip

    memo: Memo

    def __init__(self, plane: "DataPlane", scheme: str, place: Place, *, redirects: bool = False) -> None:
        """`scheme`: of the listener, "http" or "https"; `redirects`: it leads to https. `place`: given back when the
        connection is lost."""
        super().__init__(plane)
        self._place = place
        self._scheme = scheme
        self.redirects = redirects
        self.bound: ServerConnection | None = None
        self.pending = b""
        self.answering = self.retried = self.chunked_out = False
        self.keep = True
        self.status = 0
        self.upload: RequestBody | None = None
        self.until = NEVER
        self._stuck = self._share = 0

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        transport = cast(asyncio.Transport, transport)
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.memo = Memo(peer[0] if isinstance(peer, tuple) else "unknown", self._scheme)
        self.request.client = self.memo.peer
        transport.set_write_buffer_limits(high=_BUFFER)
        self._share = self.plane.timers.watch(self)
        self.deadline = self.plane.timers.now + self.plane.timeouts.request_head
        self.plane.opened(self)

    def eof_received(self) -> None:
        """A client that half-closes is gone: whatever is under way for it is abandoned."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.state = CLOSED
        self.deadline = NEVER
        self.ahead = self.pending = b""
        # An upload knows its client: together they would wait for the collector, and a reload freezes what waits.
        self.upload = None
        self.plane.timers.forget(self, self._share)
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.abandon()
        if self.bound is not None:
            self.bound.close()
        self._place.leave()
        self.plane.closed(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        self._stuck = unread(self.transport)
        self._wait(self.plane.timeouts.body)
        if self.upstream is not None:
            self.upstream.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.upstream is not None:
            self.deadline = self.until
            self.upstream.resume()
        else:
            self.deadline = self.plane.timers.now + self.plane.timeouts.idle
            self.pump()

    def expired(self) -> None:
        """From the timers."""
        if self.plane.timers.now < self.until and self._goes_on():
            return
        if self.state is LINGER or (self.state is HEAD and not self.ahead) or self.answering:
            self.abort()
        elif self.state is WAIT:
            self.upstream_failed(GatewayError(UPSTREAM_TIMEOUT, "the whole took too long"))
        elif self.state is HEAD:
            self.refuse_unread(GatewayError(LIMIT_REQUEST_TIME, "head"), b"")
        else:
            self._give_up_upstream()
            self.refuse(Refuse(LIMIT_REQUEST_TIME, "body", close=True))

    def _goes_on(self) -> bool:
        """Either side may read slowly, as long as it does not stand still."""
        if self.write_paused:
            waiting = unread(self.transport)
            drains, self._stuck = waiting < self._stuck, waiting
        else:
            drains = self.state is BODY and self.body_paused and self.upstream is not None and self.upstream.drains()
        if drains:
            self._wait(self.plane.timeouts.body)
        return drains

    def _wait(self, seconds: float) -> None:
        self.deadline = min(self.plane.timers.now + seconds, self.until)

    def refuse_unread(self, error: GatewayError, head: bytes) -> None:
        """What was not read has no id yet: the one that is here was another request's, maybe another person's."""
        self.request.id = next(self.plane.ids)
        self._refuse_head(error, head)

    def _refuse_head(self, error: GatewayError, head: bytes) -> None:
        plane, request_id, seen = self.plane, self.request.id, seen_in(head, self.memo.peer)
        page = head_refusal(plane, error, head, request_id, seen)
        if plane.access_log is not None and self.state is HEAD:
            plane.access_log.unread(request_id, seen, error.code.status, time())
        answer_unread(self, page, head_only=head.startswith(b"HEAD "))

    def refuse(self, outcome: Refuse) -> None:
        """A request whose head was read."""
        answer(self, refusal(self.plane, self.request, outcome), close=outcome.close)

    def go(self) -> None:
        """The request is read, and goes its way."""
        request = self.request
        request.id, request.decided = next(self.plane.ids), None
        self.state = WAIT
        self.retried = self.chunked_out = False
        self.body_done = True
        if request.framing not in NO_CONTENT:
            self.body_done = self.body_paused = False
            self.upload = None
        if request.admitted and request.line.purpose == "application":
            # The lines are those of the request before: what they bring holds.
            walk.act(self, *outcome_of(request, self.plane, request.started))
        elif self.redirects:
            page = to_https(request, self.plane.tables.snapshot)
            self.refuse(page) if isinstance(page, Refuse) else answer(self, page, close=True)
        else:
            walk.admit(self)

    # --- the body ---

    def begin_body(self, limit: int, *, bare: bool = False) -> bytes:
        """The body follows its head; what has come of it. `limit`: bytes, 0 for none; `bare`: without any framing."""
        if whole := self._whole_body():
            return whole
        upload = RequestBody(self.request.framing, limit, bare=bare)
        self.state, self.upload = BODY, upload
        self._wait(self.request.lane.timeouts.body)
        piece, self.ahead = upload.first_piece(self.ahead)
        if upload.done:
            self._body_read()
        return piece

    def take_body(self) -> bool:
        upstream, upload = self.upstream, self.upload
        if upstream is None or upload is None or upstream.is_closing():
            return False
        self._wait(self.request.lane.timeouts.body)
        try:
            piece, self.ahead = upload.take(self.ahead)
            if upload.done:
                self._body_read()
            if piece:
                upstream.write(piece)
        except GatewayError as error:
            self._give_up_upstream()
            if self.answering:
                self.abort()
            else:
                self.refuse(Refuse(error.code, error.detail, close=True))
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
        self.state, self.upload = WAIT, None
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

    # --- the upstream's side ---

    def send(self, upstream: ServerConnection, data: bytes) -> None:
        """The request goes out, on a connection that is there. `data`: its head, and what there is of its body."""
        request = self.request
        self.upstream = upstream
        if self.write_paused:
            upstream.pause()
        if request.bound:
            upstream.bound = True
        upstream.send(self, data, request.line.method, request.lane.timeouts)
        self.pending = data
        self.invite_body()

    def invite_body(self) -> None:
        """RFC 9110 10.1.1: from us, so that it comes whatever the application thinks of Expect."""
        if self.request.expects and not self.body_done and not self.ahead:
            self.transport.write(_CONTINUE)

    def connected(self, upstream: ServerConnection) -> None:
        """From the pool's task: the connection that this request waits for."""
        self.task = None
        try:
            self.send(upstream, self.pending)
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    def not_connected(self, error: GatewayError) -> None:
        self.task = None
        self.upstream_failed(error)

    def retry(self) -> bool:
        """The kept connection was closed before the request came through: once more, if that can do no harm."""
        request = self.request
        pool = request.lane.pool
        if self.retried or pool is None or request.framing not in NO_CONTENT or not request.line.repeatable:
            return False
        self.retried = True
        self.upstream = None
        self.task = pool.connect(self)
        return True

    def bind(self, connection: ServerConnection) -> None:
        connection.deadline = self.plane.timers.now + self.plane.timeouts.idle
        self.bound = connection
        self.memo.bound_to = self.request.seat

    def take_whole(self, response: ResponseHead, data: bytes, end: int) -> bool:
        request = self.request
        if not (request.keep_alive and request.line.plain and self.body_done) or self.plane.draining:
            return False
        lane = request.lane
        whole = response.whole(data, end, lane.responses.cache if request.seat is not None else b"")
        if not whole:
            return False
        self.status = status = response.status
        lane.statuses[status // 100] += 1
        self.answering = self.keep = True
        self.transport.write(whole)
        return True

    def interim_response(self, response: ResponseHead) -> None:
        """RFC 9110 15.2: HTTP/1.0 knows none."""
        if self.request.line.minor:
            self.transport.write(b"".join((*response.pieces(minor=True), b"\r\n\r\n")))

    def respond(self, page: Page) -> None:
        answer(self, page)

    def response_head(self, response: ResponseHead) -> bytes:
        """What the client gets of a head, and what becomes of the connection."""
        request, status = self.request, response.status
        self.answering, self.status = True, status
        request.lane.statuses[status // 100] += 1
        minor = request.line.minor
        keep = request.keep_alive and self.body_done and not self.plane.draining
        if not response.self_delimited:
            self.chunked_out = minor
            keep = keep and minor
        self.keep = keep
        ending = b"\r\n\r\n"
        if not keep:
            ending = b"\r\nConnection: close\r\n\r\n"
        elif not minor:
            ending = b"\r\nConnection: keep-alive\r\n\r\n"
        private = request.seat is not None
        return b"".join((*response.pieces(request.lane.responses, minor=minor, private=private), ending))

    def upstream_failed(self, error: GatewayError) -> None:
        self._give_up_upstream()
        self.plane.upstream_failed(self.request, error)
        if self.answering:
            # Half an answer: only a broken connection says so.
            self.abort()
        else:
            self.refuse(Refuse(error.code, error.detail))

    def _give_up_upstream(self) -> None:
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.abandon()
        if self.task is not None:
            self.task.cancel()
            self.task = None

    # --- the end of a request, and of the connection ---

    def answered(self) -> None:
        """The answer is written, whoever wrote it: on to the next request, or out."""
        plane = self.plane
        self.upstream = None
        self.pending = b""
        if plane.access_log is not None and self.state is not HEAD:
            # Of a head that was refused unread, _refuse_head tells.
            plane.access_log.line(self.request, self.status, time(), monotonic() - self.request.started)
        if self.state is CLOSED:
            return
        if not self.keep:
            self.leave()
            return
        self.state = HEAD
        self.answering = False
        self.deadline = plane.timers.now + plane.timeouts.idle
        if self.ahead:
            self.pump()
        elif self.write_paused or not self.reads:
            if self.write_paused:
                self._wait(plane.timeouts.body)
            self.steer()

    def has_moved(self, within: float) -> bool:
        if self.state is BODY:
            return self.deadline >= self.plane.timers.now + self.request.lane.timeouts.body - within
        return self.answering and self.upstream is not None and self.upstream.has_moved(within)

    def still_allowed(self) -> bool:
        return walk.still_allowed(self, self.plane.tables)

    def abort(self) -> None:
        self._give_up_upstream()
        self.state = CLOSED
        self.transport.abort()

    def faulted(self, fault: Exception) -> None:
        """The one edge: a fault of ours ends the request and the connection, and lets nobody in."""
        if self.state is HEAD:
            self.request.id = next(self.plane.ids)
        self.plane.faulted(fault, self.request.id)
        try:
            self._give_up_upstream()
            if self.answering or self.state is CLOSED:
                self.abort()
            else:
                self._refuse_head(GatewayError(GATEWAY_FAULT), b"" if self.state is HEAD else self.request.line.text)
        except Exception as second:  # noqa: BLE001 - the one edge
            self.plane.faulted(second, self.request.id)
            self.abort()
