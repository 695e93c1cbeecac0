"""The server's messages about ends. A message may be lost: the list of ends counts."""

import asyncio
from contextlib import suppress

from redis.exceptions import RedisError

from gateway.stores.redis.connections import Reaches, by_chance

# Seconds without a word, after which the connection is looked at.
_LISTENS = 5.0
_AGAIN = 0.5


class Feed:
    def __init__(self, client: Reaches, channel: bytes) -> None:
        self._connections = client
        self._channel = channel
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Until something may have ended since the last time, or words may have been lost."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        await self._heard.wait()
        self._heard.clear()

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._subscribed()
            await asyncio.sleep(by_chance(_AGAIN))

    async def _subscribed(self) -> None:
        subscription = self._connections.subscription()
        try:
            await subscription.subscribe(self._channel)
            # What was said before is lost.
            self._heard.set()
            while True:
                if await subscription.get_message(timeout=_LISTENS) is not None:
                    self._heard.set()
        finally:
            await subscription.aclose()
