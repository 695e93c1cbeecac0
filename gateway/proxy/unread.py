"""How much of what was written the other side has not taken yet."""

import asyncio
import fcntl
from termios import TIOCOUTQ
from typing import Final

_ROOM: Final = bytes(4)


def unread(transport: asyncio.Transport) -> int:
    """Bytes in our buffer and, of a TCP connection, those that its peer has not acknowledged (tcp(7), SIOCOUTQ).

    The kernel says that it can be written to again when a third of its buffer is free. That may be a megabyte: of who
    reads slowly and steadily, our own buffer alone shows nothing for a minute.
    """
    waiting = transport.get_write_buffer_size()
    socket = transport.get_extra_info("socket")
    if socket is None:
        return waiting
    try:
        return waiting + int.from_bytes(fcntl.ioctl(socket.fileno(), TIOCOUTQ, _ROOM), "little")
    except OSError:
        return waiting
