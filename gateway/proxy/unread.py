"""How many written bytes the other side has not taken yet."""

import asyncio
import fcntl
from termios import TIOCOUTQ
from typing import Final

_ROOM: Final = bytes(4)


def unread(transport: asyncio.Transport) -> int:
    """Bytes in our buffer and, on a TCP connection, bytes that the peer has not acknowledged (tcp(7), SIOCOUTQ).

    The kernel reports a connection as writable when a third of its buffer is free, which may be a megabyte. With a slow
    and
    steady reader, our own buffer alone would not change for a minute.
    """
    waiting = transport.get_write_buffer_size()
    socket = transport.get_extra_info("socket")
    if socket is None:
        return waiting
    try:
        return waiting + int.from_bytes(fcntl.ioctl(socket.fileno(), TIOCOUTQ, _ROOM), "little")
    except OSError:
        return waiting
