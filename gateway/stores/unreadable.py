"""Unreadable records: each cause is logged once an hour, with the remedy, however many records it affects."""

import time
from collections.abc import Callable

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.ops.log import Log

TOLD_EVERY = 3600.0
# A cause names a store key or a version, which whoever writes the store could make up.
_CAUSES = 100
_WHAT_TO_DO = (
    "to have these read, run the release that wrote them, or put their key back below the others in store.keys"
)


class UnreadableRecords:
    """Reports unreadable records. `what_follows`: the consequence of a record that does not open."""

    def __init__(
        self,
        log: Log | None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        what_follows: str = "whoever it was made for signs in again",
    ) -> None:
        self._log = log
        self._what_to_do = f"{what_follows}; {_WHAT_TO_DO}"
        self._monotonic = monotonic
        self._told: dict[tuple[str, str], float] = {}
        self._untold = 0

    def tell(self, kind: str, error: GatewayError) -> None:
        """Logs a record of `kind` that does not open. Raises errors that are not about a record, such as an unreachable
        store."""
        if error.code is not store_codes.UNREADABLE:
            raise error
        cause, now = (kind, error.detail), self._monotonic()
        if self._log is None or now - self._told.get(cause, float("-inf")) < TOLD_EVERY:
            self._untold += 1
            return
        if len(self._told) >= _CAUSES:
            self._told.clear()
        self._told[cause] = now
        untold, self._untold = self._untold, 0
        self._log.event("store.unreadable", kind=kind, detail=f"{error.detail}: {self._what_to_do}", more=untold)
