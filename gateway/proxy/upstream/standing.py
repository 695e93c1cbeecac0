"""Whether an address of an application gets requests: by what became of those that it got. Pure: time is passed in."""

import sys
from typing import Final

from gateway.model.balancing import CircuitSettings

_NEVER: Final = CircuitSettings(sys.maxsize)
# Seconds: however often it fails, it is tried again that soon.
_LONGEST: Final = 120.0


class Standing:
    """One address. It is in; out until a time, after failures on end; then tried with one request at a time, which lets
    it in or puts it out for twice as long. Where there are health checks, it is also out from one to another of them.
    `clear`: it is in, and nothing has failed since the last success."""

    __slots__ = ("_failures", "_pause", "_settings", "_tried", "_unhealthy", "_until", "clear")

    def __init__(self, settings: CircuitSettings | None) -> None:
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

    def taken(self) -> None:
        """It gets a request."""
        if self._until > 0.0:
            self._tried = True

    def left(self) -> None:
        """This request is over, and may have said nothing: its client left."""
        self._tried = False

    def succeeded(self) -> bool:
        """Whether it was out, and is in again."""
        was_out = self._until > 0.0
        self._failures, self._until, self._tried = 0, 0.0, False
        self._pause = self._settings.pause
        self.clear = self._unhealthy >= 0
        return was_out and self.clear

    def unhealthy(self, failures: int) -> bool:
        """By a health check. Whether it is out by that: the `failures`th on end."""
        if self._unhealthy < 0:
            return False
        self._unhealthy += 1
        if self._unhealthy < failures:
            return False
        self._unhealthy, self.clear = -1, False
        return True

    def healthy(self) -> bool:
        """By a health check. Whether it is in again, whatever put it out."""
        was_unhealthy, self._unhealthy = self._unhealthy < 0, 0
        if not was_unhealthy:
            return False
        self._failures, self._until, self._tried, self.clear = 0, 0.0, False, True
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
