"""Whether an address of an application gets requests, judged by earlier results. Pure: the time is passed in."""

import sys
from typing import Final

from gateway.model.balancing import CircuitSettings

_NEVER: Final = CircuitSettings(sys.maxsize)
# Seconds: the longest pause before a failing address is tried again.
_LONGEST: Final = 120.0
# Of a hundred.
_FIRST_SHARE: Final = 10


class Standing:
    """The standing of one address. An address is in, or out until a time after consecutive failures. Then one request
    at a time tries the address: success lets the address in, a failure puts the address out for twice as long. A failed
    health check puts the address out until a check succeeds.

    `slow_start`: the seconds in which a returned address gets a growing share of requests.
    `clear`: the address is in, gets its full share, and has had no failure since the last success.
    """

    __slots__ = (
        "_failures", "_full", "_pause", "_settings", "_share", "_slow", "_tried", "_unhealthy", "_until", "clear",
    )  # fmt: skip

    def __init__(self, settings: CircuitSettings | None, slow_start: float = 0.0) -> None:
        self._slow = slow_start
        self._full, self._share = 0.0, 0
        self._settings = settings or _NEVER
        self._pause = self._settings.pause
        self._failures = 0
        self._until = 0.0
        self._tried = False
        self._unhealthy = 0
        self.clear = True

    def is_out(self) -> bool:
        """True also while a request tries the address."""
        return self._until > 0.0 or self._unhealthy < 0

    def may_take(self, now: float) -> bool:
        if self._unhealthy < 0:
            return False
        return self._until == 0.0 or (now >= self._until and not self._tried)

    def has_turn(self, now: float) -> bool:
        """Whether the address takes its turn. During slow start it takes only a share: a tenth at first."""
        if now >= self._full:
            return True
        self._share += max(round(100 * (1 - (self._full - now) / self._slow)), _FIRST_SHARE)
        if self._share < 100:
            return False
        self._share -= 100
        return True

    def taken(self) -> None:
        """Counts a request to the address."""
        if self._until > 0.0:
            self._tried = True

    def left(self) -> None:
        """Ends a request without a verdict on the address: the client may have left."""
        self._tried = False

    def succeeded(self, now: float = 0.0) -> bool:
        """Records a success. Returns whether the address was out and is in again."""
        was_out = self._until > 0.0
        self._failures, self._until, self._tried = 0, 0.0, False
        self._pause = self._settings.pause
        is_in = self._unhealthy >= 0
        if was_out and is_in:
            self._full = now + self._slow
        self.clear = is_in and now >= self._full
        return was_out and is_in

    def unhealthy(self, failures: int) -> bool:
        """Records a failed health check. Returns whether the address is now out: after `failures` in a row."""
        if self._unhealthy < 0:
            return False
        self._unhealthy += 1
        if self._unhealthy < failures:
            return False
        self._unhealthy, self.clear = -1, False
        return True

    def healthy(self, now: float = 0.0) -> bool:
        """Records a successful health check. Returns whether the address is now in again, whatever put it out."""
        was_unhealthy, self._unhealthy = self._unhealthy < 0, 0
        if not was_unhealthy:
            return False
        self._failures, self._until, self._tried = 0, 0.0, False
        self._full = now + self._slow
        self.clear = now >= self._full
        return True

    def failed(self, now: float) -> float:
        """Records a failure. Returns the seconds for which the address is out; 0: still in."""
        self.clear = False
        if self._until > 0.0:
            if now < self._until:
                # The failed request began before the address was out.
                return 0.0
            self._pause = min(2 * self._pause, _LONGEST)
        else:
            self._failures += 1
            if self._failures < self._settings.failures:
                return 0.0
        self._tried = False
        self._until = now + self._pause
        return self._pause


class RetryBudget:
    """Limits requests that are sent a second time to a share of the requests, so that a failing application does not
    get twice the load. A few are free from the start."""

    __slots__ = ("_left", "_share")

    FIRST: Final = 10.0

    def __init__(self, for_a_hundred: int) -> None:
        self._share = for_a_hundred / 100
        self._left = self.FIRST if for_a_hundred else 0.0

    def asked(self) -> None:
        """Counts a request."""
        if self._left < self.FIRST:
            self._left += self._share

    def take(self) -> bool:
        """Takes one repeated request from the budget. Returns False if the budget is used up."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
