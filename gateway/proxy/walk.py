"""The walk of one request, once its head is read: who asks, may they, and where it goes."""

from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway.model.codes import (
    LIMIT_BODY,
    SIGN_IN_REQUIRED,
    STORE_UNREACHABLE,
    WIRE_UPGRADE,
)
from gateway.model.decision import Challenge
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED
from gateway.model.session import Seat
from gateway.proxy import portal_lane
from gateway.proxy.asked import asked
from gateway.proxy.callers import admitted_by_token, challenge_program, is_program
from gateway.proxy.exchange import ServerConnection
from gateway.proxy.lane import ALLOW, ASK, CHALLENGE, Ready
from gateway.proxy.places import Places
from gateway.proxy.pool import FRESH_SECONDS, Pool
from gateway.proxy.refusals import deny, refuse, to_https, unauthorized
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import AUTHORIZATION, TRACEPARENT, TRACESTATE, UPGRADE
from gateway.wire.navigation import kind_of

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_TOUCH_AFTER: Final = 1.0


def admit(client: "ClientConnection") -> None:
    """From the head to our cookie."""
    if client.redirects:
        to_https(client)
        return
    request, memo = client.request, client.memo
    place = request.place
    if place is not memo.place:
        memo.tell_forwarded(place, request.rare, client.plane.places)
    if request.spot.ours:
        request.seat = None
        portal_lane.own_path(client)
        return
    if request.rare and AUTHORIZATION in request.rare:
        app = request.lane.app
        if app is not None and app.api is not None and admitted_by_token(client, app, decide):
            return
    try:
        cookie = request.cookie
        request.seat_cookie, request.cookie_rest = (None, b"") if cookie is None else memo.cookie_parts(cookie, place)
    except GatewayError as error:
        refuse(client, error.code, detail=error.detail, close=True)
        return
    request.admitted = True
    be_seated(client)


def be_seated(client: "ClientConnection") -> None:
    """From our cookie to the seat."""
    request = client.request
    value = request.seat_cookie
    if value is None:
        decide(client, None)
        return
    seat = client.plane.sessions.cached(request.place.host, value)
    if seat is not None:
        decide(client, seat)
    else:
        request.seat = None
        client.task = client.plane.loop.create_task(_load(client, request.place.host, value))


async def _load(client: "ClientConnection", host: str, value: bytes) -> None:
    """A seat that this worker does not hold: the client waits, and nothing more of it is read."""
    try:
        try:
            seat = await client.plane.sessions.load(host, value)
        except GatewayError as error:
            client.task = None
            _without_store(client, error)
        else:
            client.task = None
            if seat is not None:
                client.plane.admission.seen(client.memo.peer, client.request.started)
            decide(client, seat)
        # What has come of its body waits to be read, and reading with it.
        client.pump()
    except Exception as fault:  # noqa: BLE001 - the one edge
        client.faulted(fault)


def _without_store(client: "ClientConnection", error: GatewayError) -> None:
    """Invariant 9: what needs a person is 503, what is everybody's is served to nobody in particular."""
    request = client.request
    if _answered(client, request.lane.passage(request.spot, None)).kind == ALLOW:
        decide(client, None)
    else:
        refuse(client, STORE_UNREACHABLE, detail=error.detail)


def decide(client: "ClientConnection", seat: Seat | None) -> None:
    """From the seat to the decision: a dead seat is nobody's, and no fault leads to `forward`."""
    request = client.request
    if seat is not None:
        if not seat.live:
            seat = None
        elif seat.deadline - request.started < seat.idle - _TOUCH_AFTER:
            client.plane.sessions.touch(seat, request.started)
            client.plane.admission.seen(client.memo.peer, request.started)
    request.seat = seat
    lane, spot = request.lane, request.spot
    if seat is None:
        kept = lane.anonymous.get(spot.key)
    else:
        # The key is this lane's alone: no passage of another snapshot is ever found by it.
        kept = seat.passages.get(spot.key)
    ready: Ready = kept or lane.passage(spot, seat)  # type: ignore[assignment]
    ready.tally[0] += 1
    request.ready = ready
    if ready.kind == ALLOW:
        forward(client, ready)
    elif ready.kind == ASK:
        _follow(client, _answered(client, ready))
    else:
        _refuse(client, ready)


