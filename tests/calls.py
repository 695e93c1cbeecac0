"""The calls of functions of gateway/ in one run, in their order: what is counted is the same on a busy machine."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import gateway

_ROOT: Final = f"{Path(gateway.__file__).parent}/"
# Frames of their own in Python 3.11 alone.
_INLINED: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


class Calls:
    """`names`: `folder.module.function`, or with its class before the function, of each call.

    A coroutine or generator is called once, however often it goes on. What a thread calls that is older than the
    trace is not seen, and neither is the thread that writes the log, which wakes when it may.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def forget(self) -> None:
        self.names.clear()

    def begin(self, frame: FrameType, event: str, arg: object) -> None:
        """In a new thread."""
        sys.setprofile(None if threading.current_thread().name == "log" else self)

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(_ROOT) or code.co_name in _INLINED:
            return
        # RESUME says what it resumes from: 0 is the beginning.
        if code.co_code[frame.f_lasti + 1] & 3:
            return
        file = code.co_filename[len(_ROOT) : -len(".py")]
        self.names.append(f"{file.replace('/', '.')}.{code.co_qualname}")


@contextmanager
def traced() -> Iterator[Calls]:
    """Of this thread, and of those that begin meanwhile."""
    calls = Calls()
    threading.setprofile(calls.begin)
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
