"""Notes whether a store answers. Logs the beginning and the end of an outage once each."""

import time
from collections.abc import Callable

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.ops.counters import Counters
from gateway.ops.log import Log

# Seconds without a failure. Of a cluster one node can be away while the others answer, and a full disk is read all the
# same: what fails and answers by turns has not recovered.
_MENDED_AFTER = 2.0


class Reachability:
    """`now`: whether what was last asked of the store was answered. `monotonic`: seconds."""

    __slots__ = ("_counters", "_failed_at", "_is_told", "_log", "_monotonic", "now")

    def __init__(
        self, log: Log | None, counters: Counters | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._counters = counters
        self._monotonic = monotonic
        self._failed_at = float("-inf")
        self._is_told = False
        self.now = True

    def failed(self, detail: str) -> GatewayError:
        """The error to raise."""
        if self._counters is not None:
            self._counters.add("ecluse_session_store_errors_total")
        if not self._is_told and self._log is not None:
            self._log.event("store.unreachable", detail=detail)
        self._is_told = True
        self._failed_at = self._monotonic()
        self.now = False
        return GatewayError(store_codes.UNREACHABLE, detail)

    def answered(self) -> None:
        self.now = True
        if not self._is_told or self._monotonic() < self._failed_at + _MENDED_AFTER:
            return
        self._is_told = False
        if self._log is not None:
            self._log.event("store.recovered")
