"""Two transports joined in memory: the data plane hands a request to the portal as if over a socket.

No other process can reach it, so what `get_extra_info` says of the client cannot be forged.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

_HIGH: Final = 64 * 1024


class MemoryTransport(asyncio.Transport):
    """One end. What is written comes to the other end's protocol in a later turn of the loop, in order."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, extra: Mapping[str, object]
    ) -> None:
        super().__init__()
        self._loop = loop
        self._protocol: asyncio.BaseProtocol = protocol
        self._facts = extra
        self._other: MemoryTransport | None = None
        self._waiting: list[bytes] = []
        self._size = 0
        self._scheduled = False
        self._reading = True
        self._writer_paused = False
        self._closing = False
        self._lost = False

    # --- what the own protocol asks for ---

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._facts.get(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        other = self._other
        if self._closing or other is None or not data:
            return
        other._take(bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self._other._size if self._other is not None else 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The limits are fixed: both ends are ours."""

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._schedule()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """What was written before still arrives at the other end."""
        if self._closing:
            return
        self._closing = True
        self._loop.call_soon(self._lose)
        if self._other is not None:
            self._other._schedule()

    abort = close

    # --- between the two ends ---

    def _take(self, data: bytes) -> None:
        self._waiting.append(data)
        self._size += len(data)
        writer = self._other
        if self._size > _HIGH and writer is not None and not self._writer_paused:
            self._writer_paused = True
            writer._protocol.pause_writing()
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._lost:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._lost or self._closing or not self._reading:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        writer = self._other
        if self._writer_paused and writer is not None:
            self._writer_paused = False
            writer._protocol.resume_writing()
        protocol = self._protocol
        if data and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(data)
        if writer is None or (writer._closing and not self._waiting):
            self.close()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._waiting.clear()
            self._protocol.connection_lost(None)


def join(
    loop: asyncio.AbstractEventLoop,
    near: asyncio.Protocol,
    far: asyncio.Protocol,
    far_extra: Mapping[str, object],
) -> None:
    """Connects two protocols; both have had their `connection_made` when this returns.

    `far_extra`: what the far one learns from `get_extra_info`.
    """
    one, two = MemoryTransport(loop, near, {}), MemoryTransport(loop, far, far_extra)
    one._other, two._other = two, one
    far.connection_made(two)
    near.connection_made(one)
