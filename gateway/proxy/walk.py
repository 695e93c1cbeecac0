"""The walk of one request, once its head is read: what it brings, what comes of that (gateway.access), and where it
goes."""

from abc import abstractmethod
from collections.abc import Sequence
from time import monotonic
from typing import Final, Literal, assert_never

from gateway.access.inbound import InboundRequest
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, Prepared, Refuse, RequireSignIn, ToPortal
from gateway.access.pipeline import awaited, outcome_of
from gateway.access.program import is_program, token_of
from gateway.formlogin.spec import ApplicationSession
from gateway.model.codes import form_login_codes, limit_codes, route_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeepPosts
from gateway.model.redirects import Redirects
from gateway.model.session import Seat
from gateway.proxy.buffers.gathering import Gathering
from gateway.proxy.counted_for import count
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.forward_auth import is_question, said_of
from gateway.proxy.lane import Lane
from gateway.proxy.outgoing_head import framing_line, middle_of
from gateway.proxy.portal_exchange import count_unread
from gateway.proxy.portal_lane import PortalPurpose, body_limit, inbound_request, is_embedded
from gateway.proxy.posts.keeping import admitted, keeping, limit_of
from gateway.proxy.rates import NOBODY
from gateway.proxy.readiness import readiness
from gateway.proxy.reading import WAIT
from gateway.proxy.refusals import program_refusal, to_https, unauthorized
from gateway.proxy.services import Services
from gateway.proxy.upgrade import UPGRADE_LINES, check_asked
from gateway.proxy.upstream.pool import FRESH_SECONDS, Pool
from gateway.proxy.upstream.state import IDLE_SECONDS
from gateway.stores.posts.bodies import PostWriter
from gateway.wire.framing import NO_BODY, NO_CONTENT
from gateway.wire.fronts import Front
from gateway.wire.headers import AUTHORIZATION, UPGRADE
from gateway.wire.hop_by_hop import not_named
from gateway.wire.navigation import kind_of

_TOUCH_AFTER: Final = 1.0
_AUTHORIZATION: Final = frozenset({b"authorization"})


