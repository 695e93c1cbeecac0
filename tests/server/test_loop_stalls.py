import _ctypes
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from gateway.server.loop_stalls import LoopStalls, Polled, StallProbe, Waited
from tests.patience import killed_if_late

Runner = Callable[[Coroutine[None, None, list[float]]], list[float]]
STOP = 0.3


def test_the_longest_of_the_last_seconds_is_told_and_then_forgotten():
    stalls = LoopStalls(kept=10)
    stalls.add(100.2, 0.004)
    stalls.add(100.7, 0.030)
    stalls.add(105.0, 0.002)
    assert stalls.longest(109.0) == 0.030
    assert stalls.longest(111.5) == 0.002
    assert stalls.longest(130.0) == 0.0


def told_by_the_kernel() -> list[int]:
    """Nanoseconds on a core, nanoseconds ready and not let, turns (Documentation/scheduler/sched-stats.rst)."""
    return [int(word) for word in Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()]


def test_what_is_counted_is_waiting_for_a_core_and_neither_work_nor_sleep():
    waited = Waited()
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    time.sleep(0.05)
    before, now, after = told_by_the_kernel(), waited.seconds(), told_by_the_kernel()
    assert before[1] / 1e9 <= now <= after[1] / 1e9


async def polled() -> float:
    loop = asyncio.get_running_loop()
    seen = Polled(loop)
    await asyncio.sleep(0.01)
    return seen.seconds()


def test_a_uvloop_without_libuvs_counters_does_not_tell_and_serves_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it is where it was built against the system's libuv: what it is loaded from has no such names."""
    assert uvloop.run(polled()) > 0.0
    monkeypatch.setattr(uvloop.loop, "__file__", _ctypes.__file__)
    assert uvloop.run(polled()) == 0.0
    assert asyncio.run(polled()) == 0.0


async def stops_of(held: Callable[[], None]) -> list[float]:
    """Of a loop that `held` holds once, in a callback."""
    seen: list[float] = []
    StallProbe(asyncio.get_running_loop(), seen.append).look()
    await asyncio.sleep(0.1)
    asyncio.get_running_loop().call_soon(held)
    await asyncio.sleep(0.2)
    return seen


def worked() -> None:
    # By the thread's own clock: what another process takes of the core meanwhile is not counted.
    until = time.thread_time() + STOP
    while time.thread_time() < until:
        pass


def slept() -> None:
    time.sleep(STOP)


@pytest.mark.slow
@pytest.mark.parametrize("run", [uvloop.run, asyncio.run])
@pytest.mark.parametrize("held", [worked, slept])
def test_what_holds_the_loop_is_seen_whether_it_works_or_waits(run: Runner, held: Callable[[], None]) -> None:
    seen = run(stops_of(held))
    assert max(seen) > STOP * 0.8
    assert sorted(seen)[-2] < max(seen)


SLEEPER = """
import asyncio, uvloop
from gateway.server.loop_stalls import StallProbe
async def main():
    seen = []
    StallProbe(asyncio.get_running_loop(), seen.append).look()
    print("ready", flush=True)
    await asyncio.sleep(1)
    print(len(seen), max(seen))
uvloop.run(main())
"""


@pytest.mark.slow
def test_a_process_that_is_not_run_while_it_waits_has_not_stood_still() -> None:
    """As a virtual machine is stopped by its host. Once in some hundred times it is outside its poll just then."""
    longest = []
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
        with child, killed_if_late(child) as printed:
            assert printed.readline() == "ready\n"
            time.sleep(0.1)
            os.kill(child.pid, signal.SIGSTOP)
            time.sleep(STOP)
            os.kill(child.pid, signal.SIGCONT)
            looks, stop = printed.read().split()
        assert 5 < int(looks) < 150
        longest.append(float(stop))
    assert min(longest) < STOP / 2
