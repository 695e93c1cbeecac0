"""Rates of requests: token buckets, and the answers beyond them."""

from collections import OrderedDict
from collections.abc import Iterator
from math import ceil
from typing import Final, NamedTuple

from gateway.access.outcome import Refuse
from gateway.config.exchange_limits import Rate, RequestRates
from gateway.config.snapshot import Snapshot
from gateway.model.codes import limit_codes
from gateway.model.session import Seat
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.request import Request
from gateway.wire.addresses import client_key

MOST_BUCKETS: Final = 65_536
_A_LINE_EVERY: Final = 60.0
_NEVER: Final = float("-inf")
# Full buckets deleted per request: more than one, so that their number falls; few, so that each request stays fast.
_FORGOTTEN_AT_ONCE: Final = 2
# The rounding error of added times.
_ROUNDING: Final = 1e-9

# The scope of a count: "" for every host of the gateway, else an application.
_EVERYWHERE: Final = ""


class Asks(NamedTuple):
    """The client or person whose requests are counted. `kind`: "client" or "person". `key`: unique within its kind."""

    kind: str
    key: int


NOBODY: Final = Asks("", 0)
_EVERYBODY: Final = Asks("all", 0)


class Buckets:
    """At most `most` buckets. If there is no room, the bucket used least lately is forgotten, and so is full again.

    A bucket is stored as the time when it will be full again, in monotonic seconds.
    """

    __slots__ = ("_full_at", "_most")

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        # A plain dict would scan the deleted entries to find its first key.
        self._full_at: OrderedDict[int, float] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: int, rate: Rate, now: float, *, left: int = 0) -> float:
        """Takes a token and returns 0, or returns the seconds until a token is there. `left`: tokens that have to
        remain."""
        whole = rate.every * rate.burst
        # No bucket is emptier than empty: under a slower rate, before a reload, it may have been.
        full_at = min(max(self._full_at.pop(key, now), now), now + whole)
        wait = full_at + rate.every * (1 + left) - now - whole
        if wait <= _ROUNDING:
            full_at, wait = full_at + rate.every, 0.0
        self._make_room(now)
        self._full_at[key] = full_at
        return wait

    def wait(self, key: int, rate: Rate, now: float) -> float:
        """Returns the seconds until a token is free, 0 if there is a token. Takes no token."""
        whole = rate.every * rate.burst
        missing = min(max(self._full_at.get(key, now), now), now + whole) + rate.every - now - whole
        return missing if missing > _ROUNDING else 0.0

    def give_back(self, key: int, rate: Rate) -> None:
        """Returns one token to the bucket."""
        if (full_at := self._full_at.get(key)) is not None:
            self._full_at[key] = full_at - rate.every

    def _make_room(self, now: float) -> None:
        """Forgets the bucket used least lately if there is no room, and a few full buckets."""
        if len(self._full_at) >= self._most:
            self._full_at.popitem(last=False)
        for _ in range(_FORGOTTEN_AT_ONCE):
            key = next(iter(self._full_at), None)
            if key is None or self._full_at[key] > now:
                return
            del self._full_at[key]


