"""What a worker holds of each application, counted in bytes of Python's own allocations: the same on a busy machine."""

import gc
import os
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from gateway.ops.log import Log
from tests.bench.browsers import browsing
from tests.bench.numbers import Numbered, Turns

FEW, MANY = 100, 400
# Of the compiled file, of what is known after requests, and of a kept connection without what the loop has: 7,400 bytes
# were measured with Python 3.13, of which 1,200 are this test's own; 7,900 before equal words of files were one, and
# 12,700 before connections shared a parser, and hosts the heads of browsers.
MOST = 7_720


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    yield log
    log.close()


def applications(count: int) -> Numbered:
    files = {
        f"apps/app{number}.yaml": f"version: 1\napp: app{number}\nhosts: [h{number}.localhost]\n"
        "upstream: {url: http://127.0.0.1:9500}\nproviders: [metropole]\naccess: [{path: /public/**, allow: anyone}]\n"
        for number in range(count)
    }
    requests = [browsing(0, f"h{number}.localhost", "lang=fr", "/public/", 1)[0] for number in range(count)]
    return Numbered("applications", count, requests, files)


def held(count: int, log: Log) -> int:
    one = applications(count)
    tracemalloc.start()
    try:
        turns = Turns(one, log)
        for _ in range(3):
            turns.turn()
        turns.plane.flush()
        gc.collect()
        bytes_held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    turns.plane.close()
    return bytes_held


async def test_an_application_costs_a_worker_no_more_bytes_than_measured(log: Log) -> None:
    held(FEW, log)
    each = (held(MANY, log) - held(FEW, log)) / (MANY - FEW)
    assert each <= MOST, f"{each:.0f} bytes an application"


async def test_a_head_that_browsers_send_to_all_of_them_is_remembered_once(log: Log) -> None:
    turns = Turns(applications(FEW), log)
    turns.turn()
    assert len(turns.plane.tables.known.heads) == 1
    turns.plane.close()
