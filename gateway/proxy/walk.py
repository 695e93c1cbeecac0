"""The walk of one request, once its head is read: what it brings, what comes of that (gateway.access), and where it
goes."""

from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, assert_never

from gateway.access.application import ConditionalDecision
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, Prepared, Refuse, RequireSignIn, ToPortal
from gateway.access.pipeline import awaited, outcome_of
from gateway.access.program import is_program, token_of
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import VirtualHost
from gateway.model.codes import LIMIT_BODY, WIRE_UPGRADE
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.lane import Lane
from gateway.proxy.portal_exchange import PortalExchange
from gateway.proxy.portal_lane import PortalPurpose, body_limit, inbound_request
from gateway.proxy.reading import WAIT
from gateway.proxy.refusals import program_refusal, unauthorized
from gateway.proxy.request import Request
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.connection import IDLE_SECONDS
from gateway.proxy.upstream.pool import FRESH_SECONDS, Pool
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import AUTHORIZATION, TRACEPARENT, TRACESTATE, UPGRADE
from gateway.wire.hop_by_hop import without_named
from gateway.wire.navigation import kind_of

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_TOUCH_AFTER: Final = 1.0
_AUTHORIZATION: Final = frozenset({b"authorization"})


def admit(client: "ClientConnection") -> None:
    """What the lines bring, read once for the same lines; then the pipeline."""
    request, memo = client.request, client.memo
    host = request.host
    if host is not memo.host:
        memo.tell_forwarded(host, request.rare, client.plane.tables)
        request.client = memo.chain[0]
    if request.line.purpose == "application" and not (AUTHORIZATION in request.rare and _brought_by_program(client)):
        try:
            cookie = request.cookie
            request.credential, request.cookie_rest = (None, b"") if cookie is None else memo.cookie_parts(cookie, host)
        except GatewayError as error:
            client.refuse(Refuse(error.code, error.detail, close=True))
            return
        request.admitted = True
    act(client, *outcome_of(request, client.plane, request.started))


def _brought_by_program(client: "ClientConnection") -> bool:
    """Whether a token says who asks. A cookie that comes with it says nothing."""
    request, app = client.request, client.request.lane.app
    if app is None or app.api is None:
        return False
    token = token_of(app.api, request.line.target.segments, request.rare[AUTHORIZATION], request.values_of)
    if token is None or client.plane.callers is None:
        return False
    # Not even to the application, nor to the portal.
    request.cookie, request.cookie_rest = None, b""
    request.credential = token
    if not app.api.forward:
        request.lines = without_named(request.lines, _AUTHORIZATION)
    return True


def act(client: "ClientConnection", seat: Seat | None, outcome: Outcome) -> None:
    """The one place where an outcome has effects. No fault leads to `forward`."""
    request = client.request
    request.seat = seat
    if seat is not None and seat.deadline - request.started < seat.idle - _TOUCH_AFTER:
        client.plane.sessions.touch(seat, request.started)
        client.plane.admission.seen(client.memo.peer, request.started)
    match outcome:
        case Forward():
            outcome.by.tally[0] += 1
            request.decided = outcome.by
            forward(client, outcome)
        case Refuse():
            if outcome.by is not None:
                outcome.by.tally[0] += 1
                request.decided = outcome.by
            client.refuse(outcome)
        case RequireSignIn():
            outcome.by.tally[0] += 1
            request.decided = outcome.by
            challenge(client, outcome)
        case ToPortal():
            ask_portal(client, outcome.purpose)
        case NeedsStore() | NeedsWork():
            client.task = client.plane.loop.create_task(_await(client, seat, outcome))
        case _:
            assert_never(outcome)


async def _await(client: "ClientConnection", known: Seat | None, waits: NeedsStore | NeedsWork) -> None:
    """The client waits meanwhile, and nothing more of it is read."""
    try:
        seat, outcome = await awaited(client.request, client.plane.sessions, known, waits, monotonic)
        client.task = None
        if seat is not None:
            client.plane.admission.seen(client.memo.peer, client.request.started)
        act(client, seat, outcome)
        # What has come of its body waits to be read, and reading with it.
        client.pump()
    except Exception as fault:  # noqa: BLE001 - the one edge
        client.faulted(fault)


def challenge(client: "ClientConnection", outcome: RequireSignIn) -> None:
    """Invariant 10: a sign-in starts only for a top-level navigation."""
    request = client.request
    if request.seat is not None and is_program(request.seat):
        provider, ladder = request.seat.identity.provider, client.plane.tables.snapshot.ladder
        client.refuse(program_refusal(outcome, provider, ladder))
        return
    kind = kind_of(request.line.method, request.fields)
    if kind == "navigation":
        # The body of a form stays here: it was meant for the application and is not for the portal to see.
        _exchange_with_portal(client, "challenge", b"", outcome)
    else:
        client.respond(unauthorized(client.plane, request, outcome, kind))


# --- to the portal ---


def ask_portal(client: "ClientConnection", purpose: Literal["endpoint", "logout"]) -> None:
    request, body = client.request, b""
    if purpose == "endpoint":
        limit = body_limit(request)
        if request.framing > limit:
            client.refuse(Refuse(LIMIT_BODY, f"{request.framing} bytes"))
            return
        # A form is small: a client that needs longer for it holds room that others need.
        timeouts = client.plane.timeouts
        client.until = client.plane.timers.now + min(timeouts.total, max(timeouts.body, timeouts.first_byte))
        body = b"" if client.body_done else client.begin_body(limit, bare=True)
    _exchange_with_portal(client, purpose, body)


