"""How long a test waits for what is to come: as long as a machine may take that is busy with other work.

A wait ends when its state is there. This ends a test that would go on for ever, and says nothing of how quick we are.
"""

import asyncio
import functools
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import IO, ParamSpec

PATIENCE = 60.0

_Given = ParamSpec("_Given")


async def until(holds: Callable[[], object], *, within: float = PATIENCE, pause: float = 0.01) -> None:
    """TimeoutError where it does not come to hold."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(pause)


def bounded(test: Callable[_Given, Awaitable[object]], within: float) -> Callable[_Given, Awaitable[None]]:
    """A test that ends by itself where it waits for what never comes, and whose traceback says where that was."""

    @functools.wraps(test)
    async def ends(*args: _Given.args, **more: _Given.kwargs) -> None:
        async with asyncio.timeout(within):
            await test(*args, **more)

    return ends


@contextmanager
def killed_if_late(process: subprocess.Popen[str], within: float = PATIENCE) -> Iterator[IO[str]]:
    """What it prints. A process that says nothing more is killed, and whoever reads comes to the end."""
    assert process.stdout is not None
    timer = threading.Timer(within, process.kill)
    timer.start()
    try:
        yield process.stdout
    finally:
        timer.cancel()
