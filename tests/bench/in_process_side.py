"""The rows of tests/bench/in_process.py, and one side of it, which is run as a program.

It imports the gateway and the lane of the tree that PYTHONPATH names, reads the name of a row a line, and prints the
least of some slices, in microseconds per request.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import uvloop

from gateway.ops.log import Log
from tests.bench.lane import Bench, Case, cases

_SLICE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """`requests`: as tests/bench/lane.py has them, by the name of its case. `way`: whether the application answers,
    the gateway itself, or the portal."""

    name: str
    case: str
    way: Literal["application", "refusal", "portal"] = "application"


ROWS = (
    Row("warm_get", "get"),
    Row("get_another_query", "get, another query each time"),
    Row("get_other_headers", "get, another Referer, cookie and If-None-Match"),
    Row("post_10k", "post 10 KB"),
    Row("response_head_parsed", "get, head of the answer varies"),
    Row("browser_mix", "browsers, each on its own connection"),
    Row("by_turns", "people by turns behind a front"),
    Row("refused_401", "get, public", "refusal"),
    Row("portal_request", "get, public", "portal"),
)


def _refused(bench: Bench, requests: Sequence[bytes]) -> float:
    """By a script of a page, whose session is over."""
    requests = [
        request.replace(b"/public/", b"/app/").replace(b"navigate", b"cors").replace(b"document", b"empty")
        for request in requests
    ]
    receive = bench.client.data_received
    began = time.process_time()
    for request in requests:
        receive(request)
    took = time.process_time() - began
    assert b" 401 " in bench.front.last[:20], bench.front.last
    return took / len(requests) * 1e6


async def _by_the_portal(bench: Bench, requests: Sequence[bytes]) -> float:
    """A page that is ready at once."""
    requests = [request.replace(b"/public/page", b"/_ecluse/session") for request in requests]
    receive, front = bench.client.data_received, bench.front
    began = time.process_time()
    for request in requests:
        front.last = b""
        receive(request)
        while not front.last:
            await asyncio.sleep(0)
    took = time.process_time() - began
    assert front.last.startswith(b"HTTP/1.1 303 "), front.last
    return took / len(requests) * 1e6


async def _least(row: Row, case: Case, log: Log) -> float:
    bench, pairs = Bench(case, log), case.pairs()
    gc.freeze()
    if case.ways:
        # All of it at a time, for no two requests are alike; what comes first finds nothing remembered.
        figures = [bench.slice_of_many(case.ways, pairs) for _ in range(4)]
        bench.plane.close()
        return min(figures)
    figures = []
    for start in range(0, len(pairs), _SLICE):
        requests = case.requests[start : start + _SLICE]
        match row.way:
            case "application":
                figures.append(bench.slice(pairs[start : start + _SLICE]))
            case "refusal":
                figures.append(_refused(bench, requests))
            case "portal":
                figures.append(await _by_the_portal(bench, requests))
    bench.plane.close()
    return min(figures)


async def _serve() -> None:
    gc.set_threshold(10_000, 50, 10_000)
    known = {case.name: case for case in cases()}
    log = Log(os.open(os.devnull, os.O_WRONLY), capacity=1 << 20)
    for line in sys.stdin:
        row = next(row for row in ROWS if row.name == line.strip())
        print(await _least(row, known[row.case], log), flush=True)
    log.close()


if __name__ == "__main__":
    uvloop.run(_serve())
