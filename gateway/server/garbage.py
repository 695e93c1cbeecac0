"""The garbage collector and the loop: lasting objects are frozen, but never garbage with them.

A full collection visits every living object, and the loop stands still meanwhile (invariant 14). So a worker freezes
the objects that it holds for long. A freeze would also keep waiting garbage for ever, so each freeze follows a
collection."""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# The oldest generation is left to the freezes. It holds little, since each freeze takes all objects. The youngest
# generation has some 10,000 objects: collecting so many takes two milliseconds.
_THRESHOLDS = 10_000, 50, 10_000
_OLDEST = 2


def begin() -> None:
    gc.set_threshold(*_THRESHOLDS)


def settle() -> None:
    """Collects the garbage, then freezes the remaining objects. Takes microseconds if little is new since the last
    time."""
    gc.collect()
    gc.freeze()


def settle_at_start() -> None:
    """Settles, and gives the memory that the start has freed back to the system: glibc keeps the memory
    (malloc_trim(3)), other C libraries have no such call."""
    settle()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def settling(soon: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """Settles after each collection of the youngest generation, so that a settling never visits more objects than this
    generation, however much grows within a second.

    `soon`: runs its argument in the loop's next turn. The thread that made the last of the objects calls `soon`."""

    def collected(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] != _OLDEST:
            soon(settle)

    gc.callbacks.append(collected)
    try:
        yield
    finally:
        gc.callbacks.remove(collected)


def built() -> None:
    """Freezes the objects of a step, which last. No other code has run since the last collection, so no garbage is
    frozen."""
    gc.freeze()


def rested() -> None:
    """Collects the garbage of the code that has run meanwhile, before the next step builds."""
    gc.collect()
