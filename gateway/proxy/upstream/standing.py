"""Whether an address of an application gets requests: by what became of those that it got. Pure: time is passed in."""

import sys
from typing import Final

from gateway.model.balancing import CircuitSettings

_NEVER: Final = CircuitSettings(sys.maxsize)
# Seconds: however often it fails, it is tried again that soon.
_LONGEST: Final = 120.0
# Of a hundred.
_FIRST_SHARE: Final = 10


class Standing:
    """One address. It is in; out until a time, after failures on end; then tried with one request at a time, which lets
    it in or puts it out for twice as long. Where there are health checks, it is also out from one to another of them.
    `slow_start`: seconds for which one that was out gets a growing share of what it would get. `clear`: it is in, gets
    all of that, and nothing has failed since the last success."""

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
        """Also while it is tried."""
        return self._until > 0.0 or self._unhealthy < 0

    def may_take(self, now: float) -> bool:
        if self._unhealthy < 0:
            return False
        return self._until == 0.0 or (now >= self._until and not self._tried)

    def has_turn(self, now: float) -> bool:
        """Whether one that may take a request should, asked for each that would be its own: in slow start only so many
        are, one in ten at first."""
        if now >= self._full:
            return True
        self._share += max(round(100 * (1 - (self._full - now) / self._slow)), _FIRST_SHARE)
        if self._share < 100:
            return False
        self._share -= 100
        return True

    def taken(self) -> None:
        """It gets a request."""
        if self._until > 0.0:
            self._tried = True

    def left(self) -> None:
        """This request is over, and may have said nothing: its client left."""
        self._tried = False

    def succeeded(self, now: float = 0.0) -> bool:
        """Whether it was out, and is in again."""
        was_out = self._until > 0.0
        self._failures, self._until, self._tried = 0, 0.0, False
        self._pause = self._settings.pause
        is_in = self._unhealthy >= 0
        if was_out and is_in:
            self._full = now + self._slow
        self.clear = is_in and now >= self._full
        return was_out and is_in

    def unhealthy(self, failures: int) -> bool:
        """By a health check. Whether it is out by that: the `failures`th on end."""
        if self._unhealthy < 0:
            return False
        self._unhealthy += 1
        if self._unhealthy < failures:
            return False
        self._unhealthy, self.clear = -1, False
        return True

    def healthy(self, now: float = 0.0) -> bool:
        """By a health check. Whether it is in again, whatever put it out."""
        was_unhealthy, self._unhealthy = self._unhealthy < 0, 0
        if not was_unhealthy:
            return False
        self._failures, self._until, self._tried = 0, 0.0, False
        self._full = now + self._slow
        self.clear = now >= self._full
        return True

    def failed(self, now: float) -> float:
        """For how many seconds it is out by this failure; 0 where it is not put out by it."""
        self.clear = False
        if self._until > 0.0:
            if now < self._until:
                # It was begun before the others failed.
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
    """Requests that are sent a second time: so many for a hundred, so that a failing application is not asked twice as
    much. A few may be at once from the start."""

    __slots__ = ("_left", "_share")

    FIRST: Final = 10.0

    def __init__(self, for_a_hundred: int) -> None:
        self._share = for_a_hundred / 100
        self._left = self.FIRST if for_a_hundred else 0.0

    def asked(self) -> None:
        """One more request."""
        if self._left < self.FIRST:
            self._left += self._share

    def take(self) -> bool:
        """Whether one more may be sent again."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
