"""How much has come on a connection whose library takes what it reads whole: libpq a row, libldap an entry."""

import os
import socket
from contextlib import suppress
from typing import Final

# linux/tcp.h, struct tcp_info: tcpi_bytes_received.
_RECEIVED: Final = slice(128, 136)


def bytes_received(descriptor: int) -> int:
    """Since it was opened; 0 of what is no TCP connection, such as a socket of this machine."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as seen:
        return int.from_bytes(seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[_RECEIVED], "little")
    return 0
