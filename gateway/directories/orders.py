"""What an operator has ordered to be looked up again: a file in the state folder, which every worker reads.

A person is known by their own cookie alone, while they are here. So an order is a moment: what directories said before
it is asked for again at the next request of those whom it means.
"""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

# Orders for single sessions: the oldest are forgotten first, and all of them once every session has ended.
_MOST: Final = 100_000
_KEPT: Final = 90 * 86400


class LookUpOrders:
    """`folder`: the state folder, which need not be there. Times are Unix seconds."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "look-up-again.json"
        self._all = 0
        self._sessions: dict[str, int] = {}

    def since(self, session_id: str) -> int:
        """What was said no later than this is asked for again; 0: nothing is ordered."""
        return max(self._all, self._sessions.get(session_id, 0))

    def read(self) -> None:
        """A file that cannot be read orders nothing: what was said counts as if nobody had asked."""
        try:
            found = json.loads(self._path.read_bytes())
            self._all, self._sessions = _moments(found)
        except (OSError, ValueError):
            self._all, self._sessions = 0, {}

    def give(self, session_ids: Collection[str] | None, now: int) -> None:
        """`session_ids`: None for all. Whole or not at all. Raises OSError."""
        self.read()
        if session_ids is None:
            # Every order before it is a part of this one.
            self._all, self._sessions = now, {}
        else:
            kept = [(id, at) for id, at in self._sessions.items() if at > now - _KEPT and id not in session_ids]
            kept += [(id, now) for id in session_ids]
            self._sessions = dict(kept[-_MOST:])
        beside = self._path.with_name(f".{self._path.name}.new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(json.dumps({"all": self._all, "sessions": self._sessions}).encode())
        beside.replace(self._path)


def _moments(found: Any) -> tuple[int, dict[str, int]]:
    """Raises ValueError."""
    match found:
        case {"all": int(everybody), "sessions": {**sessions}}:
            kept = {id: at for id, at in sessions.items() if isinstance(id, str) and isinstance(at, int)}
            if len(kept) == len(sessions):
                return everybody, kept
    raise ValueError("not as it was written")
