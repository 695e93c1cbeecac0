"""Several gateways on one state folder: the holder of a lock looks after the shared files."""

import asyncio
from pathlib import Path

from gateway.config.snapshot import Gateway
from gateway.stores.sqlite.owner import Ownership

_AGAIN = 1.0


class Caretaker:
    """Holds or waits for the lock. The kernel releases the lock when the holder's process ends, also after a crash. A
    gateway with the memory store has no state folder, and no gateway beside it."""

    def __init__(self, gateway: Gateway) -> None:
        self._lock = None if gateway.store == "memory" else Ownership(Path(gateway.state_folder) / "gateway")

    async def wait(self) -> None:
        """Waits until the gateway holds the lock."""
        while self._lock is not None:
            try:
                if await asyncio.to_thread(self._lock.taken):
                    return
            except OSError:
                # The folder is full or missing. Other gateways cannot take the lock either.
                return
            await asyncio.sleep(_AGAIN)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
