"""So many requests a second, whatever becomes of the ones before: each is answered, or counted as lost."""

import asyncio
import gc
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import cast

import httptools

_TICK = 0.001
_LAST_ANSWERS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """Monotonic seconds. `began`: when it was due, so that waiting for a free connection counts. `status` 0: lost."""

    target: str
    began: float
    ended: float
    status: int

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.began) * 1000


class Steady:
    """`rate`: requests a second, over `connections` that are kept, to one of `targets` after the other."""

    def __init__(
        self, port: int, headers: Mapping[str, str], targets: Sequence[str], rate: int, connections: int = 64
    ) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._requests = [(target, f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode()) for target in targets]
        self._port = port
        self._rate = rate
        self._connections = connections
        self._waiting: deque[tuple[str, bytes, float]] = deque()
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self.done: list[Answered] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Steady"]:
        """For as long as this lasts. Nobody's collector stands between two readings of the clock."""
        gc.collect()
        gc.disable()
        for _ in range(self._connections):
            await self._opened()
        asking = asyncio.create_task(self._ask())
        try:
            yield self
        finally:
            asking.cancel()
            await asyncio.wait([asking])
            await self._end()
            gc.enable()

    async def _ask(self) -> None:
        began, asked = monotonic(), 0
        while True:
            await asyncio.sleep(_TICK)
            now = monotonic()
            for number in range(asked, int((now - began) * self._rate)):
                target, data = self._requests[number % len(self._requests)]
                self._waiting.append((target, data, began + number / self._rate if self._waiting else now))
                asked = number + 1
            self._send()

    def _send(self) -> None:
        while self._waiting and self._idle:
            self._idle.pop().ask(*self._waiting.popleft())

    async def _opened(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: _Connection(self), "127.0.0.1", self._port)

    async def _end(self) -> None:
        """Each has its last answer."""
        until = monotonic() + _LAST_ANSWERS_WITHIN
        while (self._waiting or any(one.target for one in self._open)) and monotonic() < until:
            await asyncio.sleep(0.01)
        for one in tuple(self._open):
            one.leave()

    # --- for the connections ---

    def opened(self, connection: "_Connection") -> None:
        self._open.add(connection)
        self._idle.append(connection)
        self._send()

    def answered(self, connection: "_Connection", answered: Answered) -> None:
        self.done.append(answered)
        if connection in self._open:
            self._idle.append(connection)
            self._send()

    def closed(self, connection: "_Connection") -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not connection.told_to_leave:
            opening = asyncio.get_running_loop().create_task(self._opened())
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)


class _Connection(asyncio.Protocol):
    def __init__(self, load: Steady) -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._began = 0.0
        self.target = ""
        self.told_to_leave = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._load.opened(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.closed(self)
        if self.target:
            self._told(0)

    def ask(self, target: str, data: bytes, began: float) -> None:
        self.target, self._began = target, began
        self._transport.write(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        self._told(status)

    def leave(self) -> None:
        self.told_to_leave = True
        self._transport.close()

    def _told(self, status: int) -> None:
        target, self.target = self.target, ""
        self._load.answered(self, Answered(target, self._began, monotonic(), status))
