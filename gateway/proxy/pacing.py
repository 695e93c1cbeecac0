"""The pace of reading: only as much is read for a client as its kernel takes. A client that reads nothing costs next to
no memory in this process.

Linux tells how much room the send buffer of a connection has (sock_diag(7), SO_MEMINFO). Elsewhere pieces are small.
"""

import asyncio
import mmap
import select
import socket
import struct
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

# Bytes per read at the beginning of a response: most responses are complete within them.
_NARROW: Final = 50 * 1024
# Bytes per write to TLS, a record: OpenSSL's write buffer never shrinks. The two records of a small piece reach the
# kernel together.
_RECORD: Final = 16 * 1024
_SMALL_RECORD: Final = 12 * 1024
READ_AT_MOST: Final = 256 * 1024
# A connection with this many bytes waiting in the kernel is slower than its source. Then only little is read for it,
# and little may wait here: a kernel without memory for TCP takes no bytes, even after it has reported room. Bytes read
# for TLS need further memory in the loop and OpenSSL.
_QUICK: Final = 1 << 20
_LITTLE: Final = 40 * 1024
# The most bytes below TLS until the end of the loop's turn: the loop's usual number, and a record if only little may
# wait.
_BELOW, _LITTLE_BELOW = 64 * 1024, 16 * 1024
# A larger read suggests that more bytes follow.
SMALL: Final = 16 * 1024
# For compressed bodies: a piece is kept until it is decoded, and decoding takes 40 KB more.
LITTLE: Final = 4 * 1024
_NOBODY: Final = asyncio.BufferedProtocol()

