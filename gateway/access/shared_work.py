"""Work that several requests may need at once: one task for each key."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError

Result = TypeVar("Result")


class SharedWork(Generic[Result]):
    """`seconds`: how long a piece may take. `late`: the code of the error when it takes longer."""

    def __init__(self, seconds: float, late: Code) -> None:
        self._seconds = seconds
        self._late = late
        self._under_way: dict[Hashable, asyncio.Task[Result]] = {}

    async def done(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of the task of this key. `work` starts the task if none runs. The task continues when the starting
        request leaves. Raises GatewayError, and the errors of `work`.
        """
        return await asyncio.shield(self.begin(key, work))

    def begin(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> "asyncio.Task[Result]":
        """The same, for a caller that does not wait. The piece is not to be cancelled."""
        piece = self._under_way.get(key)
        if piece is None:
            piece = self._under_way[key] = asyncio.create_task(self._bounded(work))
            piece.add_done_callback(partial(self._ended, key))
        return piece

    async def _bounded(self, work: Callable[[], Awaitable[Result]]) -> Result:
        try:
            async with asyncio.timeout(self._seconds):
                return await work()
        except TimeoutError:
            raise GatewayError(self._late, f"not done within {self._seconds:g} s") from None

    def _ended(self, key: Hashable, piece: asyncio.Task[Result]) -> None:
        del self._under_way[key]
        # An error is for the requests that wait; where none does, the loop is not told of it.
        if not piece.cancelled():
            piece.exception()
