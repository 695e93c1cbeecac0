"""The optional watch of the policy folder: a change that has come to rest is taken as a SIGHUP would be."""

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
    """For ever. `look` gives the fingerprint of the files as they are, `live` that of those which are served.

    What still changes between two looks is left until it does not; what was refused is not tried again as it is.
    """
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
