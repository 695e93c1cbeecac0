"""The longest recent stop that a loop itself caused. Excludes the time in which other programs had the core."""

import asyncio
import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable

import uvloop.loop

# libuv's uv_loop_option.
_UV_METRICS_IDLE_TIME = 1

# A busy loop is measured every 10 ms, so that no longer stop is missed. A waiting loop is measured less often.
_BUSY_EVERY = 0.01
_IDLE_EVERY = 0.04
_BUSY_FROM = 0.02


class Waited:
    """The total seconds that the calling thread has been ready to run without a core (Linux schedstat).

    A slow page or a blocking write of the gateway is a stall. A core shared with other programs is not."""

    def __init__(self) -> None:
        try:
            path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def seconds(self) -> float:
        """The seconds; 0.0 if the kernel does not tell. The whole delay then counts as the gateway's own."""
        if self._file < 0:
            return 0.0
        return int(os.pread(self._file, 100, 0).split()[1]) / 1e9


class Polled:
    """The total seconds that a loop has waited in its poll (libuv, uv_metrics_idle_time).

    A virtual machine that was not run wakes late from the poll. Neither the loop nor the scheduler of its system knows
    of this delay."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pointer = self._library = None
        if isinstance(loop, uvloop.Loop):
            unwrap = ctypes.pythonapi.PyCapsule_GetPointer
            unwrap.restype, unwrap.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
            capsule = uvloop.loop.libuv_get_loop_t_ptr(loop)  # type: ignore[attr-defined]
            pointer = ctypes.c_void_p(unwrap(capsule, None))
            library = ctypes.CDLL(uvloop.loop.__file__)
            # A uvloop built against the system's libuv exports neither function.
            if hasattr(library, "uv_metrics_idle_time") and hasattr(library, "uv_loop_configure"):
                library.uv_metrics_idle_time.restype = ctypes.c_uint64
                if library.uv_loop_configure(pointer, _UV_METRICS_IDLE_TIME) == 0:
                    self._pointer, self._library = pointer, library

    def seconds(self) -> float:
        """The seconds; 0.0 if the loop does not tell. The whole delay then counts as the gateway's own."""
        return 0.0 if self._library is None else self._library.uv_metrics_idle_time(self._pointer) / 1e9


class StallProbe:
    """Measures regularly how long the loop stood still.

    `told`: called with the seconds of a stop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[float], None]) -> None:
        self._loop = loop
        self._told = told
        self._waited, self._polled = Waited(), Polled(loop)
        self._before = self._now()
        self._due = self._before[0]

    def look(self) -> None:
        """Measures a stop: the delay of this call, less the thread's wait for a core, and never more than the time that
        the thread spent outside its poll."""
        (before, waited, polled), self._before = self._before, self._now()
        now, waited_now, polled_now = self._before
        outside = (now - before) - (polled_now - polled)
        self._told(max(0.0, min(now - self._due - (waited_now - waited), outside)))
        after = _BUSY_EVERY if outside > _BUSY_FROM * (now - before) else _IDLE_EVERY
        self._due = now + after
        self._loop.call_later(after, self.look)

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), self._waited.seconds(), self._polled.seconds()


class LoopStalls:
    """The longest stops of a loop, one for each second, however often the loop is measured.

    `kept`: the seconds for which a stop counts."""

    def __init__(self, kept: int = 10) -> None:
        self._worst: deque[tuple[int, float]] = deque(maxlen=kept + 1)
        self._kept = kept

    def add(self, now: float, seconds: float) -> None:
        """`now`: monotonic seconds."""
        second = int(now)
        if self._worst and self._worst[-1][0] == second:
            seconds = max(seconds, self._worst.pop()[1])
        self._worst.append((second, seconds))

    def longest(self, now: float) -> float:
        return max((stop for second, stop in self._worst if second >= int(now) - self._kept), default=0.0)
