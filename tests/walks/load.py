"""Clients that ask without end, and what became of each of their requests."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.patience import PATIENCE, until
from tests.raw_http import Connection, Reading


@dataclass(frozen=True, slots=True)
class Asked:
    """`began` and `ended`: monotonic seconds. `reading` None: no answer came, and why is in `failure`.

    `fresh`: the first request of its connection.
    """

    target: str
    began: float
    ended: float
    reading: Reading | None
    failure: str = ""
    fresh: bool = False

    @property
    def status(self) -> int:
        return 0 if self.reading is None else self.reading.status


@dataclass
class Load:
    """`url`: where to connect. `make`: the bytes of a request to a target. `pause`: seconds between two of a client.
    `ended_idle`: kept connections that ended between two requests."""

    url: str
    make: Callable[[str], bytes]
    targets: list[str]
    pause: float = 0.002
    done: list[Asked] = field(default_factory=list)
    ended_idle: int = 0
    _stopping: bool = False

    async def answers(self, number: int) -> None:
        """Waits for so many more."""
        enough = len(self.done) + number
        await until(lambda: len(self.done) >= enough)

    def stop(self) -> None:
        """Each client ends after the answer it waits for."""
        self._stopping = True

    async def kept(self, first: int) -> None:
        """A client that keeps its connection for as long as it is let. One that has ended meanwhile it uses no more,
        as browsers do."""
        number, connection = first, None
        while not self._stopping:
            fresh = connection is None
            connection = connection or await self._opened()
            if connection is None:
                return
            await self.ask(connection, self.targets[number % len(self.targets)], fresh)
            number += 1
            if not connection.usable:
                await connection.close()
                connection = None
            await asyncio.sleep(self.pause)
            if connection is not None and connection.ended:
                self.ended_idle += 1
                await connection.close()
                connection = None
        if connection is not None:
            await connection.close()

    async def anew(self, first: int) -> None:
        """A client that opens a connection for each request."""
        number = first
        while not self._stopping:
            connection = await self._opened()
            if connection is None:
                return
            await self.ask(connection, self.targets[number % len(self.targets)], True)
            await connection.close()
            number += 1
            await asyncio.sleep(self.pause)

    async def _opened(self) -> Connection | None:
        """None where nobody listens any more."""
        try:
            return await Connection.open(self.url)
        except ConnectionRefusedError:
            return None

    async def ask(self, connection: Connection, target: str, fresh: bool = False) -> Asked:
        began = time.monotonic()
        reading, failure = None, ""
        try:
            reading = await connection.exchange(self.make(target))
        except (OSError, TimeoutError) as error:
            failure = repr(error)
            connection.usable = False
        asked = Asked(target, began, time.monotonic(), reading, failure, fresh)
        self.done.append(asked)
        return asked


@asynccontextmanager
async def running(load: Load, *, kept: int = 0, anew: int = 0) -> AsyncIterator[Load]:
    """So many clients of each kind, for as long as this lasts; in the end each has its last answer."""
    clients = [load.kept(number) for number in range(kept)] + [load.anew(number) for number in range(anew)]
    tasks = [asyncio.create_task(client) for client in clients]
    try:
        yield load
    finally:
        load.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*tasks)
        for task in tasks:
            task.cancel()
