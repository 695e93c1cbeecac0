"""Which writes are one step where each tag is in a place of its own, and which step comes before which."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from gateway.stores.records import AddSeat, AddSession, EndSeat, PutTicket, UseOnce, Write

_TAG: Callable[[Write], str] = attrgetter("tag")
# What lets somebody in, and what ends for it.
_GIVEN = (AddSession, AddSeat, PutTicket, EndSeat)


def in_steps(writes: Sequence[Write], tag_of: Callable[[Write], str] = _TAG) -> list[tuple[str, list[Write]]]:
    """Each step with its tag, in the order in which each tag comes first. Sessions, seats and tickets that stand behind
    a `UseOnce` are in no step before it: for what was used before nothing is given, whatever tags it shares."""
    steps: list[tuple[str, list[Write]]] = []
    last_use = 0
    for write in writes:
        tag = tag_of(write)
        first = last_use if isinstance(write, _GIVEN) else 0
        at = next((at for at in range(first, len(steps)) if steps[at][0] == tag), len(steps))
        if at == len(steps):
            steps.append((tag, []))
        steps[at][1].append(write)
        if isinstance(write, UseOnce):
            last_use = max(last_use, at)
    return steps