class Walk(Gathering):
    """The walk of a client connection's requests. `bound`: its own connection to an application. `pending`: what is to
    be sent, once there is a connection. `retried`: that was sent twice. `renewed`: the person was signed in at the
    application anew for this request. `redirects`: what the listener leads to https. `counted`: for whom the request
    was, where how often somebody asks is bounded."""

    __slots__ = ("bound", "chunked_out", "counted", "pending", "redirects", "renewed", "retried")

    def __init__(self, plane: Services, *, redirects: Redirects) -> None:
        super().__init__(plane)
        self.redirects = redirects
        self.bound: ServerConnection | None = None
        self.pending = b""
        self.counted = NOBODY
        self.retried = self.renewed = self.chunked_out = False

    # --- what the connection itself does ---

    @abstractmethod
    def send(self, upstream: ServerConnection, data: bytes) -> None:
        """`data`: the head, and what there is of the body."""

    @abstractmethod
    def upstream_failed(self, error: GatewayError) -> None:
        """The request has no response, and its client is told."""

    @abstractmethod
    def connected(self, upstream: ServerConnection) -> None: ...

    @abstractmethod
    def not_connected(self, error: GatewayError) -> None: ...

    @abstractmethod
    def exchange_with_portal(self, inbound: InboundRequest, body: bytes) -> None: ...

    @abstractmethod
    def asks_readiness(self, line: bytes, lines: Sequence[bytes]) -> bool:
        """Whether a server in front asks for itself whether this node wants new requests (proxy/readiness.py)."""

    @abstractmethod
    def keep_body(self, inbound: InboundRequest, writer: PostWriter, limit: int) -> None:
        """The body goes to a file, then `inbound` to the portal. `limit`: bytes."""

    # --- from the head to the outcome ---

    def go(self, front: Front | None = None) -> None:
        """The request is read, and goes its way. `front`: who asks about it."""
        request = self.request
        request.id, request.decided = next(self.plane.ids), None
        request.limits = request.lane.exchange or request.application.limits_at(request.line)
        self.state = WAIT
        self.retried = self.renewed = self.chunked_out = False
        self.front = front
        self.counted = NOBODY
        self.body_done = True
        if request.framing not in NO_CONTENT:
            self.body_done = self.body_paused = False
            self._upload = None
        if request.admitted and request.line.purpose == "application":
            # The lines are those of the request before: what they bring holds.
            seat, outcome = outcome_of(request, self.plane, request.started)
            self.act(seat, outcome)
        elif self.redirects != "nothing" and (self.redirects == "all" or request.lane.is_secure):
            if request.line.purpose == "endpoint" and self._said_ready():
                return
            page = to_https(request)
            self.refuse(page) if isinstance(page, Refuse) else self.respond(page, close=True)
        else:
            self.admit()

    def admit(self) -> None:
        """What the lines bring, read once for the same lines; then the pipeline."""
        request, memo = self.request, self.memo
        host = request.host
        if host is not memo.host:
            memo.tell_forwarded(host, request.rare, self.plane.tables)
            request.client = memo.chain[0]
        if request.line.purpose == "application" and not (AUTHORIZATION in request.rare and self._brought_by_program()):
            try:
                cookie = request.cookie
                request.credential, request.cookie_rest = (
                    (None, b"") if cookie is None else memo.cookie_parts(cookie, host)
                )
            except GatewayError as error:
                self.refuse(Refuse(error.code, error.detail, close=True))
                return
            request.admitted = True
        seat, outcome = outcome_of(request, self.plane, request.started)
        if seat is not None:
            host.let_in = True
            if memo.client is not None:
                memo.client.let_in = True
        self.act(seat, outcome)

    def _brought_by_program(self) -> bool:
        """Whether a token says who asks. A cookie that comes with it says nothing."""
        request, api = self.request, self.request.application.app.api
        if api is None:
            return False
        token = token_of(api, request.line.target.segments, request.rare[AUTHORIZATION], request.values_of)
        if token is None or self.plane.callers is None:
            return False
        # Not even to the application, nor to the portal.
        request.cookie, request.cookie_rest = None, b""
        request.credential = token
        if not api.forward:
            request.lines = not_named(request.lines, _AUTHORIZATION)
        return True

    def act(self, seat: Seat | None, outcome: Outcome) -> None:
        """The one place where an outcome has effects. No fault leads to `forward`."""
        request = self.request
        request.seat = seat
        if request.lane.is_bounded and (instead := self._too_many(seat, outcome)) is not None:
            outcome = instead
        if seat is not None:
            request.line.let_in = True
            if seat.deadline - request.started < seat.idle - _TOUCH_AFTER:
                self.plane.sessions.touch(seat, request.started)
                self.plane.admission.seen(self.memo.peer, request.started)
        if isinstance(outcome, Forward):
            # What nearly every request comes to; a match costs more.
            by = request.decided = outcome.by
            by.tally[0] += 1
            self.forward(outcome)
            return
        if self.front is not None and (page := said_of(self.front, outcome)) is not None:
            self.respond(page)
            return
        match outcome:
            case Refuse():
                if outcome.by is not None:
                    outcome.by.tally[0] += 1
                    request.decided = outcome.by
                self.refuse(outcome)
            case RequireSignIn():
                outcome.by.tally[0] += 1
                request.decided = outcome.by
                self.challenge(outcome)
            case ToPortal():
                self.ask_portal(outcome.purpose)
            case NeedsStore() | NeedsWork():
                self.task = self.plane.loop.create_task(self._await(seat, outcome))
            case _:
                assert_never(outcome)

    def _too_many(self, seat: Seat | None, outcome: Outcome) -> Refuse | NeedsStore | None:
        """Counts the request. None: no rate is exceeded. A kept form is not counted again: its click was."""
        if self.sending is not None:
            return None
        self.counted, instead = count(self.request, self.memo, self.plane, seat, outcome, self.counted)
        return instead

    async def _await(self, known: Seat | None, waits: NeedsStore | NeedsWork, *, acted: bool = False) -> None:
        """The client waits meanwhile, and nothing more of it is read. `acted`: the outcome was counted before."""
        try:
            seat, outcome = await awaited(self.request, self.plane.sessions, known, waits, monotonic)
            self.task = None
            if seat is not None:
                self.plane.admission.seen(self.memo.peer, self.request.started)
            if acted and isinstance(outcome, Forward):
                self.forward(outcome)
            else:
                self.act(seat, outcome)
            # What has come of its body waits to be read, and reading with it.
            self.pump()
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    def challenge(self, outcome: RequireSignIn) -> None:
        """Invariant 10: a sign-in starts only for a top-level navigation; a frame may get a seat of a session."""
        request = self.request
        if request.seat is not None and is_program(request.seat):
            provider, ladder = request.seat.identity.provider, self.plane.tables.snapshot.ladder
            self.refuse(program_refusal(outcome, provider, ladder))
            return
        if self.sending is not None:
            self.respond(self.sending.to_sign_in(outcome))
            return
        kind = kind_of(request.line.method, request.fields)
        keep = None if self.front is not None or self.is_gathering else keeping(request)
        if kind == "navigation" and keep is not None:
            self.until = self.plane.timers.now + request.lane.timeouts.total
            self.deadline = self.plane.timers.now + request.lane.timeouts.first_byte
            self.task = self.plane.loop.create_task(self._keep(outcome, keep))
        elif kind == "navigation" or (kind == "frame" and is_embedded(request)):
            # The body of a form stays here: it was meant for the application and is not for the portal to see.
            self.exchange_with_portal(self._inbound("challenge", outcome), b"")
        else:
            self.respond(unauthorized(self.plane, request, outcome, kind))

    def session_ended(self, session: ApplicationSession) -> None:
        """The application says so of its session: the person is signed in there again, once for a request."""
        request, preparation = self.request, self.plane.preparation
        assert request.seat is not None
        assert preparation is not None
        self.upstream = None
        preparation.ended(request.application.app, request.seat, session, request.started)
        if self.renewed:
            self.refuse(Refuse(form_login_codes.LOOP, "it says so of a session that has just begun"))
            return
        self.renewed = True
        seat, outcome = outcome_of(request, request.seat, monotonic())
        self.act(seat, outcome)

    async def _keep(self, outcome: RequireSignIn, keep: KeepPosts) -> None:
        """The form is not lost, if the store knows its cookie for one of a session that has ended."""
        try:
            writer = await admitted(self.request, self.plane, keep)
            self.task = None
            inbound = self._inbound("challenge", outcome)
            if writer is None:
                self.exchange_with_portal(inbound, b"")
            else:
                self.keep_body(inbound, writer, limit_of(self.request, keep))
            self.pump()
        except GatewayError as error:
            self.task = None
            self.plane.counters.add("ecluse_posts_total", self.request.lane.name, "refused")
            self.body_failed(error)
        except Exception as fault:  # noqa: BLE001 - the one edge
            self.faulted(fault)

    # --- to the portal ---

    def ask_portal(self, purpose: Literal["endpoint", "logout"]) -> None:
        request, body = self.request, b""
        if purpose == "endpoint":
            if self._said_ready():
                return
            if is_question(request, self.plane.tables.snapshot):
                self.asked_by_front()
                return
            if request.host.for_questions:
                self.refuse(
                    Refuse(
                        route_codes.HOST_UNKNOWN, f"{request.host.name}, forward_auth.host, has no pages", close=True
                    )
                )
                return
            limit = body_limit(request)
            if request.framing > limit:
                count_unread(self.plane, self._inbound(purpose))
                self.refuse(Refuse(limit_codes.BODY, f"{request.framing} bytes"))
                return
            # A form is small: a client that needs longer for it holds room that others need.
            timeouts = self.plane.timeouts
            self.until = self.plane.timers.now + min(timeouts.total, max(timeouts.body, timeouts.first_byte))
            body = b"" if self.body_done else self.begin_body(limit, bare=True)
        self.exchange_with_portal(self._inbound(purpose), body)

    def _said_ready(self) -> bool:
        """Whether the request was the question of a server in front, which has its answer now."""
        request = self.request
        if not self.asks_readiness(request.line.asked, request.whole):
            return False
        self.respond(readiness(is_ready=self.plane.is_ready()))
        return True

    def _inbound(self, purpose: PortalPurpose, challenge: RequireSignIn | None = None) -> InboundRequest:
        return inbound_request(self.request, purpose, self.plane.tables.snapshot, self.memo.scheme, challenge)

    # --- to the application ---

    def forward(self, outcome: Forward) -> None:
        """The head for upstream: the client's target byte for byte, its scrubbed lines, then what only we may say."""
        request, plane = self.request, self.plane
        lane, line, framing = request.lane, request.line, request.framing
        assert isinstance(lane, Lane)
        if request.middle_of is not outcome.prepared:
            is_rare = lane.rarely or UPGRADE in request.rare
            prepared = self._rarely_prepared(outcome.prepared) if is_rare else outcome.prepared
            if prepared is None:
                return
            if lane.notes_cookies and request.seat is not None:
                plane.note_cookies(request, prepared)
            if request.unkept:
                request.remember(plane.tables)
            request.middle, request.middle_of = middle_of(request, self.memo, prepared), prepared
        pool = lane.pool or self._chosen()
        if pool is None:
            return
        limits = request.limits
        now = plane.timers.now
        patience = IDLE_SECONDS if line.repeatable else FRESH_SECONDS
        self.deadline = self.until = now + limits.timeouts.total
        body = b""
        if framing == NO_BODY:
            ending, idle_since = line.ending, now - patience
        elif 0 < limits.body < framing:
            self.refuse(Refuse(limit_codes.BODY, f"{framing} bytes"))
            return
        else:
            ending, idle_since = framing_line(framing), now - (FRESH_SECONDS if framing else patience)
            if framing and self.state is WAIT and not self.body_done:
                body = self.begin_body(limits.body)
        data = b"".join((line.text, request.middle, request.id, ending, body))
        upstream: ServerConnection | None = self._own(pool) if self.bound is not None else None
        if upstream is None:
            upstream = pool.take(idle_since)
        if upstream is not None:
            self.send(upstream, data)
        plane.counters.overhead(monotonic() - request.started)
        if upstream is None:
            self.pending = data
            self.task = pool.connect(self)

    def _chosen(self) -> Pool | None:
        """Of several addresses, the one for this request. None: the client is told why, or its body is gathered."""
        request, lane = self.request, self.request.application
        if lane.gathers_up_to and self.begin_gathering():
            return None
        if lane.group is None:
            return lane.sole
        try:
            return lane.group.choose(request.seat, request.client)
        except GatewayError as error:
            self.upstream_failed(error)
            return None

    def _rarely_prepared(self, prepared: Prepared) -> Prepared | None:
        """With the person's hidden cookies. None: the request waits for these, asks for a tunnel, or a front has asked
        about it."""
        request, plane, seat = self.request, self.plane, self.request.seat
        if self.front is not None:
            self.permit(self.front, prepared)
            return None
        if request.application.hides and seat is not None and seat.session_id:
            found = plane.hidden_cookies.added(request, seat, prepared)
            if isinstance(found, NeedsWork):
                self.task = plane.loop.create_task(self._await(seat, found, acted=True))
                return None
            prepared = found
        if UPGRADE in request.rare:
            self.ask_for_tunnel(prepared)
            return None
        return prepared

    def ask_for_tunnel(self, prepared: Prepared) -> None:
        """RFC 9110 7.8: whether it becomes one, the application says. A plain request is not what was asked for, and
        where no tunnel may be none is sent."""
        request, plane = self.request, self.plane
        try:
            check_asked(request, plane.tables.snapshot, self.ahead)
        except GatewayError as error:
            self.refuse(Refuse(error.code, error.detail, close=True))
            return
        # A proxy on the way may take any response for the beginning of a tunnel: what follows is no request to it.
        request.keep_alive = False
        if request.application.notes_cookies and request.seat is not None:
            plane.note_cookies(request, prepared)
        request.middle, request.middle_of = middle_of(request, self.memo, prepared), prepared
        self.deadline = self.until = plane.timers.now + request.limits.timeouts.total
        data = b"".join((request.line.text, request.middle, request.id, UPGRADE_LINES))
        pool = request.application.pool or self._chosen()
        if pool is None:
            return
        upstream = self._own(pool) if self.bound is not None else None
        if upstream is not None:
            self.send(upstream, data)
        else:
            # A connection that served before may be about to close.
            self.pending = data
            self.task = pool.connect(self)

    def _own(self, pool: Pool) -> ServerConnection | None:
        """The connection on which NTLM or Negotiate was spoken: for the person of then, and for nobody behind a proxy
        that joins many persons' requests on one connection."""
        bound, self.bound = self.bound, None
        assert bound is not None
        memo, seat = self.memo, self.request.seat
        person = memo.bound_to is seat and not (memo.trusted and seat is None)
        if bound.is_free_in(pool) and person:
            return bound
        bound.close()
        return None
