"""The wall clock, which others may set: the effects that a step of the clock may and may not have."""

from collections.abc import Callable

# Seconds. Smaller steps are a clock that is kept right, and limits of minutes do not show them.
STEP = 2.0
# A clock that says so for so long is believed: it was wrong before.
BELIEVED_AFTER = 3600.0


class Steps:
    """Notices that the wall clock was set."""

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._apart = now() - monotonic()

    def since(self) -> float:
        """Returns the seconds by which the clock was set forward since the last call; negative: back; 0.0: not at
        all."""
        apart = self._now() - self._monotonic()
        step = apart - self._apart
        if abs(step) < STEP:
            return 0.0
        self._apart = apart
        return step


class Horizon:
    """Up to when what has expired may be deleted: never further ahead of the last look than time has really passed.

    A clock that jumps a day ahead makes everything look expired. Nobody is let in by what looks so; but it is deleted
    only when the clock has said so for an hour.
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
