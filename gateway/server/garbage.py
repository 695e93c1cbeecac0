"""The garbage collector and the loop: freezes lasting objects, and never garbage.

A full collection visits every living object, and the loop stands still meanwhile (invariant 14). So a worker freezes
the objects that it holds for long. A freeze would also keep waiting garbage for ever, so each freeze follows a
collection."""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# The oldest generation stays small without collections, because a freeze takes its objects. The youngest generation has
# some 10,000 objects, which take two milliseconds to collect.
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
    """Settles, and returns the memory that the start has freed to the system: glibc would keep the memory
    (malloc_trim(3)). Other C libraries do not have the call."""
    settle()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def settling(soon: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """Settles after each collection of the youngest generation. A settling then never visits more objects than the
    generation holds, however many objects are made within a second.

    `soon`: runs its argument in the loop's next turn. The thread that made the last object calls `soon`."""

    def collected(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] != _OLDEST:
            soon(settle)

    gc.callbacks.append(collected)
    try:
        yield
    finally:
        gc.callbacks.remove(collected)


def built() -> None:
    """Freezes the objects of a step, which last. No code has run since the last collection, so no garbage is frozen."""
    gc.freeze()


def rested() -> None:
    """Collects the garbage of the code that has run meanwhile, before the next step builds."""
    gc.collect()
