"""How long a test waits for what is to come: as long as a machine may take that is busy with other work.

A wait ends when its state is there. This ends a test that would go on for ever, and says nothing of how quick we are.
"""

import asyncio
from collections.abc import Callable

PATIENCE = 60.0


async def until(holds: Callable[[], object], *, within: float = PATIENCE, pause: float = 0.01) -> None:
    """TimeoutError where it does not come to hold."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(pause)
