"""What a lane counted in plain cells, taken over into the worker's counters."""

from typing import Final

from gateway.ops.counters import Counters
from gateway.proxy.lane import HostLane, Lane

_CLASSES: Final = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx")


def take_over(lane: HostLane, counters: Counters) -> None:
    """Adds what was counted since the last call. A lane without requests costs a few looks."""
    name = lane.name
    if any(lane.statuses):
        for index, count in enumerate(lane.statuses):
            if count:
                counters.count(count, "ecluse_http_requests_total", name, _CLASSES[index])
                lane.statuses[index] = 0
    if lane.stripped:
        counters.count(lane.stripped, "ecluse_headers_stripped_total", name)
        lane.stripped = 0
    if not isinstance(lane, Lane):
        return
    for (kind, reason), cell in lane.decisions.items():
        if cell[0]:
            counters.count(cell[0], "ecluse_policy_decisions_total", name, kind, reason)
            cell[0] = 0
    if lane.differing:
        _differing(lane, counters)
    if lane.errors:
        for reason, count in lane.errors.items():
            counters.count(count, "ecluse_upstream_errors_total", name, reason)
        lane.errors = None
    if lane.policy_errors:
        counters.count(lane.policy_errors, "ecluse_policy_errors_total", name)
        lane.policy_errors = 0


def _differing(lane: Lane, counters: Counters) -> None:
    for ((kind, reason), found), cell in (lane.differing or {}).items():
        if cell[0]:
            counters.count(cell[0], "ecluse_policy_decisions_total", lane.name, kind, reason)
            for live, live_rule, shadow, shadow_rule in found:
                labels = lane.name, live, live_rule, shadow, shadow_rule
                counters.count(cell[0], "ecluse_policy_shadow_differences_total", *labels)
            cell[0] = 0
