"""The pipeline: from a request's host, line and credentials to its outcome.

Live traffic, trials without serving, and the re-judging of open requests call this one function.
"""

from collections.abc import Callable
from typing import Final, Protocol

from gateway.access.application import ApplicationAccess, ConditionalDecision
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, ReadyOutcome, Refuse, ToPortal
from gateway.access.program import ProgramToken, not_accepted
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import AnyAccess, VirtualHost
from gateway.model.codes import gateway_codes, route_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Callers
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts

# A token, then what is prepared for its bearer; and once more where that has ended meanwhile.
_MOST_WAITS: Final = 4


class AccessRequest(Protocol):
    """A request as the pipeline reads it. `credential`: the value of our cookie, a program's token, or neither."""

    @property
    def host(self) -> VirtualHost[AnyAccess]: ...

    @property
    def line(self) -> RequestLine: ...

    @property
    def credential(self) -> bytes | ProgramToken | None: ...

    def facts(self) -> RequestFacts:
        """The request's facts for the rules."""


class Seats(Protocol):
    """Sessions (stores), as far as the pipeline asks."""

    def cached(self, host: str, cookie: bytes) -> Seat | None:
        """From this worker's memory, live and within limits."""

    async def load_shared(self, host: str, cookie: bytes) -> Seat | None:
        """From the store. Raises GatewayError(store_codes.UNREACHABLE)."""


class Lookups(Protocol):
    """Looks up the caller. `callers`: None: no application takes tokens."""

    @property
    def sessions(self) -> Seats: ...

    @property
    def callers(self) -> Callers | None: ...


def outcome_of(request: AccessRequest, who: Lookups | Seat | None, now: float) -> tuple[Seat | None, Outcome]:
    """The seat of the caller (None: nobody), and the outcome.

    `who`: the look-up, or a seat found earlier.
    `now`: monotonic seconds.
    Raises only on a fault of ours.
    """
    line, host = request.line, request.host
    # What for?
    if line.purpose != "application":
        return None, _RESERVED if line.purpose == "reserved" else _ENDPOINT if line.purpose == "endpoint" else _LOGOUT
    # Who asks?
    seat: Seat | None = None
    if who is None or type(who) is Seat:
        seat = who
    elif (credential := request.credential) is None:
        pass
    elif type(credential) is ProgramToken:
        found = _program(who.callers, request, credential)
        if isinstance(found, NeedsWork):
            return None, found
        seat = found
    else:
        seat = who.sessions.cached(host.name, credential)
        if seat is None:
            return None, NeedsStore(host.name, credential)
    if seat is not None and not seat.live:
        seat = None
    # May they, and what is the application told? The key is this application's and this snapshot's alone.
    access = host.lane
    assert isinstance(access, ApplicationAccess)
    kept = access.anonymous if seat is None else seat.outcomes
    ready: ReadyOutcome | ConditionalDecision | None = kept.get(line.key)  # type: ignore[assignment]
    outcome = ready if ready is not None and now < ready.valid_until else access.compile(line, seat, now)
    if type(outcome) is ConditionalDecision:
        outcome = outcome.outcome(request.facts(), seat, now)
    return seat, outcome


_RESERVED: Final = Refuse(route_codes.RESERVED)
_ENDPOINT: Final = ToPortal("endpoint")
_LOGOUT: Final = ToPortal("logout")


def _program(callers: Callers | None, request: AccessRequest, brought: ProgramToken) -> Seat | NeedsWork:
    assert callers is not None
    host = request.host
    app = host.lane.name
    seat = callers.cached(app, brought.token, brought.owner)
    if seat is not None:
        return seat
    client = str(request.facts().client)
    return NeedsWork(lambda: callers.identify(app, host.name, brought.token, brought.owner, client), not_accepted)


async def awaited(
    request: AccessRequest, seats: Seats, seat: Seat | None, waits: NeedsStore | NeedsWork, clock: Callable[[], float]
) -> tuple[Seat | None, Outcome]:
    """The outcome of a request that waited, once its work is done. Never a NeedsStore or NeedsWork.

    `seat`: as outcome_of returned it with `waits`.
    `clock`: monotonic seconds.
    """
    for _ in range(_MOST_WAITS):
        outcome: Outcome
        try:
            if isinstance(waits, NeedsStore):
                seat = await seats.load_shared(waits.host, waits.cookie)
            else:
                seat = await waits.work() or seat
        except GatewayError as error:
            seat, outcome = None, _failed(request, waits, error, clock())
        else:
            seat, outcome = outcome_of(request, seat, clock())
        if not isinstance(outcome, NeedsStore | NeedsWork):
            return seat, outcome
        waits = outcome
    return seat, Refuse(gateway_codes.FAULT, "what this request needs is never done")


def _failed(request: AccessRequest, waits: NeedsStore | NeedsWork, error: GatewayError, now: float) -> Outcome:
    """Invariant 9: a path for signed-in people is 503; a public path is served to nobody in particular."""
    if isinstance(waits, NeedsWork):
        return waits.failed(error)
    _, outcome = outcome_of(request, None, now)
    return outcome if isinstance(outcome, Forward | NeedsWork) else Refuse(store_codes.UNREACHABLE, error.detail)
