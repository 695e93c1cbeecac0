"""Kleene's three truth values: true, false, and unknown, which no rule takes for true."""

from collections.abc import Iterable
from enum import Enum
from typing import Final


class Truth(Enum):
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


# Used on every request with a conditional decision. A module's name is found faster than a member of an enumeration.
TRUE: Final = Truth.TRUE
FALSE: Final = Truth.FALSE
UNKNOWN: Final = Truth.UNKNOWN


def truth_of(holds: bool) -> Truth:
    return TRUE if holds else FALSE


def any_of(parts: Iterable[Truth]) -> Truth:
    found = FALSE
    for part in parts:
        if part is TRUE:
            return part
        if part is UNKNOWN:
            found = part
    return found


def agreed(parts: Iterable[Truth]) -> Truth:
    """The truth of the parts (at least one) if they agree; else unknown."""
    said = set(parts)
    return said.pop() if len(said) == 1 else UNKNOWN


def negated(truth: Truth) -> Truth:
    if truth is UNKNOWN:
        return truth
    return FALSE if truth is TRUE else TRUE
