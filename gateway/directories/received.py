"""Watches the socket of a library that reads without a bound: libpq reads a row as a whole, libldap an entry."""

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
    """Watches a socket through a duplicate descriptor, for the life of the connection. `bytes_received` makes one
    system call. Raises OSError if no descriptor is free.

    `of`: the library's descriptor.
    """

    def __init__(self, descriptor: int) -> None:
        self.of = descriptor
        self._socket = socket.socket(fileno=os.dup(descriptor))

    def bytes_received(self) -> int:
        """Returns the bytes received since the socket was opened; 0 for a socket other than TCP, such as a Unix
        socket.
        """
        with suppress(OSError):
            return int.from_bytes(
                self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[_RECEIVED], "little"
            )
        return 0

    def wait_for_none(self) -> None:
        """Sets timeouts, so that no read or write on the connection blocks for ever.

        libldap reads twice after the socket becomes readable. If only the beginning of a message has arrived, the
        second read would wait for the rest without regard to the deadline.
        """
        with suppress(OSError):
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _PATIENCE)

    def cut(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the duplicate descriptor alone."""
        self._socket.close()
