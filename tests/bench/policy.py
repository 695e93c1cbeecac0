"""What 20,000 rules cost in CPU time: to load, to decide, and to find decided. One JSON object a line.

`python -m tests.bench.policy` prints the rows alone. The limits are those that the rows are held to.
"""

import gc
import json
import statistics
import time
from collections.abc import Iterator
from itertools import count

from gateway.access.request_line import RequestLine
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files
from gateway.config.snapshot import Snapshot
from gateway.model.identity import Identity
from gateway.policy.decide import decide
from gateway.proxy.lane import Lane
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pools import Pools
from tests.config.samples import sample_files
from tests.proxy.stand_ins import COOKIE, seat

RULES = 20_000
APPS = 200
LOAD_SECONDS = 5.0
DECISION_MICROSECONDS = 10.0
CACHED_MICROSECONDS = 1.0
_HEAD = """\
version: 1
app: app-{app}
hosts: [app-{app}.localhost]
upstream: {{url: http://127.0.0.1:9001}}
providers: [metropole]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access:
"""
_RULE = "  - {{path: /service-{rule}/**, allow: {{any: [{{group: g-{rule}}}, {{all: [{{group: agents}}, {{claim: {{name: mail, suffix: '@metropole.example'}}}}]}}]}}}}\n"  # noqa: E501
_PAUL = Identity(
    "metropole", "http://127.0.0.1:9400", "paul",
    {
        "uid": ("paul",), "mail": ("paul@metropole.example",), "siret": ("21590350100017",),
        "groups": (*(f"group-{number}" for number in range(20)), "agents"),
    },
)  # fmt: skip


def files() -> Files:
    per_app = RULES // APPS
    texts: dict[str, str | None] = {
        f"apps/app-{app}.yaml": _HEAD.format(app=app) + "".join(_RULE.format(rule=rule) for rule in range(per_app))
        for app in range(APPS)
    }
    return sample_files(texts)


def rows() -> Iterator[dict[str, object]]:
    given = files()
    # As the process that compiles does.
    gc.disable()
    began = time.process_time()
    compiled = compile_files(given)
    snapshot = build(compiled.plan)
    seconds = time.process_time() - began
    gc.enable()
    yield {"bench": "policy_load_20000_rules", "seconds": round(seconds, 2), "limit": LOAD_SECONDS}
    yield _row("policy_decision_identity", _decisions(snapshot), DECISION_MICROSECONDS)
    yield _row("policy_decision_cached", _cached(snapshot), CACHED_MICROSECONDS)


def _row(name: str, figures: list[float], limit: float) -> dict[str, object]:
    middle = statistics.median(figures)
    return {"bench": name, "us": round(middle, 2), "us_min": round(min(figures), 2), "limit": limit}


def _decisions(snapshot: Snapshot) -> list[float]:
    """Route and conditions, for one person whom the application hears, on one path after another: nothing is kept."""
    apps = list(snapshot.apps.values())
    paths = [(f"service-{rule}", "page") for rule in range(RULES // APPS)]
    figures = []
    for round_ in range(50):
        app = apps[round_ * 7 % len(apps)]
        began = time.process_time()
        for path in paths:
            decide(app.routes.find(path), "GET", _PAUL)
        figures.append((time.process_time() - began) / len(paths) * 1e6)
    return figures


def _cached(snapshot: Snapshot) -> list[float]:
    """What the lane does for a request whose passage is kept with the seat."""
    lane, spot = _lane(snapshot)
    who = seat("app-0.localhost", _PAUL, COOKIE)
    lane.compile(spot, who, 0.0)
    outcomes, key = who.outcomes, spot.key
    figures = []
    for _ in range(50):
        began = time.process_time()
        for _ in range(1000):
            outcomes.get(key) or lane.compile(spot, who, 0.0)
        figures.append((time.process_time() - began) / 1000 * 1e6)
    return figures


class _NoPools(Pools):
    def __init__(self) -> None:
        pass

    def of(self, upstream: object) -> None:  # type: ignore[override]
        return None


def _lane(snapshot: Snapshot) -> tuple[Lane, RequestLine]:
    lane = RequestTables(snapshot, _NoPools(), count(1)).find(b"app-0.localhost").lane
    return lane, lane.read_line(b"GET /service-7/page HTTP/1.1")


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row))
