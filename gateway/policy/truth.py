"""Kleene's three values: what cannot be told is unknown, and stays so."""

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


def truth_of(holds: bool) -> Truth:
    return Truth.TRUE if holds else Truth.FALSE


def any_of(parts: Iterable[Truth]) -> Truth:
    found = Truth.FALSE
    for part in parts:
        if part is Truth.TRUE:
            return part
        if part is Truth.UNKNOWN:
            found = part
    return found


def agreed(parts: Iterable[Truth]) -> Truth:
    """Of at least one: what all say, unknown where they differ."""
    said = set(parts)
    return said.pop() if len(said) == 1 else Truth.UNKNOWN


def negated(truth: Truth) -> Truth:
    if truth is Truth.UNKNOWN:
        return truth
    return Truth.FALSE if truth is Truth.TRUE else Truth.TRUE
