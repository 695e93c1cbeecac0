"""The wall clock, which can be set while the gateway runs. Limits the effects of a step of the clock."""

from collections.abc import Callable

# Seconds. Smaller steps are ordinary corrections, which do not matter to limits of minutes.
STEP = 2.0
# Seconds after which a clock that stays ahead is believed: then it was wrong before.
BELIEVED_AFTER = 3600.0


class Steps:
    """Notices that the wall clock was set."""

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._apart = now() - monotonic()

    def since(self) -> float:
        """The seconds by which the clock was set forward since the last call; negative if it was set back; else 0.0."""
        apart = self._now() - self._monotonic()
        step = apart - self._apart
        if abs(step) < STEP:
            return 0.0
        self._apart = apart
        return step


class Horizon:
    """The time up to which expired records may be deleted. It never advances faster than real time since the last look.

    A clock that jumps a day ahead makes everything look expired. No seat is admitted then, but records are deleted only
    after the clock has kept the new time for an hour.
    """

    def __init__(self, now: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._look = (now(), monotonic())
        self._ahead_since: float | None = None

    def look(self) -> int:
        """Unix seconds."""
        now, moment = self._now(), self._monotonic()
        steady = self._look[0] + int(moment - self._look[1])
        if now <= steady + STEP:
            self._ahead_since = None
        elif self._ahead_since is None or moment - self._ahead_since < BELIEVED_AFTER:
            self._ahead_since = moment if self._ahead_since is None else self._ahead_since
            return steady
        self._ahead_since = None
        self._look = (now, moment)
        return now