def _follow(client: "ClientConnection", ready: Ready) -> None:
    """What was decided for this one request."""
    ready.tally[0] += 1
    client.request.ready = ready
    if ready.kind == ALLOW:
        forward(client, ready)
    else:
        _refuse(client, ready)


def _refuse(client: "ClientConnection", ready: Ready) -> None:
    if ready.kind == CHALLENGE:
        challenge(client, ready)
    else:
        deny(client, ready)


def _answered(client: "ClientConnection", ready: Ready) -> Ready:
    """Where a rule turns on the request itself: what it comes to for the one that is here."""
    return ready if ready.question is None else ready.question.answer(asked(client))


def challenge(client: "ClientConnection", ready: Ready) -> None:
    """Invariant 10: a sign-in starts only for a top-level navigation."""
    request = client.request
    decision = ready.decision
    reason, need = SIGN_IN_REQUIRED, NO_NEED
    if isinstance(decision, Challenge):
        reason, need = decision.reason, decision.need
    if request.seat is not None and is_program(request.seat):
        challenge_program(client, reason, need)
        return
    kind = kind_of(request.spot.method, request.fields)
    if kind == "navigation":
        portal_lane.challenge(client, reason, need)
    else:
        unauthorized(client, reason, kind, need)


def may_change(client: "ClientConnection") -> bool:
    """Whether what is under way could be answered otherwise by now, though the policy is the same."""
    request = client.request
    kept = request.lane.anonymous if request.seat is None else request.seat.passages
    ready = kept.get(request.spot.key)
    return not isinstance(ready, Ready) or ready.question is not None


def stands(client: "ClientConnection", places: Places) -> bool:
    """Invariant 12: whether what is under way would be let in now, under this snapshot, by the same application."""
    request = client.request
    try:
        authority, line = request.place.authority, request.spot.line
        lane = (places.by_host.get(authority) or places.find(authority)).lane
        if lane.app is None or lane.name != request.lane.name:
            return False
        spot = lane.lines.get(line) or lane.read_line(line)
        if request.spot.judged != spot.judged:
            spot = lane.overridden(spot, request.spot.judged)
        ready = lane.passage(spot, request.seat)
        if client.upstream is not None and client.upstream.is_beyond(lane.app.upstream.fence):
            return False
        return _answered(client, ready).kind == ALLOW
    except GatewayError:
        return False


# --- to the application ---


def forward(client: "ClientConnection", ready: Ready) -> None:
    """The head for upstream: the client's target byte for byte, its scrubbed lines, then what only we may say."""
    request, plane = client.request, client.plane
    lane, spot, framing = request.lane, request.spot, request.framing
    if request.middle_of is not ready:
        if UPGRADE in request.rare:
            # RFC 9110 7.8: none is carried yet, and a plain request is not what was asked for.
            refuse(client, WIRE_UPGRADE, detail=f"Upgrade: {request.rare[UPGRADE][:40]!r}", close=True)
            return
        request.middle, request.middle_of = _middle(client, ready), ready
    now = plane.timers.now
    client.deadline = client.until = now + lane.timeouts.total
    body = b""
    if framing == NO_BODY:
        ending, idle_since = spot.ending, now - spot.patience
    elif 0 < lane.body_limit < framing:
        refuse(client, LIMIT_BODY, detail=f"{framing} bytes")
        return
    else:
        ending, idle_since = _framed(framing), now - (FRESH_SECONDS if framing else spot.patience)
        if framing:
            body = client.begin_body(lane.body_limit)
    data = b"".join((spot.line, request.middle, request.id, ending, body))
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


def _middle(client: "ClientConnection", ready: Ready) -> bytes:
    """From Host to the request id's name. The same as long as the client's lines and the passage are."""
    request, memo = client.request, client.memo
    parts = [request.place.line, *request.lines]
    rest = request.cookie_rest
    if request.lane.is_told and request.seat is not None:
        client.plane.told_of(request, rest)
    if rest or ready.cookies:
        # Ours first: a client's `$Version=1`, or a quote that it does not close, tells no server how to read them.
        parts += (b"\r\nCookie: ", ready.cookies, b"; " if rest and ready.cookies else b"", rest)
    parts += (memo.forwarded, ready.headers)
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
