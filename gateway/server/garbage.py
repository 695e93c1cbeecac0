"""The collector and the loop: what lasts is taken out of its sight, but never with garbage among it.

A full collection looks at everything that is alive, and the loop stands still meanwhile (invariant 14): what a worker
holds for long is frozen. Whatever garbage waits at that moment is frozen, too, and then stays for ever: so it is
collected before, each time.
"""

import ctypes
import gc
from contextlib import suppress

# The oldest generation is left to the freezes. Since each takes all there is, it holds little.
_THRESHOLDS = 10_000, 50, 10_000

# Of the youngest generation, some 10,000 objects each: to collect so many takes two milliseconds.
_GROWN = 5


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


def settle_what_grew() -> None:
    """Now and then, so that a settling never has much to look at."""
    if gc.get_count()[1] >= _GROWN:
        settle()


def built() -> None:
    """What a step has just built lasts. Nothing else has run since the last collection, so no garbage is frozen."""
    gc.freeze()


def rested() -> None:
    """Others have run: what they have left is taken away before the next step builds."""
    gc.collect()