def _exchange_with_portal(
    client: "ClientConnection", purpose: PortalPurpose, body: bytes, challenge: RequireSignIn | None = None
) -> None:
    request = client.request
    call = inbound_request(request, purpose, client.plane.tables.snapshot, client.memo.scheme, challenge)
    client.upstream = exchange = PortalExchange(client, client.plane, call, request.lane.timeouts.first_byte)
    try:
        exchange.write(body)
    except GatewayError as error:
        client.upstream = None
        client.refuse(Refuse(error.code, error.detail, close=True))
        return
    if client.state is WAIT:
        exchange.ask()
    else:
        client.invite_body()


# --- what is under way, looked at again ---


class AskedAgain:
    """The request under way, at the host and by the line that it would have now."""

    __slots__ = ("_request", "credential", "host", "line")

    def __init__(self, request: Request, host: VirtualHost[Lane], line: RequestLine) -> None:
        self._request = request
        self.host = host
        self.line = line
        self.credential = request.credential

    def facts(self) -> RequestFacts:
        return self._request.facts()


def may_change(client: "ClientConnection") -> bool:
    """Whether what is under way could come to something else by now, though the policy is the same."""
    request = client.request
    kept = request.lane.anonymous if request.seat is None else request.seat.outcomes
    outcome = kept.get(request.line.key)
    return outcome is None or isinstance(outcome, ConditionalDecision)


def still_allowed(client: "ClientConnection", tables: RequestTables) -> bool:
    """Invariant 12: whether what is under way would be let in now, under this snapshot, by the same application."""
    request = client.request
    try:
        authority, text = request.host.authority, request.line.text
        host = tables.by_host.get(authority) or tables.find(authority)
        lane = host.lane
        if lane.app is None or lane.name != request.lane.name:
            return False
        line = lane.lines.get(text) or lane.read_line(text)
        if request.line.judged != line.judged:
            line = lane.overridden(line, request.line.judged)
        if client.upstream is not None and client.upstream.is_beyond(lane.app.upstream.fence):
            return False
        _, outcome = outcome_of(AskedAgain(request, host, line), request.seat, monotonic())
        # What has to be prepared anew is prepared for somebody who is let in.
        return isinstance(outcome, Forward | NeedsWork)
    except GatewayError:
        return False


# --- to the application ---


def forward(client: "ClientConnection", outcome: Forward) -> None:
    """The head for upstream: the client's target byte for byte, its scrubbed lines, then what only we may say."""
    request, plane = client.request, client.plane
    lane, line, framing = request.lane, request.line, request.framing
    if request.middle_of is not outcome:
        if UPGRADE in request.rare:
            # RFC 9110 7.8: none is carried yet, and a plain request is not what was asked for.
            client.refuse(Refuse(WIRE_UPGRADE, f"Upgrade: {request.rare[UPGRADE][:40]!r}", close=True))
            return
        request.middle, request.middle_of = _middle(client, outcome.prepared), outcome
    now = plane.timers.now
    patience = IDLE_SECONDS if line.repeatable else FRESH_SECONDS
    client.deadline = client.until = now + lane.timeouts.total
    body = b""
    if framing == NO_BODY:
        ending, idle_since = line.ending, now - patience
    elif 0 < lane.body_limit < framing:
        client.refuse(Refuse(LIMIT_BODY, f"{framing} bytes"))
        return
    else:
        ending, idle_since = _framed(framing), now - (FRESH_SECONDS if framing else patience)
        if framing:
            body = client.begin_body(lane.body_limit)
    data = b"".join((line.text, request.middle, request.id, ending, body))
    pool: Pool = lane.pool  # type: ignore[assignment]
    upstream: ServerConnection | None = _own(client, pool) if client.bound is not None else None
    if upstream is None:
        upstream = pool.take(idle_since)
    if upstream is not None:
        client.send(upstream, data)
    plane.counters.overhead(monotonic() - request.started)
    if upstream is None:
        client.pending = data
        client.task = pool.connect(client)


def _framed(framing: int) -> bytes:
    """The end of a head before a body."""
    return (
        b"\r\nTransfer-Encoding: chunked\r\n\r\n" if framing == CHUNKED else b"\r\nContent-Length: %d\r\n\r\n" % framing
    )


def _middle(client: "ClientConnection", prepared: Prepared) -> bytes:
    """From Host to the request id's name. The same as long as the client's lines and what is prepared are."""
    request, memo = client.request, client.memo
    parts = [request.host.line, *request.lines]
    rest = request.cookie_rest
    if request.lane.is_told and request.seat is not None:
        client.plane.told_of(request, rest)
    if rest or prepared.cookies:
        # Ours first: a client's `$Version=1`, or a quote that it does not close, tells no server how to read them.
        parts += (b"\r\nCookie: ", prepared.cookies, b"; " if rest and prepared.cookies else b"", rest)
    parts += (memo.forwarded, prepared.headers)
    if memo.trusted and request.rare:
        parts += _trace(request.rare)
    parts.append(b"\r\nX-Request-Id: ")
    return b"".join(parts)


def _trace(rare: dict[int, bytes]) -> tuple[bytes, ...]:
    """From a listed proxy only: a stranger's trace ids would join unrelated traces."""
    parent = rare.get(TRACEPARENT)
    if parent is None:
        return ()
    state = rare.get(TRACESTATE)
    return (b"\r\ntraceparent: ", parent) + (() if state is None else (b"\r\ntracestate: ", state))


def _own(client: "ClientConnection", pool: Pool) -> ServerConnection | None:
    """The connection on which NTLM or Negotiate was spoken: for the person of then, and for nobody behind a proxy
    that joins many persons' requests on one connection."""
    bound, client.bound = client.bound, None
    assert bound is not None
    memo, seat = client.memo, client.request.seat
    person = memo.bound_to is seat and not (memo.trusted and seat is None)
    if bound.is_free_in(pool) and person:
        return bound
    bound.close()
    return None
