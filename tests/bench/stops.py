"""Whether our code held a loop for too long in a row of the bench, or the machine did.

A host that does not run this machine in the middle of our work looks like our work, now and then. So a row over the
limit is measured again, with a gateway that has just started: what our code does at its first requests, it does once
more.
"""

from collections.abc import Callable

LIMIT_MS = 5.0
TRIES = 3
FAILED = "failed"

Measured = dict[str, object]


def without_long_stops(measure: Callable[[], Measured]) -> Measured:
    """The first measurement of the row, with the shortest of the longest stops; FAILED where each was over the limit.
    `measure` starts a gateway of its own each time."""
    row = measure()
    if "loop_stop_max_ms" not in row:
        return row
    stops = [_stop(row)]
    while stops[-1] > LIMIT_MS and len(stops) < TRIES:
        stops.append(_stop(measure()))
    row["loop_stop_max_ms"] = min(stops)
    if len(stops) > 1:
        row["loop_stops_ms"] = stops
    if min(stops) > LIMIT_MS:
        row[FAILED] = f"the loop stood still for over {LIMIT_MS:g} ms in each of {TRIES} gateways"
    return row


def _stop(row: Measured) -> float:
    stop = row["loop_stop_max_ms"]
    assert isinstance(stop, float)
    return stop
