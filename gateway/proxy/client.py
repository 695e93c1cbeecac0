"""One client connection: owns the transport, takes one request at a time from its reader, and acts on the outcomes.

In the order of a request: `data_received`, `_begin`, `_admit`, `_act`, `_forward`, `_send`; then `take_usual` or
`response_head`, and `answered`, which the other end calls. The parts of the connection call nobody: the reader
(reader.py) turns bytes into heads and pieces, the request under way (active.py) is a value.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from time import monotonic, time
from typing import Final, Literal, assert_never, cast

from gateway.access.inbound import InboundRequest
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, Prepared, Refuse, RequireSignIn, ToPortal
from gateway.access.pipeline import awaited, outcome_of
from gateway.access.program import is_program
from gateway.formlogin.spec import ApplicationSession
from gateway.model.codes import form_login_codes, gateway_codes, limit_codes, route_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeepPosts, SendOn
from gateway.model.ports import Page
from gateway.model.redirects import Redirects
from gateway.model.session import Seat
from gateway.proxy.active import ActiveRequest
from gateway.proxy.admission import CountedConnection
from gateway.proxy.buffers.gathered import GatheredBody
from gateway.proxy.counted_for import count
from gateway.proxy.credential import take_token
from gateway.proxy.exchange import Requester, ServerConnection
from gateway.proxy.forward_auth import (
    allowance,
    is_head_alone,
    is_question,
    known_question,
    lead_on,
    page_for,
    read_original,
    read_question,
    remember_question,
    shown,
)
from gateway.proxy.http1.page import page_response
from gateway.proxy.http1.partial_head import check_size
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.known_questions import FrontQuestion, KnownQuestion
from gateway.proxy.lane import Lane
from gateway.proxy.lasting import is_allowed
from gateway.proxy.memo import Memo
from gateway.proxy.outgoing_head import framing_line, middle_of
from gateway.proxy.pacing import HEADS, READ, SMALL, PacedTls, paced
from gateway.proxy.portal_exchange import WHOLE, PortalExchange, PouredBody, count_unread
from gateway.proxy.portal_lane import PortalPurpose, body_limit, inbound_request, is_embedded
from gateway.proxy.posts.keeping import KeepingExchange, admitted, keeping, limit_of
from gateway.proxy.posts.sending import NobodyThere, Sending, head_of
from gateway.proxy.rates import NOBODY
from gateway.proxy.reader import BODY, CLOSED, HEAD, LINGER, WAIT, RequestReader
from gateway.proxy.readiness import NO_HOST_OF_OURS, asks_readiness, may_ask, readiness
from gateway.proxy.refusals import head_refusal, program_refusal, refusal, seen_in, to_https, unauthorized
from gateway.proxy.services import Services
from gateway.proxy.timers import NEVER
from gateway.proxy.unread import unread
from gateway.proxy.upgrade import UPGRADE_LINES, check_asked, check_taken, check_waits
from gateway.proxy.upstream.pool import FRESH_SECONDS, Pool
from gateway.proxy.upstream.state import IDLE_SECONDS
from gateway.proxy.watched import between
from gateway.wire.framing import CHUNKED, NO_BODY, NO_CONTENT
from gateway.wire.headers import AUTHORIZATION, UPGRADE
from gateway.wire.hop_by_hop import not_named
from gateway.wire.navigation import kind_of

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# RFC 9110 14.2, 13.1.5
_PARTS: Final = frozenset({b"range", b"if-range"})
_HEADS_AT_ONCE: Final = 32
_LINGER_SECONDS: Final = 2.0
_TOUCH_AFTER: Final = 1.0


class ClientConnection(asyncio.BufferedProtocol):
    """A Requester for the other end of its request (exchange.py).

    Parts:
    `reader`: bytes to heads and pieces.
    `active`: the request under way, and how far it has come. `request`: the head of it, `active.request`.
    `memo`: remembers what seldom changes between two requests.
    `sending`: a kept post that its person sends on; its bytes come in the place of those of the socket.

    Two sides:
    `transport`: of the client. `write_paused`: the client takes no more for the moment.
    `body_paused`: the other end takes no more of the body for the moment.
    `body_done`: the request's body is read. `chunked_out`: a body of unknown length goes to the client in chunks.
    `bound`: the connection to an application on which NTLM or Negotiate was spoken, for this client alone.
    `deadline`: the next moment at which something must have come; seconds on the loop's clock.
    `is_of_front`: a front has asked here and got an allowance.
    """

    __slots__ = (
        "_connections", "_counted", "_pumping", "_reads", "_redirects", "_scheme", "_share", "_stuck", "active",
        "body_done", "body_paused", "bound", "chunked_out", "deadline", "is_of_front", "memo", "plane", "reader",
        "request", "sending", "transport", "write_paused",
    )  # fmt: skip

    transport: asyncio.Transport
    memo: Memo

    def __init__(
        self,
        plane: Services,
        scheme: str,
        counted: CountedConnection,
        connections: "set[ClientConnection]",
        *,
        redirects: Redirects = "nothing",
    ) -> None:
        """`scheme`: of the listener, "http" or "https"; `redirects`: the requests that the listener leads to https.
        `counted`: leaves when the connection is lost. `connections`: all open connections."""
        self.plane = plane
        self.reader = RequestReader()
        self.active = ActiveRequest()
        self.request = self.active.request
        self.sending: Sending | None = None
        self.bound: ServerConnection | None = None
        self.deadline = NEVER
        self.body_done = True
        self.body_paused = self.write_paused = self.chunked_out = self.is_of_front = False
        self._connections = connections
        self._counted = counted
        self._scheme = scheme
        self._redirects = redirects
        self._share = self._stuck = 0
        self._reads = True
        self._pumping = False

    # --- asyncio.BufferedProtocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's classes.
        self.transport = paced(cast(asyncio.Transport, transport), self.plane.room)
        counted = self._counted
        self.memo = Memo(counted.peer, "https" if counted.secure else self._scheme)
        self.request.client = self.memo.peer
        self._share = self.plane.timers.watch(self)
        self.deadline = self.plane.timers.now + self.plane.timeouts.request_head
        self._connections.add(self)
        self.plane.opened()

    @property
    def get_buffer(self) -> partial[memoryview]:
        """The loop calls the result before each read: the reader's `view`, without a Python call."""
        return partial(getattr, self.reader, "view")

    def buffer_updated(self, size: int) -> None:
        self.data_received(READ[:size])

    def data_received(self, data: bytes) -> None:
        reader = self.reader
        try:
            # The usual case: exactly one whole head.
            if reader.state is not HEAD or reader.ahead or not data.endswith(b"\r\n\r\n") or not self._read_usual(data):
                if self.sending is not None:
                    # The connection ends with the kept post: bytes behind the click are no body.
                    return
                reader.receive(data)
                self.pump()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    def eof_received(self) -> None:
        """A half-closed client counts as gone, and its request is abandoned. The loop's TLS would continue for half a
        minute, discard the written bytes, and log each piece."""
        if self.active.upstream is not None and isinstance(self.transport, PacedTls):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sends_without_client():
            return
        self.reader.state, self.reader.ahead = CLOSED, b""
        self.deadline = NEVER
        self.active.sent = b""
        self.plane.timers.forget(self, self._share)
        self.active.give_up()
        if self.bound is not None:
            self.bound.close()
        self._end_sending()
        self._counted.leave()
        self._connections.discard(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        self._stuck = unread(self.transport)
        self._wait(self.plane.timeouts.body)
        if self.active.upstream is not None:
            self.active.upstream.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.active.upstream is not None:
            self.deadline = self.active.until
            self.active.upstream.resume()
        else:
            self.deadline = self.plane.timers.now + self.plane.timeouts.idle
            self.pump()

    # --- the clock ---

    def _wait(self, seconds: float) -> None:
        """Sets the deadline to `seconds` from now, or to the request's own end if that is earlier."""
        self.deadline = min(self.plane.timers.now + seconds, self.active.until)

    def expired(self) -> None:
        """From the timers."""
        if self.plane.timers.now < self.active.until and self._drains():
            self._wait(self.plane.timeouts.body)
            return
        state = self.reader.state
        if state is LINGER or (state is HEAD and not self.reader.ahead) or self.active.answering:
            self.abort()
        elif state is WAIT:
            self.upstream_failed(GatewayError(upstream_codes.TIMEOUT, "the whole exchange took too long"))
        elif state is HEAD:
            self._refuse_unread(GatewayError(limit_codes.REQUEST_TIME, "head"), b"")
        else:
            self.active.give_up()
            self._refuse(Refuse(limit_codes.REQUEST_TIME, "body", close=True))

    def _drains(self) -> bool:
        """Whether the slow side has read bytes since the last look."""
        if self.write_paused:
            waiting = unread(self.transport)
            drains, self._stuck = waiting < self._stuck, waiting
            return drains
        upstream = self.active.upstream
        return self.reader.state is BODY and self.body_paused and upstream is not None and upstream.drains()

    def has_moved(self, within: float) -> bool:
        """Whether a part of a body or of a response was sent in the last `within` seconds."""
        active = self.active
        if self.reader.state is BODY:
            return self.deadline >= self.plane.timers.now + active.request.limits.timeouts.body - within
        return active.answering and active.upstream is not None and active.upstream.has_moved(within)

    # --- from bytes to a request ---

    def pump(self) -> None:
        """Works through the bytes read ahead, as far as the state allows."""
        if self._pumping:
            return
        self._pumping = True
        reader, turns = self.reader, _HEADS_AT_ONCE
        try:
            while reader.ahead and turns:
                if reader.state is HEAD:
                    turns -= 1
                    if self.write_paused or not self._take_head():
                        break
                elif reader.state is BODY:
                    turns -= 1
                    if self.body_paused or not self._take_piece():
                        break
                    if reader.ahead and reader.state is BODY:
                        # Chunks by the thousand.
                        turns = 0
                elif reader.state is LINGER:
                    if not reader.throw_away():
                        self.abort()
                else:
                    break
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)
        finally:
            self._pumping = False
        if not turns:
            # Other connections need their turn.
            self.plane.loop.call_soon(self.pump)
        self._steer(may_read=bool(turns))

    def _steer(self, *, may_read: bool = True) -> None:
        """Reads the socket only while the bytes can be used, or to notice that the client has gone."""
        reader = self.reader
        if reader.state is CLOSED:
            return
        if self.sending is not None:
            self.sending.steer()
            return
        if reader.state is HEAD:
            wanted = may_read and not self.write_paused
        else:
            wanted = not reader.ahead and not (reader.state is BODY and self.body_paused)
        if wanted != self._reads:
            self._reads = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def _read_usual(self, head: bytes) -> bool:
        """Reads `head` and returns True if it is one whole head in a usual form."""
        plane, request = self.plane, self.request
        request.started = monotonic()
        tables = plane.tables
        if plane.holder.snapshot is not tables.snapshot:
            tables = plane.renew()
        if self.is_of_front and (known := known_question(head, request, self.memo, plane)) is not None:
            self._begin(known)
            return True
        try:
            if not request.read_usual(head, tables, plane.usual_head):
                return False
        except GatewayError as error:
            self._refuse_unread(error, head)
        else:
            self._begin()
        return True

    def _take_head(self) -> bool:
        """Whether a whole head was there. A part that is no HTTP is refused, and the clock runs from the first byte."""
        reader = self.reader
        had_begun = reader.partial is not None
        try:
            head = reader.next_head(self.plane.limits)
        except GatewayError as error:
            part, reader.ahead = reader.ahead, b""
            self._refuse_unread(error, part)
            return False
        if head is not None:
            self._read_head(head)
        elif reader.partial is not None and not had_begun:
            self.deadline = self.plane.timers.now + self.plane.timeouts.request_head
        return head is not None

    def _read_head(self, head: bytes) -> None:
        """Reads one whole head in any form."""
        plane, request = self.plane, self.request
        request.started = monotonic()
        try:
            tables = plane.renew()
            if not request.read_usual(head, tables, plane.usual_head):
                check_size(head, plane.limits)
                request.read_any(head, tables)
        except GatewayError as error:
            self._refuse_unread(error, head)
        else:
            self._begin()

    # --- the body ---

    def _begin_body(self, limit: int, *, bare: bool = False) -> bytes:
        """Returns the part of the body that came with the head; the rest follows. `limit`: bytes, 0 for no limit;
        `bare`: without chunks."""
        request, reader = self.request, self.reader
        piece = reader.begin_body(request.framing, limit, bare=bare)
        if reader.state is BODY:
            self._wait(request.limits.timeouts.body)
        else:
            self.body_done = True
        return piece

    def _take_piece(self) -> bool:
        """Reads a piece of the body. Returns False if the body can make no progress now."""
        active, reader = self.active, self.reader
        upstream = active.upstream
        if upstream is None or upstream.is_closing():
            return False
        self._wait(active.request.limits.timeouts.body)
        came = len(reader.ahead)
        try:
            piece = reader.next_piece()
            if reader.state is WAIT:
                self.body_done = True
                self.deadline = active.until
                upstream.await_response()
            if piece:
                upstream.write(piece)
            if came < SMALL:
                reader.view = HEADS
            elif reader.state is BODY:
                reader.size_view(upstream.room())
        except GatewayError as error:
            self.body_failed(error)
            return False
        return True

    def _skip_body(self) -> None:
        """Discards a body that came whole with its head, so that the connection can stay open."""
        if self.reader.state is WAIT and not self.body_done:
            self.body_done = bool(self.reader.take_whole_body(self.request.framing))

    def _invite_body(self) -> None:
        """Sends 100 Continue (RFC 9110 10.1.1) for the application, which may not know Expect."""
        request = self.request
        if request.expects and not self.body_done and not self.reader.ahead:
            request.expects = False
            self.transport.write(_CONTINUE)

    def pause_body(self) -> None:
        """The other end takes no more for the moment."""
        self.body_paused = True
        self._steer()

    def resume_body(self) -> None:
        self.body_paused = False
        self.pump()

    def body_failed(self, error: GatewayError) -> None:
        """No more of the body can be taken."""
        self.active.give_up()
        if self.active.answering:
            self.abort()
        else:
            self._refuse(Refuse(error.code, error.detail, close=True))

    # --- a kept post, in the place of what the socket brings ---

    def send_on(self, order: SendOn) -> None:
        """Sends a kept post in place of the click that asked for it. The socket is no longer read."""
        self.active.upstream = None
        self.sending = Sending(self, order, self.plane.loop)
        self.reader.state, self.reader.ahead = HEAD, b""
        self._read_head(head_of(order, self.request.whole))

    def takes(self) -> bool:
        """Whether a piece of the kept post could be taken now."""
        return self.reader.state is BODY and not self.body_paused and not self.reader.ahead

    def feed(self, piece: bytes) -> None:
        if self.reader.state is BODY:
            self.reader.ahead = piece
            self.pump()

    def _sends_without_client(self) -> bool:
        """Whether a kept post goes on though its client has left: a second click ends the connection of the first."""
        if self.sending is None or not self.sending.begun or isinstance(self.transport, NobodyThere):
            return False
        self.transport = NobodyThere(self)
        self.write_paused = False
        if self.active.upstream is not None:
            self.active.upstream.resume()
        return True

    def _end_sending(self) -> None:
        """The response is written, or will never be."""
        sending, self.sending = self.sending, None
        if sending is not None:
            sending.end()

    # --- from a request to its outcome ---

    def _begin(self, question: KnownQuestion | None = None) -> None:
        """The request is read, and goes its way. `question`: a front's, that led to the request."""
        active, request, plane = self.active, self.request, self.plane
        request.id, request.decided = next(plane.ids), None
        request.limits = request.line.limits or request.lane.exchange
        self.reader.state = WAIT
        active.is_repeated = active.is_renewed = self.chunked_out = False
        active.question = question
        active.counted = NOBODY
        self.body_done = True
        if request.framing not in NO_CONTENT:
            self.body_done = self.body_paused = False
        if request.admitted and request.line.purpose == "application":
            # The lines equal the previous request's, so the credential that was read stays valid.
            seat, outcome = outcome_of(request, plane, request.started)
            self._act(seat, outcome)
        elif self._redirects != "nothing" and (self._redirects == "all" or request.lane.is_secure):
            if request.line.purpose == "endpoint" and self._tell_readiness():
                return
            page = to_https(request)
            self._refuse(page) if isinstance(page, Refuse) else self.respond(page, close=True)
        else:
            self._admit()

    def _admit(self) -> None:
        """Reads who asks, once for the same lines; then the pipeline."""
        request, memo = self.request, self.memo
        host = request.host
        if host is not memo.host:
            memo.tell_forwarded(host, request.rare, self.plane.tables)
            request.client = memo.chain[0]
        if request.line.purpose == "application" and not (
            AUTHORIZATION in request.rare and take_token(request, self.plane.callers)
        ):
            try:
                cookie = request.cookie
                request.credential, request.cookie_rest = (
                    (None, b"") if cookie is None else memo.cookie_parts(cookie, host)
                )
            except GatewayError as error:
                self._refuse(Refuse(error.code, error.detail, close=True))
                return
            request.admitted = True
        seat, outcome = outcome_of(request, self.plane, request.started)
        if seat is not None:
            host.let_in = True
            if memo.client is not None:
                memo.client.let_in = True
        self._act(seat, outcome)

    def _act(self, seat: Seat | None, outcome: Outcome) -> None:
        """The one place where an outcome has effects. No fault leads to `_forward`."""
        active, request, plane = self.active, self.request, self.plane
        request.seat = seat
        # A kept form is counted with its click.
        if request.lane.is_bounded and self.sending is None:
            active.counted, instead = count(request, self.memo, plane, seat, outcome, active.counted)
            outcome = outcome if instead is None else instead
        if seat is not None:
            request.line.let_in = True
            if seat.deadline - request.started < seat.idle - _TOUCH_AFTER:
                plane.sessions.touch(seat, request.started)
                plane.admission.seen(self.memo.peer, request.started)
        if isinstance(outcome, Forward):
            # What nearly every request comes to; a match costs more.
            by = request.decided = outcome.by
            by.tally[0] += 1
            self._forward(outcome)
            return
        if active.question is not None and (page := page_for(active.question.front, outcome)) is not None:
            self.respond(page)
            return
        match outcome:
            case Refuse():
                if outcome.by is not None:
                    outcome.by.tally[0] += 1
                    request.decided = outcome.by
                self._refuse(outcome)
            case RequireSignIn():
                outcome.by.tally[0] += 1
                request.decided = outcome.by
                self._challenge(outcome)
            case ToPortal():
                self._ask_portal(outcome.purpose)
            case NeedsStore() | NeedsWork():
                active.task = plane.loop.create_task(self._look_up(seat, outcome))
            case _:
                assert_never(outcome)

    async def _look_up(self, known: Seat | None, waits: NeedsStore | NeedsWork, *, acted: bool = False) -> None:
        """The client waits meanwhile, and no more of it is read. `acted`: the outcome was counted before."""
        try:
            seat, outcome = await awaited(self.request, self.plane.sessions, known, waits, monotonic)
            self.active.task = None
            if seat is not None:
                self.plane.admission.seen(self.memo.peer, self.request.started)
            if acted and isinstance(outcome, Forward):
                self._forward(outcome)
            else:
                self._act(seat, outcome)
            # The body has waited to be read.
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    # --- a front's question ---

    def _read_question(self) -> None:
        """Reads a front's question. The request in question takes its place and goes through the pipeline, up to the
        application."""
        active, request, plane = self.active, self.request, self.plane
        try:
            active.question, original = read_question(request, self.memo, plane.tables)
            read_original(request, active.question.front, original, plane)
        except GatewayError as error:
            refused = Refuse(error.code, error.detail, close=True)
            page = None if active.question is None else page_for(active.question.front, refused)
            self._refuse(refused) if page is None else self.respond(page, close=True)
            return
        request.limits = request.line.limits or request.lane.exchange
        self._admit()

    def _allow_front(self, question: FrontQuestion | KnownQuestion, prepared: Prepared) -> None:
        """The front may pass the request on. No request that a front asks about is sent from here."""
        active, request, plane = self.active, self.request, self.plane
        tables = plane.tables
        if question.front.leads:
            active.question = None
            self.respond(lead_on(request))
            return
        try:
            page = allowance(request, question, prepared, tables.snapshot, self.reader.ahead)
        except GatewayError as error:
            self._act(request.seat, Refuse(error.code, error.detail))
            return
        lane = request.lane
        assert isinstance(lane, Lane)
        if lane.notes_cookies and request.seat is not None:
            plane.note_cookies(request, prepared)
        if request.unkept:
            request.remember(tables)
        if isinstance(question, FrontQuestion):
            remember_question(request, question, tables)
        # A listener that redirects to https redirects a question by its own address, not by the requested address.
        self.is_of_front, active.question = self._redirects == "nothing", None
        self.respond(page)

    # --- to sign in ---

    def _challenge(self, outcome: RequireSignIn) -> None:
        """Invariant 10: a sign-in starts only for a top-level navigation; a frame may get a seat of a session."""
        active, request, plane = self.active, self.request, self.plane
        if request.seat is not None and is_program(request.seat):
            self._refuse(program_refusal(outcome, request.seat.identity.provider, plane.tables.snapshot.ladder))
            return
        if self.sending is not None:
            self.respond(self.sending.to_sign_in(outcome))
            return
        kind = kind_of(request.line.method, request.fields)
        keep = None if active.question is not None or self._is_gathering else keeping(request)
        if kind == "navigation" and keep is not None:
            active.until = plane.timers.now + request.lane.timeouts.total
            self.deadline = plane.timers.now + request.lane.timeouts.first_byte
            active.task = plane.loop.create_task(self._keep(outcome, keep))
        elif kind == "navigation" or (kind == "frame" and is_embedded(request)):
            # The body of a form stays here: it was meant for the application and is not for the portal to see.
            self.exchange_with_portal(self._inbound("challenge", outcome), b"")
        else:
            self.respond(unauthorized(plane, request, outcome, kind))

    async def _keep(self, outcome: RequireSignIn, keep: KeepPosts) -> None:
        """The form is not lost, if the store knows its cookie as the cookie of a session that has ended."""
        active, request = self.active, self.request
        try:
            writer = await admitted(request, self.plane, keep)
            active.task = None
            inbound = self._inbound("challenge", outcome)
            if writer is None:
                self.exchange_with_portal(inbound, b"")
            else:
                active.upstream = kept = KeepingExchange(self, self.plane, inbound, writer)
                if not self.body_done:
                    kept.write(self._begin_body(limit_of(request, keep), bare=True))
                if self.reader.state is WAIT:
                    kept.await_response()
                else:
                    self._invite_body()
            self.pump()
        except GatewayError as error:
            active.task = None
            self.plane.counters.add("ecluse_posts_total", request.lane.name, "refused")
            self.body_failed(error)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    def _renew_session(self, session: ApplicationSession) -> None:
        """The application says that the person's session there has ended: a second sign-in, once for a request."""
        active, request, preparation = self.active, self.request, self.plane.preparation
        assert request.seat is not None
        assert preparation is not None
        active.upstream = None
        preparation.ended(request.application.app, request.seat, session, request.started)
        if active.is_renewed:
            self._refuse(Refuse(form_login_codes.LOOP, "the application ended a session that had just begun"))
            return
        active.is_renewed = True
        seat, outcome = outcome_of(request, request.seat, monotonic())
        self._act(seat, outcome)

    # --- to the portal ---

    def _ask_portal(self, purpose: Literal["endpoint", "logout"]) -> None:
        request, plane, body = self.request, self.plane, b""
        if purpose == "endpoint":
            if self._tell_readiness():
                return
            if is_question(request, plane.tables.snapshot):
                self._read_question()
                return
            if request.host.for_questions:
                detail = f"{request.host.name} is forward_auth.host, which has no pages"
                self._refuse(Refuse(route_codes.HOST_UNKNOWN, detail, close=True))
                return
            limit = body_limit(request)
            if request.framing > limit:
                count_unread(plane, self._inbound(purpose))
                self._refuse(Refuse(limit_codes.BODY, f"{request.framing} bytes"))
                return
            # A form is small: a slow client would hold memory of other requests.
            timeouts = plane.timeouts
            self.active.until = plane.timers.now + min(timeouts.total, max(timeouts.body, timeouts.first_byte))
            body = b"" if self.body_done else self._begin_body(limit, bare=True)
        self.exchange_with_portal(self._inbound(purpose), body)

    def exchange_with_portal(self, inbound: InboundRequest, body: bytes) -> None:
        active = self.active
        active.upstream = exchange = PortalExchange(self, self.plane, inbound, active.request.lane.timeouts.first_byte)
        try:
            exchange.write(body)
        except GatewayError as error:
            active.upstream = None
            self._refuse(Refuse(error.code, error.detail, close=True))
            return
        if self.reader.state is WAIT:
            exchange.ask()
        else:
            self._invite_body()

    def _inbound(self, purpose: PortalPurpose, challenge: RequireSignIn | None = None) -> InboundRequest:
        return inbound_request(self.request, purpose, self.plane.tables.snapshot, self.memo.scheme, challenge)

    def _tell_readiness(self) -> bool:
        """Answers a readiness question of a server in front. Returns whether the request was such a question."""
        request = self.request
        if not self._asks_readiness(request.line.asked, request.whole):
            return False
        self.respond(readiness(is_ready=self.plane.is_ready()))
        return True

    def _asks_readiness(self, line: bytes, lines: Sequence[bytes]) -> bool:
        """Whether a server in front asks if this node wants new requests (readiness.py)."""
        return asks_readiness(line, lines) and may_ask(self._counted, self.memo, self.plane.renew().snapshot)

    # --- to the application ---

    def _forward(self, outcome: Forward) -> None:
        """The head for upstream: the client's target byte for byte, its scrubbed lines, then what only we may say."""
        active, request, plane = self.active, self.request, self.plane
        lane, line, framing = request.lane, request.line, request.framing
        assert isinstance(lane, Lane)
        if request.middle_of is not outcome.prepared:
            is_rare = lane.rarely or UPGRADE in request.rare
            prepared = self._prepare_rarely(outcome.prepared) if is_rare else outcome.prepared
            if prepared is None:
                return
            if lane.notes_cookies and request.seat is not None:
                plane.note_cookies(request, prepared)
            if request.unkept:
                request.remember(plane.tables)
            request.middle, request.middle_of = middle_of(request, self.memo, prepared), prepared
        pool = lane.pool or self._choose_pool()
        if pool is None:
            return
        limits = request.limits
        now = plane.timers.now
        patience = IDLE_SECONDS if line.repeatable else FRESH_SECONDS
        self.deadline = active.until = now + limits.timeouts.total
        body = b""
        if framing == NO_BODY:
            ending, idle_since = line.ending, now - patience
        elif 0 < limits.body < framing:
            self._refuse(Refuse(limit_codes.BODY, f"{framing} bytes"))
            return
        else:
            ending, idle_since = framing_line(framing), now - (FRESH_SECONDS if framing else patience)
            if framing and self.reader.state is WAIT and not self.body_done:
                body = self._begin_body(limits.body)
        data = b"".join((line.text, request.middle, request.id, ending, body))
        upstream: ServerConnection | None = self._take_bound(pool) if self.bound is not None else None
        if upstream is None:
            upstream = pool.take(idle_since)
        if upstream is not None:
            self._send(upstream, data)
        plane.counters.overhead(monotonic() - request.started)
        if upstream is None:
            self._connect(pool, data)

    def _prepare_rarely(self, prepared: Prepared) -> Prepared | None:
        """Adds the person's hidden cookies. None: the request waits for these, asks for a tunnel, or is a front's
        question."""
        active, request, plane, seat = self.active, self.request, self.plane, self.request.seat
        if active.question is not None:
            self._allow_front(active.question, prepared)
            return None
        lane = request.lane
        assert isinstance(lane, Lane)
        if lane.hides and seat is not None and seat.session_id:
            found = plane.hidden_cookies.added(request, seat, prepared)
            if isinstance(found, NeedsWork):
                active.task = plane.loop.create_task(self._look_up(seat, found, acted=True))
                return None
            prepared = found
        if UPGRADE in request.rare:
            self._ask_for_tunnel(prepared)
            return None
        return prepared

    def _ask_for_tunnel(self, prepared: Prepared) -> None:
        """RFC 9110 7.8: the application decides whether the connection becomes a tunnel. Where no tunnel is allowed,
        no request is sent: a plain request is not what the client asked for."""
        active, request, plane = self.active, self.request, self.plane
        try:
            check_asked(request, plane.tables.snapshot, self.reader.ahead)
        except GatewayError as error:
            self._refuse(Refuse(error.code, error.detail, close=True))
            return
        # A proxy on the way may take any response for the beginning of a tunnel, and pass on further bytes unread.
        request.keep_alive = False
        if request.application.notes_cookies and request.seat is not None:
            plane.note_cookies(request, prepared)
        request.middle, request.middle_of = middle_of(request, self.memo, prepared), prepared
        self.deadline = active.until = plane.timers.now + request.limits.timeouts.total
        pool = request.application.pool or self._choose_pool()
        if pool is None:
            return
        data = b"".join((request.line.text, request.middle, request.id, UPGRADE_LINES))
        upstream = self._take_bound(pool) if self.bound is not None else None
        if upstream is not None:
            self._send(upstream, data)
        else:
            # A connection that served before may be about to close.
            self._connect(pool, data)

    def _choose_pool(self) -> Pool | None:
        """Chooses an address of several. None: the client got an error, or the body is gathered first."""
        request, lane = self.request, self.request.application
        if lane.gathers_up_to and self._begin_gathering():
            return None
        if lane.group is None:
            return lane.sole
        try:
            return lane.group.choose(request.seat, request.client)
        except GatewayError as error:
            self.upstream_failed(error)
            return None

    def _take_bound(self, pool: Pool) -> ServerConnection | None:
        """The connection on which NTLM or Negotiate was spoken: for the person of then, and never behind a proxy that
        joins many persons' requests on one connection."""
        bound, self.bound = self.bound, None
        assert bound is not None
        memo, seat = self.memo, self.request.seat
        person = memo.bound_to is seat and not (memo.trusted and seat is None)
        if bound.is_free_in(pool) and person:
            return bound
        bound.close()
        return None

    def _connect(self, pool: Pool, data: bytes) -> None:
        """Waits for a new connection. `data`: the head, and the body so far."""
        self.active.sent = data
        self.active.task = pool.connect(self)

    def connected(self, upstream: ServerConnection) -> None:
        """Called by the pool with the awaited connection."""
        self.active.task = None
        try:
            self._send(upstream, self.active.sent)
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    def not_connected(self, error: GatewayError) -> None:
        self.active.task = None
        self.upstream_failed(error)

    def _send(self, upstream: ServerConnection, data: bytes) -> None:
        """Sends the request. `data`: the head, and the body so far."""
        active, request = self.active, self.request
        lane = request.lane
        assert isinstance(lane, Lane)
        requester: Requester = self
        if lane.is_watched:
            active.upstream, requester = between(
                request, self, active.upstream, upstream, self.plane, self._renew_session
            )
        else:
            active.upstream = upstream
        if self.write_paused:
            active.upstream.pause()
        if request.bound:
            upstream.bound = True
        upstream.send(requester, data, request.line.method, request.limits.timeouts)
        active.sent = data
        if not self.body_done:
            self.reader.size_view(active.upstream.room())
            self._invite_body()
        if self.sending is not None:
            self.sending.begin()

    # --- a body that is gathered before the application is asked ---

    @property
    def _is_gathering(self) -> bool:
        """Whether a buffer takes, or has taken, the body of the request under way."""
        return type(self.active.upstream) is GatheredBody

    def _begin_gathering(self) -> bool:
        """Begins to gather the body if the application's file says so and the body is not complete. Returns whether the
        body is gathered: then the application hears nothing until the buffer passes the body on."""
        active, request, plane = self.active, self.request, self.plane
        framing, limits, most = request.framing, request.limits, request.application.gathers_up_to
        if framing in NO_CONTENT or self._is_gathering or self.sending is not None:
            return False
        if framing > min(most, limits.body or most) or 0 < framing <= len(self.reader.ahead):
            # Over the buffer or the body limit, or already here in full.
            return False
        active.until = plane.timers.now + limits.timeouts.total
        active.upstream = gathered = GatheredBody(
            self, plane.buffers, request.lane.name, most, framing, limits.timeouts.body, self._body_gathered
        )
        gathered.write(self._begin_body(limits.body, bare=True))
        self._invite_body()
        return True

    def _body_gathered(self) -> None:
        """It took a while: the prepared headers may have ended, and the person may have left."""
        active, request, gathered = self.active, self.request, self.active.upstream
        assert isinstance(gathered, GatheredBody)
        try:
            if self.body_done:
                request.framing = gathered.framing
            seat, outcome = outcome_of(request, self.plane, monotonic())
            if isinstance(outcome, NeedsStore | NeedsWork):
                active.task = self.plane.loop.create_task(self._look_up_again(gathered, seat, outcome))
            else:
                self._go_on_with(gathered, seat, outcome)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    async def _look_up_again(self, gathered: GatheredBody, known: Seat | None, waits: NeedsStore | NeedsWork) -> None:
        try:
            seat, outcome = await awaited(self.request, self.plane.sessions, known, waits, monotonic)
            self.active.task = None
            self._go_on_with(gathered, seat, outcome)
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self.faulted(fault)

    def _go_on_with(self, gathered: GatheredBody, seat: Seat | None, outcome: Outcome) -> None:
        if isinstance(outcome, Forward):
            self.request.seat = seat
            self._forward(outcome)
            return
        if self.reader.state is BODY:
            # Passes the rest of the body to nobody. The connection closes after the response. The announced length no
            # longer holds.
            self.reader.end_body()
            self.body_paused = False
            self.request.framing = CHUNKED
        self._act(seat, outcome)
        gathered.abandon()

    # --- a second try ---

    def retry(self) -> bool:
        """The kept connection was closed before the request came through: once more, if that can do no harm."""
        active = self.active
        if active.is_repeated or not self._send_again(active.sent):
            return False
        active.is_repeated = True
        return True

    def ask_for_all(self) -> bool:
        """Sends the request again without its Range lines. Returns whether it was sent."""
        line, *lines = self.active.sent.split(b"\r\n")
        whole = not_named(lines, _PARTS)
        return len(whole) < len(lines) and self._send_again(b"\r\n".join((line, *whole)))

    def _send_again(self, data: bytes) -> bool:
        """Whether the request is sent once more, on a new connection, since that can do no harm."""
        request = self.request
        if request.framing not in NO_CONTENT or not request.line.repeatable:
            return False
        if request.middle_of is None or monotonic() >= request.middle_of.valid_until:
            # Invariant 16: the prepared injection may have ended meanwhile.
            return False
        pool = request.application.again(request.seat, request.client)
        if pool is None:
            return False
        self.active.upstream = None
        self._connect(pool, data)
        return True

    def bind(self, connection: ServerConnection) -> None:
        connection.deadline = self.plane.timers.now + self.plane.timeouts.idle
        self.bound = connection
        self.memo.bound_to = self.request.seat

    # --- the response of an application ---

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        active, request = self.active, self.request
        if not (request.keep_alive and request.line.plain and self.body_done) or self.plane.draining:
            return False
        lane = request.lane
        assert isinstance(lane, Lane)
        whole = response.usual(data, end, lane.responses.cache if request.seat is not None else b"")
        if not whole:
            return False
        active.status = status = response.status
        lane.statuses[status // 100] += 1
        active.answering = active.keep = True
        self.transport.write(whole)
        return True

    def interim_response(self, response: ResponseHead) -> None:
        """Passes an interim response to clients of HTTP/1.1 (RFC 9110 15.2)."""
        request = self.request
        if request.line.minor:
            edits = request.application.edits_for(request.host.name)
            self.transport.write(b"".join((*response.pieces(edits=edits, minor=True), b"\r\n\r\n")))

    def response_head(self, response: ResponseHead) -> bytes:
        """The head for the client; decides whether the connection is kept. Raises GatewayError."""
        active, request = self.active, self.request
        status, lane, minor = response.status, request.lane, request.line.minor
        assert isinstance(lane, Lane)
        kept = self.plane.hidden_cookies.taken(request, response) if lane.hides else b""
        active.answering, active.status = True, status
        lane.statuses[status // 100] += 1
        keep = request.keep_alive and self.body_done and not self.plane.draining
        if not response.self_delimited:
            self.chunked_out = minor
            keep = keep and minor
        active.keep = keep
        ending = b"\r\n\r\n"
        if not (keep and minor):
            ending = b"\r\nConnection: %b\r\n\r\n" % (b"keep-alive" if keep else b"close")
        edits, private = lane.edits_for(request.host.name), request.seat is not None
        return b"".join((*response.pieces(lane.responses, edits, minor=minor, private=private), kept, ending))

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """Turns the connection into a tunnel. This object is then no longer used."""
        active, request, plane, lane = self.active, self.request, self.plane, self.request.application
        check_taken(request, response)
        if self.transport.is_closing() or not is_allowed(active, plane.tables):
            # Invariant 12: a change since the request may have ended its permission.
            self.abort()
            return
        try:
            check_waits(self.reader.ahead)
        except GatewayError as error:
            active.give_up()
            self._refuse(Refuse(error.code, error.detail, close=True))
            return
        kept = plane.hidden_cookies.taken(request, response) if lane.hides else b""
        lane.statuses[1] += 1
        edits, private = lane.edits_for(request.host.name), request.seat is not None
        head = response.pieces(lane.responses, edits, minor=True, private=private)
        self.transport.write(b"".join((*head, kept, UPGRADE_LINES)))
        self.reader.state, active.upstream, self.deadline = CLOSED, None, NEVER
        plane.timers.forget(self, self._share)
        self._connections.discard(self)
        if self.bound is not None:
            self.bound.close()
        plane.begin_tunnel(request, self._counted, self.transport, connection, rest)

    def upstream_failed(self, error: GatewayError) -> None:
        self.active.give_up()
        self.plane.upstream_failed(self.request, error)
        if self.active.answering:
            # Half a response is written: only a broken connection says so.
            self.abort()
        else:
            self._refuse(Refuse(error.code, error.detail))

    # --- a response of our own ---

    def _refuse_unread(self, error: GatewayError, head: bytes) -> None:
        """Refuses an unread head under a new id: the present id belongs to the request before, perhaps another
        person's."""
        self.request.id = next(self.plane.ids)
        if error.code in NO_HOST_OF_OURS:
            line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            if self._asks_readiness(line, lines):
                self._respond_unread(readiness(is_ready=self.plane.is_ready()), head)
                return
        self._refuse_head(error, head)

    def _refuse_head(self, error: GatewayError, head: bytes) -> None:
        plane, request_id, seen = self.plane, self.request.id, seen_in(head, self.memo.peer)
        page = head_refusal(plane, error, head, request_id, seen)
        if plane.access_log is not None and self.reader.state is HEAD:
            plane.access_log.unread(request_id, seen, error.code.status, time())
        self._respond_unread(page, head)

    def _respond_unread(self, page: Page, head: bytes) -> None:
        if not self.transport.is_closing():
            # Discards the bytes after the head for a moment, so that a reset does not lose the page.
            self.body_done = False
            self._write_page(page, keep=False, minor=True, head_only=head.startswith(b"HEAD "))

    def _refuse(self, outcome: Refuse) -> None:
        """Refuses a request whose head was read."""
        self.respond(refusal(self.plane, self.request, outcome), close=outcome.close)

    def respond(self, page: Page, *, close: bool = False) -> None:
        request, question = self.request, self.active.question
        if self.transport.is_closing():
            return
        self._skip_body()
        request.lane.statuses[page.status // 100] += 1
        keep = request.keep_alive and self.body_done and not close and not self.plane.draining
        hsts = self.plane.hsts_line if request.lane.stays_secure and self.memo.scheme == "https" else b""
        head_only = is_head_alone(request, question)
        self._write_page(shown(question, page), keep=keep, minor=request.line.minor, head_only=head_only, hsts=hsts)

    def _write_page(self, page: Page, *, keep: bool, minor: bool, head_only: bool, hsts: bytes = b"") -> None:
        active, plane = self.active, self.plane
        poured = self.reader.state is WAIT and len(page.body) > WHOLE and not head_only
        active.keep, active.status, active.answering = keep, page.status, True
        bare = head_only or poured
        self.transport.write(
            page_response(page, date=plane.date_line(), hsts=hsts, keep=keep, minor=minor, head_only=bare)
        )
        if poured:
            self.deadline = active.until = NEVER
            active.upstream = PouredBody(self, page.body, plane.loop)
        else:
            self.answered()

    # --- the end of a request, and of the connection ---

    def answered(self) -> None:
        """Called when the response is written, by the application or by us: the next request follows, or the connection
        ends."""
        active, plane, reader = self.active, self.plane, self.reader
        active.upstream = None
        active.sent = b""
        if plane.access_log is not None and reader.state is not HEAD:
            # A head that was refused unread is logged by _refuse_head.
            plane.access_log.line(active.request, active.status, time(), monotonic() - active.request.started)
        if reader.state is CLOSED:
            return
        if not active.keep:
            self._leave()
            return
        reader.state = HEAD
        active.answering = False
        self.deadline = plane.timers.now + plane.timeouts.idle
        if reader.ahead:
            self.pump()
        elif self.write_paused or not self._reads:
            if self.write_paused:
                self._wait(plane.timeouts.body)
            self._steer()

    def _leave(self) -> None:
        """Closes, but not before the client has had a moment to read: bytes unread here would reset the connection."""
        if self.sending is not None:
            # Does not wait for the rest of the client's body.
            self.body_done = True
            self._end_sending()
        if self.body_done and not self.reader.ahead:
            self.reader.state = CLOSED
            self.transport.close()
            return
        self.reader.linger()
        self.deadline = self.plane.timers.now + _LINGER_SECONDS
        if self.transport.can_write_eof():
            # asyncio's own loop raises here if the client has gone.
            with suppress(OSError):
                self.transport.write_eof()
        self._steer()

    def leave_if_idle(self, within: float) -> None:
        """Called again and again while the worker drains: closes a connection whose next request does not come in
        `within` seconds."""
        if not self.is_idle:
            return
        now = self.plane.timers.now
        self.deadline = min(self.deadline, now + within)
        if self.deadline <= now:
            self.reader.state = CLOSED
            self.transport.close()

    @property
    def is_idle(self) -> bool:
        """Whether the connection waits for the first byte of a request."""
        return self.reader.state is HEAD and not self.reader.ahead and not self.write_paused

    def abort(self) -> None:
        self.active.give_up()
        self.reader.state = CLOSED
        self.transport.abort()

    def faulted(self, fault: Exception) -> None:
        """The one edge: a fault of ours ends the request and the connection, and lets nobody in."""
        state, request = self.reader.state, self.request
        if state is HEAD:
            request.id = next(self.plane.ids)
        self.plane.faulted(fault, request.id)
        try:
            self.active.give_up()
            if self.active.answering or state is CLOSED:
                self.abort()
            else:
                self._refuse_head(GatewayError(gateway_codes.FAULT), b"" if state is HEAD else request.line.asked)
        except Exception as second:  # noqa: BLE001 - the outermost handler
            self.plane.faulted(second, request.id)
            self.abort()
