"""Whether a worker may answer from its memory of sessions: while the worker knows the ends in other workers, and during
a grace while the store cannot answer (invariants 1, 9 and 12)."""

from collections.abc import Callable, Mapping

from gateway.ops.log import Log

# Invariant 12: after this long without a reading (this process stood still), what has ended elsewhere is not known
# here, and memory answers no more, unless it is known that the store is away.
TRUSTED_FOR = 1.0


class MemoryTrust:
    """All times are seconds of `monotonic`. `until`: memory answers until then, without a question. `is_away`: whether
    the list of ends could not be read the last time."""

    __slots__ = ("_grace", "_known_at", "_log", "_monotonic", "_of_hosts", "_told", "is_away", "until")

    def __init__(self, log: Log | None, monotonic: Callable[[], float]) -> None:
        self._log = log
        self._monotonic = monotonic
        self.until = float("inf")
        self._known_at = float("-inf")
        self._grace = 0.0
        self._of_hosts: Mapping[str, float] = {}
        self.is_away = False
        self._told = ""

    def allow(self, grace: float, of_hosts: Mapping[str, float]) -> None:
        """`of_hosts`: by host, or by a `*.` pattern for the unnamed hosts under it."""
        self._grace, self._of_hosts = grace, of_hosts

    def begin(self) -> None:
        """Starts without trust, until the first reading."""
        self.until = float("-inf")

    def known(self, moment: float) -> None:
        """Notes that this worker knows every end before `moment`."""
        self._known_at, self.until = moment, moment + TRUSTED_FOR
        self.is_away = False
        self._tell("")

    def late(self) -> None:
        """The store has not answered for long enough to be away."""
        self.is_away = True

    def away(self) -> None:
        """Notes that the store refused the question or did not answer."""
        self.is_away = True
        if self.in_grace:
            self._tell("store.grace")
        elif self._told:
            self._tell("store.grace_over")

    @property
    def in_grace(self) -> bool:
        return self.is_away and self._monotonic() < self._known_at + self._grace

    def goes_on(self, host: str, now: float) -> bool:
        """After `until`: whether this host's seats still count while the store is away."""
        own = self._of_hosts.get(host)
        if own is None:
            own = self._of_hosts.get(f"*.{host.partition('.')[2]}", self._grace)
        return self.is_away and now < self._known_at + min(self._grace, own)

    def _tell(self, event: str) -> None:
        if event == self._told:
            return
        self._told = event
        if self._log is not None and event:
            self._log.event(event, seconds=round(max(0.0, self._known_at + self._grace - self._monotonic()), 1))