class RequestLimits:
    """One per worker. The buckets survive a reload."""

    def __init__(self, counters: Counters, log: Log) -> None:
        self._counters = counters
        self._log = log
        self._told: dict[tuple[str, str], tuple[float, int]] = {}
        self._everywhere: RequestRates | None = None
        self.buckets = Buckets()

    def follow(self, snapshot: Snapshot) -> None:
        self._everywhere = snapshot.gateway.limits.requests
        self._told = {key: told for key, told in self._told.items() if key[0] in snapshot.apps}

    def too_many(self, request: Request, who: Asks, before: Asks, *, is_forward: bool = False) -> Refuse | None:
        """Returns the refusal if `over` finds an exceeded rate."""
        over = self.over(request, who, before, is_forward=is_forward)
        return None if over is None else self.refused(request, over)

    def over(self, request: Request, who: Asks, before: Asks, *, is_forward: bool = False) -> tuple[str, float] | None:
        """Counts the request and returns None, or returns the exceeded rate's owner and the seconds to wait.
        `before`: the counter already used. `is_forward`: whether the request goes to the application."""
        lane, now = request.lane, request.started
        for scope, rate in () if who == before else self._rates(request, who):
            if wait := self.buckets.take(_bucket(scope, who), rate, now):
                return who.kind, wait
        rate_of_all = None if lane.rates is None or not is_forward else lane.rates.all
        if rate_of_all is not None:
            # Strangers leave half of the rate to signed-in people.
            left = 0 if who.kind == "person" else rate_of_all.burst // 2
            if wait := self.buckets.take(_bucket(lane.name, _EVERYBODY), rate_of_all, now, left=left):
                return "all", wait
        return None

    def give_back(self, request: Request, who: Asks) -> None:
        for scope, rate in self._rates(request, who):
            self.buckets.give_back(_bucket(scope, who), rate)

    # --- calls of providers ---

    def refused_calls(self, client: str, of: str, now: float) -> float:
        """The seconds to wait for an address whose refused calls in the name of a provider, `of`, have used up a
        stranger's rate. A call that proves to be the provider's costs nothing. Calls are counted apart for each
        provider named."""
        rate = None if self._everywhere is None else self._everywhere.per("client")
        return 0.0 if rate is None else self.buckets.wait(_bucket(_EVERYWHERE, by_call(client, of)), rate, now)

    def call_refused(self, client: str, of: str, now: float) -> None:
        rate = None if self._everywhere is None else self._everywhere.per("client")
        if rate is not None:
            self.buckets.take(_bucket(_EVERYWHERE, by_call(client, of)), rate, now)

    def _rates(self, request: Request, who: Asks) -> Iterator[tuple[str, Rate]]:
        for scope, rates in ((_EVERYWHERE, self._everywhere), (request.lane.name, request.lane.rates)):
            if rates is not None and (rate := rates.per(who.kind)) is not None:
                yield scope, rate

    def refused(self, request: Request, over: tuple[str, float]) -> Refuse:
        """Counts, logs and returns the refusal. `over`: the result of the method `over`."""
        kind, wait = over
        app, now = request.lane.name, request.started
        self._counters.add("ecluse_requests_limited_total", app, kind)
        told, times = self._told.get((app, kind), (_NEVER, 0))
        due = now - told >= _A_LINE_EVERY
        self._told[app, kind] = (now, 0) if due else (told, times + 1)
        self._counters.add("ecluse_http_refusals_total", limit_codes.REQUESTS.id)
        if due:
            self._log.event(
                "requests.limited",
                app=app,
                code=limit_codes.REQUESTS.id,
                reason=kind,
                client=request.client,
                requests=times + 1,
                request_id=request.id.decode("ascii"),
            )
        return Refuse(limit_codes.REQUESTS, retry_after=ceil(wait))


def _bucket(scope: str, who: Asks) -> int:
    # Python's hash has a random key in each process: an attacker cannot find two callers with the same bucket.
    return hash((scope, who))


def asks(seat: Seat | None, client: str) -> Asks:
    """A person who is signed in counts for themselves, wherever they ask from; a stranger counts for the address."""
    if seat is None:
        return _at(client, "")
    return Asks("person", hash((seat.identity.issuer, seat.identity.subject)))


def looked_up(client: str) -> Asks:
    """The counter for look-ups of a cookie or token, by address and apart from strangers' requests: a flood of
    strangers keeps no signed-in person out."""
    return _at(client, "looked up")


def by_notice(client: str) -> Asks:
    """The counter for providers' notices in a browser, which end sessions, by address and apart from requests."""
    return _at(client, "notice")


def by_call(client: str, of: str) -> Asks:
    """The counter for refused calls that end sessions in the name of a provider, `of`."""
    return _at(client, f"call {of}")


def _at(client: str, apart: str) -> Asks:
    return Asks("client", hash((apart, client_key(client))))
