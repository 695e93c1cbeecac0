"""Which of several gateways on one state folder looks after what is there once: the one that holds the lock."""

import asyncio
from pathlib import Path

from gateway.config.snapshot import Gateway
from gateway.stores.sqlite_owner import Ownership

_AGAIN = 1.0


class Caretaker:
    """The kernel takes the lock back when its process ends, however it ends. What is in memory has no folder, and
    nobody beside it."""

    def __init__(self, gateway: Gateway) -> None:
        self._lock = None if gateway.store == "memory" else Ownership(Path(gateway.state_folder) / "gateway")

    async def wait(self) -> None:
        """Until it is this gateway."""
        while self._lock is not None:
            try:
                if await asyncio.to_thread(self._lock.taken):
                    return
            except OSError:
                # The folder is full or away. No other gateway can have a lock there either.
                return
            await asyncio.sleep(_AGAIN)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
