"""An open request while policy or session change: judged again, and cut once it is no longer allowed.

Invariant 12: no request outlives its session.
"""

from time import monotonic
from typing import Final, Protocol

from gateway.access.application import ConditionalDecision
from gateway.access.outcome import NEVER, Forward, NeedsWork
from gateway.access.pipeline import outcome_of
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import VirtualHost
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.proxy.active import ActiveRequest
from gateway.proxy.lane import HostLane, Lane
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.proxy.tables import RequestTables
from gateway.wire.fences import Fence

_CUT_SECONDS: Final = 5.0


class LastingClient(Protocol):
    """The client connection of a request under way."""

    @property
    def active(self) -> ActiveRequest: ...

    @property
    def plane(self) -> Services: ...

    def has_moved(self, within: float) -> bool:
        """Whether a part of a response or of a body was sent in the last `within` seconds."""

    def abort(self) -> None: ...

    def faulted(self, fault: Exception) -> None: ...


# --- judged again ---


def rejudge(client: LastingClient) -> None:
    """Cuts the request if a change of the policy, of the person or of the time has ended its permission."""
    active = client.active
    if active.task is not None:
        # The request waits for its seat or its connection, for some seconds at most. It is judged afterwards.
        client.plane.loop.call_later(_CUT_SECONDS, _rejudge_later, client, active.request.id)
    elif active.upstream is not None and active.upstream.revalidated and not is_allowed(active, client.plane.tables):
        cut(client)


def _rejudge_later(client: LastingClient, request_id: bytes) -> None:
    if client.active.is_at(request_id):
        rejudge(client)


def is_allowed(active: ActiveRequest, tables: RequestTables) -> bool:
    """Whether the request under way would be let in now."""
    return still_allowed(active.request, active.upstream, tables)


class Reached(Protocol):
    """The upstream end of a request."""

    def is_beyond(self, fence: Fence | None) -> bool: ...


def still_allowed(request: Request, upstream: Reached | None, tables: RequestTables) -> bool:
    """Whether the same application would admit the request again under these tables. `upstream`: the other end."""
    try:
        authority, text = request.host.authority, request.line.asked
        host = (tables.by_host.get(authority) or tables.find(authority)).at(text)
        lane = host.lane
        if not isinstance(lane, Lane) or lane.name != request.lane.name:
            return False
        line = lane.lines.get(text) or lane.read_line(text)
        host.require_own(line.target)
        if request.line.judged != line.judged:
            line = lane.overridden(line, request.line.judged)
        if upstream is not None and upstream.is_beyond(lane.app.upstream.fence):
            return False
        _, outcome = outcome_of(RepeatedRequest(request, host, line), request.seat, monotonic())
        # NeedsWork: headers have to be prepared for a person who is let in.
        return isinstance(outcome, Forward | NeedsWork)
    except GatewayError:
        return False


class RepeatedRequest:
    """The request under way, at the host and by the line that the live tables give it."""

    __slots__ = ("_request", "credential", "host", "line")

    def __init__(self, request: Request, host: VirtualHost[HostLane], line: RequestLine) -> None:
        self._request = request
        self.host = host
        self.line = line
        self.credential = request.credential

    def facts(self) -> RequestFacts:
        return self._request.facts()


def may_change(request: Request) -> bool:
    """Whether the outcome of a request under way may have changed by now, though the policy is the same. Never on a
    portal host without an application, which has no rules."""
    if request.seat is not None:
        kept = request.seat.outcomes
    elif isinstance(request.lane, Lane):
        kept = request.lane.anonymous
    else:
        return False
    outcome = kept.get(request.line.key)
    if outcome is None or isinstance(outcome, ConditionalDecision):
        return True
    # Another request of the person may already have noticed that the time has come.
    return not isinstance(outcome, Forward) or outcome.valid_until != NEVER


# --- cut ---


def cut(client: LastingClient) -> None:
    """Ends the request under way if it is older than 5 s; a younger request is ended in 5 s, unless finished."""
    request = client.active.request
    if monotonic() - request.started > _CUT_SECONDS:
        client.abort()
    else:
        client.plane.loop.call_later(_CUT_SECONDS, _abort_later, client, request.id)


def _abort_later(client: LastingClient, request_id: bytes) -> None:
    if client.active.is_at(request_id):
        client.abort()


# --- the end of its seat ---


def keep_to_seat(client: LastingClient, within: float) -> None:
    """Ends the request with its seat. Called every `within` seconds; an end before the next call gets a timer."""
    request, sessions = client.active.request, client.plane.sessions
    seat, now = request.seat, monotonic()
    if seat is None:
        return
    # The seat of a program has no idle limit to be moved.
    if request.application.app.streams_last and seat.cookie and client.has_moved(within):
        sessions.touch(seat, now)
    elif seat.cookie and now >= seat.refresh_at:
        # The person reads the stream, even where reading does not keep the session open.
        sessions.ask(seat, now)
    if (end := end_of(seat)) <= now + within:
        client.plane.loop.call_later(max(0.0, end - now), _end_with_seat, client, request.id)


def end_of(seat: Seat) -> float:
    """Monotonic seconds. The `deadline` of a program's seat is the next look at its token, before the token ends; no
    store knows that seat."""
    return seat.deadline if seat.cookie else seat.hard_deadline


def _end_with_seat(client: LastingClient, request_id: bytes) -> None:
    active, now = client.active, monotonic()
    seat = active.request.seat
    if not active.is_at(request_id) or seat is None or now < end_of(seat):
        # The request has ended, or the seat was used meanwhile.
        return
    if now >= seat.hard_deadline:
        cut(client)
    else:
        # The idle end by this worker's knowledge: another worker may have postponed it.
        client.plane.loop.create_task(_end_unless_used(client, seat, request_id))


async def _end_unless_used(client: LastingClient, seat: Seat, request_id: bytes) -> None:
    try:
        found = await client.plane.sessions.load(seat.host, seat.cookie)
    except GatewayError:
        # When the store cannot say, the answer is no.
        found = None
    except Exception as fault:  # noqa: BLE001 - the outermost handler
        client.faulted(fault)
        return
    if client.active.is_at(request_id):
        if found is None or monotonic() >= found.deadline:
            cut(client)
        else:
            client.active.request.seat = found
