"""The leniencies of an application's file that a target needs: without them the gateway would refuse the target or read
it otherwise.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway.model.errors import GatewayError
from gateway.wire.target import PathLeniency, canonical_target

# Each key of `paths:` in a file, and what the file would say without it.
_WITHOUT: Final[dict[str, Callable[[PathLeniency], PathLeniency]]] = {
    "parameters": lambda it: replace(it, parameters=frozenset()),
    "case": lambda it: replace(it, case_insensitive=False, windows=False),
    "windows": lambda it: replace(it, windows=False),
    "merge_slashes": lambda it: replace(it, merge_slashes=False),
    "encoding": lambda it: replace(it, encoding="utf-8"),
    "escaped": lambda it: replace(it, escaped=it.escaped - {"?", "#"}),
    "cookieless": lambda it: replace(it, cookieless=False),
    "mangled": lambda it: replace(it, mangled=False),
    "semicolon": lambda it: replace(it, escaped=it.escaped - {";"}),
    "encoded_slash": lambda it: replace(it, kept=it.kept - {"%2F"}),
    "encoded_backslash": lambda it: replace(it, kept=it.kept - {"%5C"}),
    "encoded_percent": lambda it: replace(it, decoded_once=False),
}


def leniencies_needed(raw: bytes, leniency: PathLeniency) -> tuple[str, ...]:
    """The keys of `paths:`. `raw`: a target that has a reading."""
    read = _segments(raw, leniency)
    without = {key: change(leniency) for key, change in _WITHOUT.items()}
    return tuple(key for key, other in without.items() if other != leniency and _segments(raw, other) != read)


def _segments(raw: bytes, leniency: PathLeniency) -> tuple[str, ...] | None:
    try:
        return canonical_target(raw, leniency).segments
    except GatewayError:
        return None
