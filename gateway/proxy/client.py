"""One client connection: reads requests one at a time, and sees each through to its response. In the order of a
request: reading.py, walk.py up to `send`; then `response_head` and `answered`, which the upstream connection calls.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic, time
from typing import Final, cast

from gateway.access.inbound import InboundRequest
from gateway.access.outcome import Refuse
from gateway.model.codes import gateway_codes, limit_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import SendOn
from gateway.model.ports import Page
from gateway.model.redirects import Redirects
from gateway.proxy.admission import CountedConnection
from gateway.proxy.exchange import Requester, ServerConnection
from gateway.proxy.http1.page import page_response
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.lane import Lane
from gateway.proxy.memo import Memo
from gateway.proxy.pacing import paced
from gateway.proxy.portal_exchange import WHOLE, PortalExchange, PouredBody
from gateway.proxy.posts.keeping import KeepingExchange
from gateway.proxy.posts.sending import Sending, head_of
from gateway.proxy.readiness import NO_HOST_OF_OURS, is_question, may_ask, readiness
from gateway.proxy.reading import BODY, CLOSED, HEAD, LINGER, WAIT
from gateway.proxy.refusals import head_refusal, refusal, seen_in
from gateway.proxy.revalidation import still_allowed
from gateway.proxy.services import Services
from gateway.proxy.timers import NEVER
from gateway.proxy.upgrade import UPGRADE_LINES, check_taken, check_waits
from gateway.proxy.walk import Walk
from gateway.proxy.watched import between
from gateway.stores.posts.bodies import PostWriter
from gateway.wire.framing import NO_CONTENT
from gateway.wire.hop_by_hop import not_named

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# RFC 9110 14.2, 13.1.5
_PARTS: Final = frozenset({b"range", b"if-range"})


class ClientConnection(Walk):
    """`answering`: the head of the response is written, so that nothing else can be said but by closing. `keep`:
    whether the connection is kept after it. `status`: of it, for the access log."""

    __slots__ = ("_connections", "_counted", "_scheme", "_share", "answering", "keep", "status")

    def __init__(
        self,
        plane: Services,
        scheme: str,
        counted: CountedConnection,
        connections: "set[ClientConnection]",
        *,
        redirects: Redirects = "nothing",
    ) -> None:
        """`scheme`: of the listener, "http" or "https"; `redirects`: what it leads to https. `counted`: leaves when the
        connection is lost. `connections`: those that are open."""
        super().__init__(plane, redirects=redirects)
        self._connections = connections
        self._counted = counted
        self._scheme = scheme
        self.answering = False
        self.keep = True
        self.status = 0
        self._share = 0

    # --- asyncio.BufferedProtocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport = paced(cast(asyncio.Transport, transport), self.plane.room)
        counted = self._counted
        self.memo = Memo(counted.peer, "https" if counted.secure else self._scheme)
        self.request.client = self.memo.peer
        self._share = self.plane.timers.watch(self)
        self.deadline = self.plane.timers.now + self.plane.timeouts.request_head
        self._connections.add(self)
        self.plane.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.goes_on_alone():
            return
        self.state = CLOSED
        self.deadline = NEVER
        self.ahead = self.pending = b""
        self.plane.timers.forget(self, self._share)
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.abandon()
        if self.bound is not None:
            self.bound.close()
        self.sent_on()
        self._counted.leave()
        self._connections.discard(self)

    def expired(self) -> None:
        """From the timers."""
        if self.plane.timers.now < self.until and self.goes_on():
            return
        if self.state is LINGER or (self.state is HEAD and not self.ahead) or self.answering:
            self.abort()
        elif self.state is WAIT:
            self.upstream_failed(GatewayError(upstream_codes.TIMEOUT, "the whole took too long"))
        elif self.state is HEAD:
            self.refuse_unread(GatewayError(limit_codes.REQUEST_TIME, "head"), b"")
        else:
            self._give_up_upstream()
            self.refuse(Refuse(limit_codes.REQUEST_TIME, "body", close=True))

    def refuse_unread(self, error: GatewayError, head: bytes) -> None:
        """What was not read has no id yet: the one that is here was another request's, maybe another person's."""
        self.request.id = next(self.plane.ids)
        if error.code in NO_HOST_OF_OURS:
            line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            if self.asks_readiness(line, lines):
                self._respond_unread(readiness(is_ready=self.plane.is_ready()), head)
                return
        self._refuse_head(error, head)

    def asks_readiness(self, line: bytes, lines: Sequence[bytes]) -> bool:
        return is_question(line, lines) and may_ask(self._counted, self.memo, self.plane.renew().snapshot)

    def _refuse_head(self, error: GatewayError, head: bytes) -> None:
        plane, request_id, seen = self.plane, self.request.id, seen_in(head, self.memo.peer)
        page = head_refusal(plane, error, head, request_id, seen)
        if plane.access_log is not None and self.state is HEAD:
            plane.access_log.unread(request_id, seen, error.code.status, time())
        self._respond_unread(page, head)

    def _respond_unread(self, page: Page, head: bytes) -> None:
        if not self.transport.is_closing():
            # What follows it is thrown away for a moment, so that this is not lost in a reset.
            self.body_done = False
            self._respond(page, keep=False, minor=True, head_only=head.startswith(b"HEAD "))

    def refuse(self, outcome: Refuse) -> None:
        """A request whose head was read."""
        self.respond(refusal(self.plane, self.request, outcome), close=outcome.close)

    def respond(self, page: Page, *, close: bool = False) -> None:
        request, line = self.request, self.request.line
        if self.transport.is_closing():
            return
        self.skip_body()
        request.lane.statuses[page.status // 100] += 1
        keep = request.keep_alive and self.body_done and not close and not self.plane.draining
        hsts = self.plane.hsts_line if request.lane.stays_secure and self.memo.scheme == "https" else b""
        self._respond(self.shown(page), keep=keep, minor=line.minor, head_only=self.is_head(), hsts=hsts)

    def _respond(self, page: Page, *, keep: bool, minor: bool, head_only: bool, hsts: bytes = b"") -> None:
        date, poured = self.plane.date_line(), self.state is WAIT and len(page.body) > WHOLE and not head_only
        self.keep, self.status, self.answering = keep, page.status, True
        bare = head_only or poured
        self.transport.write(page_response(page, date=date, hsts=hsts, keep=keep, minor=minor, head_only=bare))
        if poured:
            self.deadline, self.until, self.upstream = NEVER, NEVER, PouredBody(self, page.body, self.plane.loop)
        else:
            self.answered()

    def body_failed(self, error: GatewayError) -> None:
        self._give_up_upstream()
        if self.answering:
            self.abort()
        else:
            self.refuse(Refuse(error.code, error.detail, close=True))

    # --- the other end ---

    def exchange_with_portal(self, inbound: InboundRequest, body: bytes) -> None:
        self.upstream = exchange = PortalExchange(self, self.plane, inbound, self.request.lane.timeouts.first_byte)
        try:
            exchange.write(body)
        except GatewayError as error:
            self.upstream = None
            self.refuse(Refuse(error.code, error.detail, close=True))
            return
        if self.state is WAIT:
            exchange.ask()
        else:
            self.invite_body()

    def keep_body(self, inbound: InboundRequest, writer: PostWriter, limit: int) -> None:
        patience = self.request.lane.timeouts.first_byte
        self.upstream = exchange = KeepingExchange(self, self.plane, inbound, writer, patience)
        if not self.body_done:
            exchange.write(self.begin_body(limit, bare=True))
        if self.state is WAIT:
            exchange.await_response()
        else:
            self.invite_body()

    def send_on(self, order: SendOn) -> None:
        """A kept post takes the place of the click that asked for it. What the socket brings from here on is unread."""
        self.upstream = None
        self.sending = Sending(self, order, self.plane.loop)
        self.state, self.ahead = HEAD, b""
        self.head_read(head_of(order, self.request.whole))

    def send(self, upstream: ServerConnection, data: bytes) -> None:
        """The request goes out, on a connection that is there. `data`: its head, and what there is of its body."""
        request, lane = self.request, self.request.lane
        assert isinstance(lane, Lane)
        requester: Requester = self
        if lane.is_watched:
            self.upstream, requester = between(request, self, self.upstream, upstream, self.plane, self.session_ended)
        else:
            self.upstream = upstream
        if self.write_paused:
            self.upstream.pause()
        if request.bound:
            upstream.bound = True
        upstream.send(requester, data, request.line.method, request.limits.timeouts)
        self.pending = data
        if not self.body_done:
            self.size_body(self.upstream)
            self.invite_body()
        if self.sending is not None:
            self.sending.begin()

    def invite_body(self) -> None:
        """RFC 9110 10.1.1: from us, so that it comes whatever the application thinks of Expect."""
        if self.request.expects and not self.body_done and not self.ahead:
            self.request.expects = False
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
        if self.retried or not self._send_again(self.pending):
            return False
        self.retried = True
        return True

    def ask_for_all(self) -> bool:
        """Once: then no part is asked for any more."""
        line, *lines = self.pending.split(b"\r\n")
        whole = not_named(lines, _PARTS)
        return len(whole) < len(lines) and self._send_again(b"\r\n".join((line, *whole)))

    def _send_again(self, data: bytes) -> bool:
        """Whether the request is sent once more, on a new connection, since that can do no harm."""
        request = self.request
        if request.framing not in NO_CONTENT or not request.line.repeatable:
            return False
        if request.middle_of is None or monotonic() >= request.middle_of.valid_until:
            # Invariant 16: what was prepared for it may have ended meanwhile.
            return False
        pool = request.application.again(request.seat, request.client)
        if pool is None:
            return False
        self.upstream = None
        self.pending = data
        self.task = pool.connect(self)
        return True

    def bind(self, connection: ServerConnection) -> None:
        connection.deadline = self.plane.timers.now + self.plane.timeouts.idle
        self.bound = connection
        self.memo.bound_to = self.request.seat

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        request = self.request
        if not (request.keep_alive and request.line.plain and self.body_done) or self.plane.draining:
            return False
        lane = request.lane
        assert isinstance(lane, Lane)
        whole = response.usual(data, end, lane.responses.cache if request.seat is not None else b"")
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
            edits = self.request.application.edits_for(self.request.host.name)
            self.transport.write(b"".join((*response.pieces(edits=edits, minor=True), b"\r\n\r\n")))

    def response_head(self, response: ResponseHead) -> bytes:
        """What the client gets of a head, and what becomes of the connection. Raises GatewayError."""
        request, status, lane = self.request, response.status, self.request.lane
        assert isinstance(lane, Lane)
        kept = self.plane.hidden_cookies.taken(request, response) if lane.hides else b""
        self.answering, self.status = True, status
        lane.statuses[status // 100] += 1
        minor = request.line.minor
        keep = request.keep_alive and self.body_done and not self.plane.draining
        if not response.self_delimited:
            self.chunked_out = minor
            keep = keep and minor
        self.keep = keep
        ending = b"\r\n\r\n"
        if not (keep and minor):
            ending = b"\r\nConnection: %b\r\n\r\n" % (b"keep-alive" if keep else b"close")
        edits, private = lane.edits_for(request.host.name), request.seat is not None
        return b"".join((*response.pieces(lane.responses, edits, minor=minor, private=private), kept, ending))

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """From here on this is a tunnel, and this object of no more use."""
        request, plane, lane = self.request, self.plane, self.request.application
        check_taken(request, response)
        if self.transport.is_closing() or not self.still_allowed():
            # Invariant 12: it was asked for before something changed.
            self.abort()
            return
        try:
            check_waits(self.ahead)
        except GatewayError as error:
            self._give_up_upstream()
            self.refuse(Refuse(error.code, error.detail, close=True))
            return
        kept = plane.hidden_cookies.taken(request, response) if lane.hides else b""
        lane.statuses[1] += 1
        edits, private = lane.edits_for(request.host.name), request.seat is not None
        head = response.pieces(lane.responses, edits, minor=True, private=private)
        self.transport.write(b"".join((*head, kept, UPGRADE_LINES)))
        self.state, self.upstream, self.deadline = CLOSED, None, NEVER
        plane.timers.forget(self, self._share)
        self._connections.discard(self)
        if self.bound is not None:
            self.bound.close()
        plane.begin_tunnel(request, self._counted, self.transport, connection, rest)

    def upstream_failed(self, error: GatewayError) -> None:
        self._give_up_upstream()
        self.plane.upstream_failed(self.request, error)
        if self.answering:
            # Half a response is written: only a broken connection says so.
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
        """The response is written, whoever wrote it: the next request follows, or the connection ends."""
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
                self.wait(plane.timeouts.body)
            self.steer()

    def has_moved(self, within: float) -> bool:
        if self.state is BODY:
            return self.deadline >= self.plane.timers.now + self.request.limits.timeouts.body - within
        return self.answering and self.upstream is not None and self.upstream.has_moved(within)

    def still_allowed(self) -> bool:
        return still_allowed(self.request, self.upstream, self.plane.tables)

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
                self._refuse_head(
                    GatewayError(gateway_codes.FAULT), b"" if self.state is HEAD else self.request.line.asked
                )
        except Exception as second:  # noqa: BLE001 - the one edge
            self.plane.faulted(second, self.request.id)
            self.abort()
