"""The socket of a library that takes what it reads whole: libpq a row, libldap an entry."""

import os
import socket
import struct
from contextlib import suppress
from typing import Final

# linux/tcp.h, struct tcp_info: tcpi_bytes_received.
_RECEIVED: Final = slice(128, 136)
# socket(7), struct timeval: 100 ms.
_PATIENCE: Final = struct.pack("ll", 0, 100_000)


class Watched:
    """Asked through a descriptor of its own, for as long as the connection is kept: each question is one system call.
    `of`: the library's descriptor. Raises OSError where there is no room for one more."""

    def __init__(self, descriptor: int) -> None:
        self.of = descriptor
        self._socket = socket.socket(fileno=os.dup(descriptor))

    def bytes_received(self) -> int:
        """Since it was opened; 0 of what is no TCP connection, such as a socket of this machine."""
        with suppress(OSError):
            return int.from_bytes(
                self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[_RECEIVED], "little"
            )
        return 0

    def wait_for_none(self) -> None:
        """No read of this connection waits for ever. libldap reads twice where it was told that there is something, and
        where that was the beginning of a message alone, it would wait for the rest whatever the time."""
        with suppress(OSError):
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _PATIENCE)

    def cut(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Of this descriptor alone."""
        self._socket.close()