# Every connection of the process reads into this memory, and the bytes are copied out before the loop's next callback.
# PRIVATE: invisible to other processes. A slice is bytes, without an intermediate view.
READ: Final = mmap.mmap(-1, READ_AT_MOST, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
_MEMORY: Final = memoryview(READ)
FIRST: Final = _MEMORY[:_NARROW]

# For heads of clients. Small, because bytes after a request wait in the process until the request has its response.
HEADS: Final = _MEMORY[:SMALL]


def for_body(left: int, free: int) -> memoryview:
    """The memory for the next piece of a client's body: sized so that few bytes behind the body are read with it.

    `left`: bytes of the body still to come.
    `free`: bytes that the application can take.
    """
    return _MEMORY[: max(SMALL, min(left, free))]


# Nine numbers. The fourth is the most bytes that may wait for sending, the sixth the waiting bytes with the kernel's
# overhead.
_MEMINFO: Final = 55
_NUMBERS: Final = struct.Struct("9I")
_MOST, _WAITS = 3, 5


def paced(transport: asyncio.Transport, room_of_all: "Room") -> asyncio.Transport:
    """Makes the transport report as full once a byte waits; with TLS, once more waits than the end of a handshake. The
    sender keeps the rest."""
    tls = isinstance(transport, PacedTls) or transport.get_extra_info("sslcontext") is not None
    transport.set_write_buffer_limits(high=SMALL if tls else 1)
    if tls and not isinstance(transport, PacedTls):
        return PacedTls(transport, room_of_all)
    return transport


def let_go(transport: Any) -> None:
    """Breaks a cycle of references after a connection has ended: the loop's TLS holds the protocol, the protocol holds
    the transport, and the transport holds the loop's TLS. Otherwise the memory waits for the collector."""
    transport.set_protocol(_NOBODY)


def room(transport: asyncio.Transport) -> int:
    """The bytes to read at once for the reader behind `transport`: half of the kernel's free room, because the kernel
    counts its overhead with each packet. Less if much waits; at least SMALL."""
    if isinstance(transport, OwnRoom):
        return transport.room()
    found = _send_buffer(transport)
    if found is None:
        return SMALL
    most, waits = found
    return max(min((most - waits) // 2, READ_AT_MOST if waits <= _QUICK else _LITTLE), SMALL)


def _send_buffer(transport: asyncio.Transport) -> tuple[int, int] | None:
    """The size of the kernel's send buffer, and the bytes waiting in it; None if unknown."""
    connection = transport.get_extra_info("socket")
    if connection is None or sys.platform != "linux":
        return None
    try:
        numbers = _NUMBERS.unpack(connection.getsockopt(socket.SOL_SOCKET, _MEMINFO, _NUMBERS.size))
    except (OSError, struct.error):
        # It is closed.
        return None
    return numbers[_MOST], numbers[_WAITS]


class OwnRoom(asyncio.Transport):
    """Says itself how many bytes may be read at once for who is written to by it. `at_most`: also where little came
    before."""

    __slots__ = ()

    @property
    def at_most(self) -> int:
        return READ_AT_MOST

    def room(self) -> int:
        raise NotImplementedError


class PacedReading(asyncio.BufferedProtocol):
    """A connection that reads into READ, no faster than the other side takes the result.

    `view`: the memory for the next piece; its size bounds the piece.
    `first`: the view while little came before.
    """

    __slots__ = ("view",)

    first: ClassVar[memoryview] = FIRST

    def __init__(self) -> None:
        self.view = self.first

    @property
    def get_buffer(self) -> partial[memoryview]:
        """The loop calls the result before each read: `view`, without a Python call."""
        return partial(getattr, self, "view")

    def size_the_next(self, came: int, to: asyncio.Transport | None) -> None:
        """Sizes the view after a piece of `came` bytes. `to`: the transport that takes the bytes; None without a
        transport."""
        if to is None or (came <= SMALL and came < len(self.view)):
            # Keeps the view while it may be filled completely, which saves a question to the transport.
            most = to.at_most if isinstance(to, OwnRoom) else READ_AT_MOST
            self.view = self.first if most >= len(self.first) else self.first[:most]
        else:
            self.view = _MEMORY[: room(to)]

    def read_little(self) -> None:
        """Bounds the next piece to LITTLE bytes."""
        self.view = _MEMORY[:LITTLE]


class Room:
    """Reports when the kernel accepts more bytes on full connections. One object per worker: the loop watches its
    descriptor, because the connections' descriptors belong to their transports."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll: select.epoll | None = None
        # A connection that has ended is gone from the kernel's set by itself.
        self._waiting: WeakValueDictionary[int, PacedTls] = WeakValueDictionary()

    def wait(self, descriptor: int, paced: "PacedTls") -> bool:
        """Whether `paced` will be told, once."""
        try:
            if self._epoll is None:
                self._epoll = select.epoll()
                self._loop.add_reader(self._epoll.fileno(), self._tell)
            self._watch(self._epoll, descriptor)
        except (OSError, ValueError):
            return False
        self._waiting[descriptor] = paced
        return True

    def close(self) -> None:
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _watch(self, epoll: select.epoll, descriptor: int) -> None:
        events = select.EPOLLOUT | select.EPOLLONESHOT
        try:
            epoll.register(descriptor, events)
        except FileExistsError:
            epoll.modify(descriptor, events)

    def _tell(self) -> None:
        if self._epoll is not None:
            for descriptor, _ in self._epoll.poll(0):
                if (paced := self._waiting.pop(descriptor, None)) is not None:
                    # In separate calls: a fault in a call does not stop the rest.
                    self._loop.call_soon(paced.has_room)


class PacedTls(OwnRoom):
    """A client's transport under TLS. The loop's TLS would buffer 64 KB and more beyond the kernel's buffer without
    reporting it. So this transport asks the kernel whenever it has written as much as the kernel had room for.

    `below`: the transport for the encrypted bytes.
    `_left`: bytes until the kernel is asked again.
    `_lags`: many bytes wait in the kernel.
    """

    __slots__ = ("__weakref__", "_lags", "_left", "_room", "_tls", "_waits", "below")

    def __init__(self, tls: asyncio.Transport, room_of_all: Room) -> None:
        self._tls = tls
        self._room = room_of_all
        self._left = SMALL
        self._waits = self._lags = False
        self.below: asyncio.WriteTransport | None = None
        limited: Any = tls
        # Stops reading while bytes wait for decryption.
        limited.set_read_buffer_limits(high=1, low=0)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._tls.is_closing():
            # The loop's TLS would log each write.
            return
        size = len(data)
        self._left -= size
        if size <= _SMALL_RECORD:
            self._tls.write(data)
        else:
            data, record = memoryview(data), _SMALL_RECORD if size <= SMALL else _RECORD
            for start in range(0, size, record):
                self._tls.write(data[start : start + record])
        if self._left < 0:
            self._look()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    @property
    def at_most(self) -> int:
        """SMALL while many bytes wait below TLS, so that no long piece follows."""
        return SMALL if self._lags else READ_AT_MOST

    def room(self) -> int:
        """As `room` above."""
        if self._left < READ_AT_MOST:
            self._look()
        return max(self._left, SMALL)

    def _look(self) -> None:
        self._left = 0
        found = _send_buffer(self._tls)
        if found is None:
            return
        most, waits = found
        free, lags = most - waits, waits > _QUICK
        if lags is not self._lags and self.below is not None:
            self._lags = lags
            self.below.set_write_buffer_limits(high=_LITTLE_BELOW if lags else _BELOW)
        # As the kernel itself says whether a connection can be written to.
        if 2 * free >= waits:
            self._left = min(free // 2, SMALL if lags else READ_AT_MOST)
        elif not self._tls.is_closing():
            descriptor = self._tls.get_extra_info("socket").fileno()
            if self._waits or self._room.wait(descriptor, self):
                self._waits = True
                # Again where the loop's own TLS has said meanwhile that more can be written.
                self._protocol().pause_writing()

    def has_room(self) -> None:
        """From Room."""
        self._waits = False
        if not self._tls.is_closing():
            self._protocol().resume_writing()

    def _protocol(self) -> asyncio.BaseProtocol:
        return self._tls.get_protocol()

    # --- as the loop's ---

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._tls.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._tls.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._tls.is_closing()

    def is_reading(self) -> bool:
        return self._tls.is_reading()

    def pause_reading(self) -> None:
        self._tls.pause_reading()

    def resume_reading(self) -> None:
        self._tls.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._tls.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._tls.get_protocol()

    def can_write_eof(self) -> bool:
        return self._tls.can_write_eof()

    def write_eof(self) -> None:
        self._tls.write_eof()

    def close(self) -> None:
        self._tls.close()

    def abort(self) -> None:
        self._tls.abort()
