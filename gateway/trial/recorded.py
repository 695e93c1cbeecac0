"""Requests of an access log (`access_log: true`), each once with its count."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.trial.trial import Tried

_OURS = "/_ecluse"
_SIGN_IN = frozenset({401, 303})


@dataclass(frozen=True, slots=True)
class Recorded:
    """`refused`, `asked`: whether the status says that policy refused, or asked to sign in."""

    app: str
    method: str
    path: str
    refused: bool
    asked: bool
    times: int

    def may_be(self, tried: Tried) -> bool:
        """Whether the recorded status can come from this decision: an application responds 303, 401 and 403 of its own
        accord, too."""
        match tried.outcome:
            case "deny":
                return self.refused
            case "challenge":
                return self.asked
            case _:
                return True

    def is_unlikely(self, tried: Tried) -> bool:
        """Whether the status is the application's own, not the policy's."""
        likely = "deny" if self.refused else "challenge" if self.asked else "allow"
        return tried.outcome != likely


def read_log(lines: Iterable[str]) -> tuple[list[Recorded], int]:
    """The requests, and their total. Lines of other events, and cut lines, are skipped."""
    counted: Counter[tuple[str, str, str, int]] = Counter()
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and told.get("event") == "access":
            key = (str(told.get("app")), str(told.get("method")), str(told.get("path")), _kind(told.get("status")))
            if not key[2].startswith(_OURS):
                counted[key] += 1
    found = [
        Recorded(app, method, path, kind == 403, kind == 401, times)
        for (app, method, path, kind), times in counted.items()
    ]
    return found, sum(counted.values())


def _kind(status: object) -> int:
    """403, 401 where a sign-in is required, or 0."""
    if status in _SIGN_IN:
        return 401
    return 403 if status == 403 else 0
