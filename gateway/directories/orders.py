"""An operator's orders to look people up again: a file in the state folder, which every worker reads.

Only a person's own cookie identifies the session, and only during a request. So an order is a moment: the next request
of a person covered by the order repeats every look-up from before the moment.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from gateway.ops.whole_file import write_whole

# Limits of orders for single sessions: how many are kept, the newest; and for how many seconds, after which every
# session has ended.
_MOST: Final = 100_000
_KEPT: Final = 90 * 86400


class LookUpOrders:
    """Reads and writes the orders. Times are Unix seconds. `folder`: the state folder, which may be missing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "look-up-again.json"
        self._all = 0
        self._sessions: dict[str, int] = {}

    def since(self, session_id: str) -> int:
        """Returns the latest order for a session: findings of this moment or earlier are looked up again. 0: no
        order.
        """
        return max(self._all, self._sessions.get(session_id, 0))

    def read(self) -> None:
        """Reads the orders. An unreadable file orders nothing: the findings stay valid."""
        try:
            found = json.loads(self._path.read_bytes())
            self._all, self._sessions = _moments(found)
        except (OSError, ValueError):
            self._all, self._sessions = 0, {}

    def give(self, session_ids: Collection[str] | None, now: int) -> None:
        """Adds an order, and replaces the file as a whole. Raises OSError. `session_ids`: None: all sessions."""
        self.read()
        if session_ids is None:
            # This order includes every earlier order.
            self._all, self._sessions = now, {}
        else:
            kept = [(id, at) for id, at in self._sessions.items() if at > now - _KEPT and id not in session_ids]
            kept += [(id, now) for id in session_ids]
            self._sessions = dict(kept[-_MOST:])
        write_whole(self._path, json.dumps({"all": self._all, "sessions": self._sessions}).encode())


def _moments(found: Any) -> tuple[int, dict[str, int]]:
    """Reads the moments from parsed JSON. Raises ValueError."""
    match found:
        case {"all": int(everybody), "sessions": {**sessions}}:
            kept = {id: at for id, at in sessions.items() if isinstance(id, str) and isinstance(at, int)}
            if len(kept) == len(sessions):
                return everybody, kept
    raise ValueError("not as it was written")
