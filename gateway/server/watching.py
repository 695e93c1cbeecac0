"""The optional watch of the policy folder: a change that has come to rest leads to a reload, as SIGHUP does."""

import asyncio
import time
from collections.abc import Awaitable, Callable

LOOKED_EVERY = 2.0
# Of a large folder, looking takes this part of the time at most.
_MOST_OF_THE_TIME = 0.05


async def watch(
    look: Callable[[], Awaitable[bytes]],
    live: Callable[[], bytes],
    changed: Callable[[], None],
    every: float = LOOKED_EVERY,
) -> None:
    """Watches for ever, and calls `changed` after a change. A folder that still changes between two looks has to wait,
    and a refused folder is not tried again unchanged.

    `look`: the fingerprint of the present files.
    `live`: the fingerprint of the served files."""
    before, tried, pause = live(), live(), every
    while True:
        await asyncio.sleep(pause)
        began = time.monotonic()
        now = await look()
        pause = max(every, (time.monotonic() - began) / _MOST_OF_THE_TIME)
        if now == before and now not in (tried, live()):
            tried = now
            changed()
        before = now
