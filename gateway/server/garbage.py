"""The collector and the loop: what lasts is taken out of its sight, but never with garbage among it.

A full collection looks at everything that is alive, and the loop stands still meanwhile (invariant 14): what a worker
holds for long is frozen. Whatever garbage waits at that moment is frozen, too, and then stays for ever: so it is
collected before, each time.
"""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# The oldest generation is left to the freezes. Since each takes all there is, it holds little.
# The youngest is some 10,000 objects: to collect so many takes two milliseconds.
_THRESHOLDS = 10_000, 50, 10_000
_OLDEST = 2


def begin() -> None:
    gc.set_threshold(*_THRESHOLDS)


def settle() -> None:
    """Takes out of sight what is here, without the garbage: microseconds where little is new since the last time."""
    gc.collect()
    gc.freeze()


def settle_at_start() -> None:
    """And gives back to the system what starting has taken and freed: glibc keeps it (malloc_trim(3)), other libraries
    of C have no such call."""
    settle()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def settling(soon: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """Settles each time that Python has collected the youngest generation, so that a settling never has more to look at
    than that one, however much grows within a second. `soon`: has it done in the loop's next turn; called in whichever
    thread made the last of these objects."""

    def collected(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] != _OLDEST:
            soon(settle)

    gc.callbacks.append(collected)
    try:
        yield
    finally:
        gc.callbacks.remove(collected)


def built() -> None:
    """What a step has just built lasts. Nothing else has run since the last collection, so no garbage is frozen."""
    gc.freeze()


def rested() -> None:
    """Others have run: what they have left is taken away before the next step builds."""
    gc.collect()
