"""Judges again what is under way: at once when the policy or a person changes, and every 5 s where a rule depends on
the time (`time`, `max_age`, a mandate that ends), because nothing announces that moment. The same round finds the seats
that have run out."""

import asyncio
from collections.abc import Callable, Collection
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
from gateway.proxy.lane import HostLane, Lane
from gateway.proxy.lasting import Lasting
from gateway.proxy.request import Request
from gateway.proxy.tables import RequestTables
from gateway.wire.fences import Fence

_EVERY: Final = 5.0

# In one turn of the loop (invariant 14): to judge takes some 50 µs, to see that there is no need to under one.
_JUDGED_AT_ONCE: Final = 20
_SEEN_AT_ONCE: Final = 500


class Revalidation:
    """`connections`: all open connections, a live set."""

    __slots__ = ("_connections", "_lasting", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: Collection[Lasting]) -> None:
        self._loop = loop
        self._connections = connections
        self._lasting: list[Lasting] = []
        self._timer = loop.call_later(_EVERY, self._again)

    def stop(self) -> None:
        self._timer.cancel()

    def everybody(self) -> None:
        """Judges every request under way again. Later requests are judged under the change anyway."""
        self._some(list(self._connections), lambda client: client.under_way)

    def whoever_is(self, seat: Seat) -> None:
        self._some(list(self._connections), lambda client: client.under_way and client.request.seat is seat)

    def _again(self) -> None:
        self._timer = self._loop.call_later(_EVERY, self._again)
        # Where so many last that one round takes longer, the next one waits for its end.
        if not self._lasting:
            self._lasting = list(self._connections)
            self._some(self._lasting, _lasts)

    def _some(self, left: list[Lasting], concerned: Callable[[Lasting], bool]) -> None:
        judged = 0
        for _ in range(min(len(left), _SEEN_AT_ONCE)):
            client = left.pop()
            try:
                if concerned(client):
                    judged += 1
                    client.revalidate()
            except Exception as fault:  # noqa: BLE001 - the one edge: those behind it are judged all the same
                client.faulted(fault)
            if judged == _JUDGED_AT_ONCE:
                break
        if left:
            self._loop.call_soon(self._some, left, concerned)


def _lasts(client: Lasting) -> bool:
    if client.upstream is None:
        return False
    client.keep_to_seat(_EVERY)
    return may_change(client.request)


class AskedAgain:
    """The request under way, at the host and by the line that it would have now."""

    __slots__ = ("_request", "credential", "host", "line")

    def __init__(self, request: Request, host: VirtualHost[HostLane], line: RequestLine) -> None:
        self._request = request
        self.host = host
        self.line = line
        self.credential = request.credential

    def facts(self) -> RequestFacts:
        return self._request.facts()


class Reached(Protocol):
    """Where a request is."""

    def is_beyond(self, fence: Fence | None) -> bool: ...


def may_change(request: Request) -> bool:
    """Whether a request under way could come to another outcome by now, under the same policy. Never on a portal host
    without an application, which has no rules."""
    if request.seat is not None:
        kept = request.seat.outcomes
    elif isinstance(request.lane, Lane):
        kept = request.lane.anonymous
    else:
        return False
    outcome = kept.get(request.line.key)
    if outcome is None or isinstance(outcome, ConditionalDecision):
        return True
    # Another request of this person may have found out already that the time has come.
    return not isinstance(outcome, Forward) or outcome.valid_until != NEVER


def still_allowed(request: Request, upstream: Reached | None, tables: RequestTables) -> bool:
    """Invariant 12: whether what is under way would be let in now, under this snapshot, by the same application.
    `upstream`: where the request is."""
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
        _, outcome = outcome_of(AskedAgain(request, host, line), request.seat, monotonic())
        # What has to be prepared anew is prepared for somebody who is let in.
        return isinstance(outcome, Forward | NeedsWork)
    except GatewayError:
        return False
