"""A steady load while the folder is reloaded again and again, and without, in turn: what a reload costs who is served.

Two versions of one application differ in whom they let in, so that each answer says which of them gave it.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import monotonic

import uvloop

from gateway.server.control import RELOAD, connect
from tests.bench.load import BROWSER
from tests.bench.site import HOST, Site
from tests.bench.steady import Answered, Steady
from tests.walks.revisions import Window, possible

NAME = "reload_under_load"
RATE, ROUNDS, RELOADS = 2000, 5, 20
_APPS, _RULES = 100, 10
_QUIET_SECONDS = 8.0
_BETWEEN = 0.1
_ANSWERED_WITHIN = 60.0

# From the first worker that has swapped to the last.
_SWAPPED_WITHIN = 0.1

_TURNING = """
version: 1
app: bench
hosts: [{host}]
upstream: {{url: http://127.0.0.1:{upstream}}}
providers: [op]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access:
  - {{path: /private/**, allow: {{group: agents}}}}
  - {{path: /even/**, allow: {{group: {even}}}}}
  - {{path: /odd/**, allow: {{group: {odd}}}}}
"""
_OTHER = """
version: 1
app: other-{number}
hosts: [other-{number}.localhost]
upstream: {{url: http://127.0.0.1:{upstream}}}
providers: [op]
access:
"""
_RULE = "  - {{path: /part-{rule}/*/list, methods: [GET], allow: {{any: [{{group: g{rule}}}, {{user: op/{rule}}}]}}}}\n"


@dataclass(frozen=True, slots=True)
class _Round:
    """`swapped`: seconds, the longest time for which both versions gave answers."""

    seconds: float
    done: list[Answered]
    misjudged: int = 0
    swapped: float = 0.0

    @property
    def p99(self) -> float:
        return sorted(one.milliseconds for one in self.done)[len(self.done) * 99 // 100]


def row(folder: Path, ports: tuple[int, int, int], upstream: int, slow: int) -> dict[str, object]:
    others = {f"other-{number}.yaml": _other(number, upstream) for number in range(_APPS)}
    apps = {**others, "bench.yaml": _turning(0, upstream)}
    site = Site(folder, ports, upstream, slow, access_log=False, apps=apps)
    try:
        without, during = uvloop.run(_rounds(site, upstream))
    finally:
        site.stop()
    ratios = sorted(one.p99 / other.p99 for one, other in zip(during, without, strict=True))
    return {
        "bench": NAME,
        "rps": round(sum(len(one.done) for one in during) / sum(one.seconds for one in during)),
        "reloads": ROUNDS * RELOADS,
        "lost": sum(answered.status == 0 for one in (*without, *during) for answered in one.done),
        "misjudged": sum(one.misjudged for one in (*without, *during)),
        "p99_ms": round(median(one.p99 for one in without), 2),
        "p99_ms_reloading": round(median(one.p99 for one in during), 2),
        "ratio": round(median(ratios), 2),
        "ratio_min_max": [round(ratios[0], 2), round(ratios[-1], 2)],
        "swapped_within_ms": round(max(one.swapped for one in during) * 1000, 1),
        "limit": 2.0,
        "runs": ROUNDS,
    }


def _other(number: int, upstream: int) -> str:
    rules = "".join(_RULE.format(rule=rule) for rule in range(_RULES))
    return _OTHER.format(number=number, upstream=upstream) + rules


def _turning(version: int, upstream: int) -> str:
    even, odd = ("agents", "nobody") if version == 0 else ("nobody", "agents")
    return _TURNING.format(host=HOST, upstream=upstream, even=even, odd=odd)


async def _rounds(site: Site, upstream: int) -> tuple[list[_Round], list[_Round]]:
    without, during = [], []
    await _quiet(site, 0)  # warms up
    for _ in range(ROUNDS):
        without.append(await _quiet(site, 0))
        during.append(await _reloading(site, upstream))
    return without, during


async def _quiet(site: Site, live: int) -> _Round:
    began = monotonic()
    async with _load(site).running() as load:
        await asyncio.sleep(_QUIET_SECONDS)
        seconds = monotonic() - began
    return _Round(seconds, load.done, _misjudged(load.done, [], live))


async def _reloading(site: Site, upstream: int) -> _Round:
    """An even number of times, so that it ends with the version that it began with."""
    began = monotonic()
    windows = []
    async with _load(site).running() as load:
        for number in range(1, RELOADS + 1):
            windows.append(await _reloaded(site, number % 2, upstream))
            await asyncio.sleep(_BETWEEN)
        seconds = monotonic() - began
    swaps = [_swap(load.done, window) for window in windows]
    narrowed = [
        replace(window, told=min(window.told, first + _SWAPPED_WITHIN))
        for window, (first, _) in zip(windows, swaps, strict=True)
    ]
    misjudged = _misjudged(load.done, narrowed, 0)
    return _Round(seconds, load.done, misjudged, max(last - first for first, last in swaps))


async def _reloaded(site: Site, then: int, upstream: int) -> Window:
    file = site.folder / "policies" / "apps" / "bench.yaml"
    beside = file.with_name(".bench.yaml")
    beside.write_text(_turning(then, upstream))
    os.replace(beside, file)
    asked = monotonic()
    verdict = await asyncio.to_thread(_verdict, site.folder / "var")
    if verdict != "live":
        raise RuntimeError(f"a reload came to: {verdict}")
    return Window(asked, monotonic(), then)


def _verdict(state: Path) -> str:
    with connect(state, _ANSWERED_WITHIN) as connection, connection.makefile("rb") as answers:
        connection.sendall(RELOAD)
        return str(json.loads(answers.readline())["verdict"])


def _load(site: Site) -> Steady:
    headers = {"Host": HOST, **BROWSER, "Cookie": site.cookie}
    return Steady(site.port, headers, ("/private/page", "/even/page", "/private/other", "/odd/page"), RATE)


def _version(answered: Answered) -> int | None:
    """That this answer is right for; None where it would be right for both."""
    if answered.target.startswith("/private") or answered.status == 0:
        return None
    return int((answered.status == 200) is not answered.target.startswith("/even"))


def _misjudged(done: Sequence[Answered], windows: Sequence[Window], first: int) -> int:
    return sum(_is_misjudged(one, windows, first) for one in done if one.status)


def _is_misjudged(one: Answered, windows: Sequence[Window], first: int) -> bool:
    version = _version(one)
    if version is None:
        return one.status != 200
    return one.status not in (200, 403) or version not in possible(one.began, one.ended, windows, first)


def _swap(done: Sequence[Answered], window: Window) -> tuple[float, float]:
    """When the newer version first answered, and when the older last did, to a request that began in this window."""
    during = [one for one in done if window.asked <= one.began <= window.told]
    first = min((one.ended for one in during if _version(one) == window.then), default=window.told)
    last = max((one.ended for one in during if _version(one) == 1 - window.then), default=first)
    return first, max(first, last)
