"""The addresses of one application, and the choice of an address for a request."""

from collections.abc import Callable, Mapping, Sequence

from gateway.config.snapshot import App
from gateway.model.balancing import Balancing
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.proxy.upstream.balance import Order, order_of
from gateway.proxy.upstream.health import HealthChecks
from gateway.proxy.upstream.member import Member
from gateway.proxy.upstream.pool import Pool, Shared
from gateway.proxy.upstream.standing import RetryBudget

Told = Callable[[str, str, str, Mapping[str, object]], None]
"""Receives the name of an event, the application, its address, and further values."""


class AddressGroup:
    """Made by Pools. `before`: the application's earlier group, which ends here. If an address or a setting changes,
    all addresses start again, without failures and connections.
    """

    __slots__ = (
        "_budget", "_by_seat", "_checks", "_health", "_loop", "_order", "_told", "_troubled", "edits", "members",
        "name", "upstream",
    )  # fmt: skip

    def __init__(
        self, app: App, balancing: Balancing, shared: Shared, told: Told, before: "Pool | AddressGroup | None" = None
    ) -> None:
        self.name = app.name
        self.upstream, self.edits = app.upstream, app.edits
        self._loop = shared.loop
        self._told = told
        self._by_seat = balancing.balance == "seat"
        self._budget = RetryBudget(balancing.retries)
        self.members = tuple(
            Member(upstream, shared, app.edits, balancing, self) for upstream in app.upstream.everywhere
        )
        self._order: Order[Member] = order_of(balancing.balance, self.members)
        # The addresses that are out, or may be soon; mostly empty.
        self._troubled: set[Member] = set()
        if before is not None:
            before.retire()
        self._health = balancing.health
        self._checks: HealthChecks | None = None
        if balancing.health is not None:
            self._checks = HealthChecks(app, balancing.health, self.members, self._checked, shared.loop, shared.checks)

    def serves(self, app: App) -> bool:
        """Whether the group has the application's present settings."""
        mine, its = self.upstream, app.upstream
        return mine.connection == its.connection and mine.balancing == its.balancing and self.edits == app.edits

    def retire(self) -> None:
        if self._checks is not None:
            self._checks.stop()
        for member in self.members:
            member.retire()

    def choose(self, seat: Seat | None, client: str) -> Member:
        """`client`: the address of a client without a seat. Raises GatewayError(upstream_codes.NONE)."""
        self._budget.asked()
        key = self._key(seat, client) if self._by_seat else b""
        first = self._order.first(key)
        if not self._troubled and (first.in_flight < first.most or self._by_seat):
            return first
        order = self._order.all(key)
        found = self._first_of(order, ())
        if found is None:
            raise GatewayError(upstream_codes.NONE, f"all {len(self.members)} addresses are out")
        if self._by_seat or found.in_flight < found.most:
            return found
        # If every address is at its limit, the request waits at the first.
        full = tuple(one for one in order if one.in_flight >= one.most)
        return self._first_of(order, full) or found

    def may_repeat(self) -> bool:
        """Whether the budget allows one more repeated request."""
        return self._budget.take()

    def again(self, seat: Seat | None, client: str) -> Member | None:
        """Where a request without an answer is sent once more: not where one has just failed."""
        found = self._order.all(self._key(seat, client) if self._by_seat else b"")
        return next((one for one in found if one.standing.clear), None) or self._first_of(found, ())

    def other(self, tried: tuple[Member, ...]) -> Member | None:
        """The next address, within the budget, for a request that could not be sent to the addresses in `tried`."""
        found = self._first_of(self._order.all(b""), tried)
        return found if found is not None and self._budget.take() else None

    def failed(self, member: Member, *, away: bool) -> None:
        """`away`: no connection could be opened to the address.

        The result of a request counts only if another address exists: a person could send requests that fail on purpose
        and so close the application for everybody.
        """
        if not away and all(one.standing.is_out() for one in self.members if one is not member):
            return
        self._troubled.add(member)
        if seconds := member.standing.failed(self._loop.time()):
            self._told("upstream.out", self.name, member.place, {"seconds": seconds})

    def succeeded(self, member: Member) -> None:
        if not member.standing.clear:
            if member.standing.succeeded(self._loop.time()):
                self._told("upstream.in", self.name, member.place, {})
            self._troubled = {one for one in self._troubled if not one.standing.clear}

    def _checked(self, member: Member, why: str) -> None:
        standing = member.standing
        assert self._health is not None
        if why:
            if standing.unhealthy(self._health.failures):
                self._troubled.add(member)
                self._told("upstream.unhealthy", self.name, member.place, {"detail": why})
        elif standing.healthy(self._loop.time()):
            if standing.clear:
                self._troubled.discard(member)
            self._told("upstream.in", self.name, member.place, {})

    def _key(self, seat: Seat | None, client: str) -> bytes:
        return (client if seat is None or not seat.session_id else seat.session_id).encode()

    def _first_of(self, found: Sequence[Member], tried: tuple[Member, ...]) -> Member | None:
        now = self._loop.time()
        ready = [one for one in found if one not in tried and one.standing.may_take(now)]
        return next((one for one in ready if one.standing.has_turn(now)), ready[0] if ready else None)
