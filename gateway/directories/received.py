"""How much has come on a connection whose library takes what it reads whole: libpq a row, libldap an entry."""

import os
import socket
import struct
from contextlib import suppress
from typing import Final

# linux/tcp.h, struct tcp_info: tcpi_bytes_received.
_RECEIVED: Final = slice(128, 136)
# socket(7), struct timeval: 100 ms.
_PATIENCE: Final = struct.pack("ll", 0, 100_000)


def bytes_received(descriptor: int) -> int:
    """Since it was opened; 0 of what is no TCP connection, such as a socket of this machine."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as seen:
        return int.from_bytes(seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[_RECEIVED], "little")
    return 0


def wait_for_none(descriptor: int) -> None:
    """No read of this connection waits for ever. libldap reads twice where it was told that there is something, and
    where that was the beginning of a message alone, it would wait for the rest whatever the time."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as seen:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            seen.setsockopt(socket.SOL_SOCKET, option, _PATIENCE)
