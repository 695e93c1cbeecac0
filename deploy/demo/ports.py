"""Ports to listen on that stay free until somebody does.

One that the system gives out (port 0) is free for a moment only: before the program that it is meant for has started,
it may be anybody's next connection outwards. These lie below the ports of such connections, and each process that asks
has a block of them to itself. They lie above 10080, the highest port that browsers and Node refuse to speak to (WHATWG
Fetch 2.9, "bad ports").
"""

import atexit
import socket
from functools import cache
from itertools import cycle, islice
from pathlib import Path

LOOPBACK = "127.0.0.1"
_OUTWARD = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _BLOCK = 10_100, 400


class Block:
    def __init__(self) -> None:
        outward = int(_OUTWARD.read_text().split()[0]) if _OUTWARD.exists() else 32_768
        self._sign = socket.socket(socket.AF_UNIX)
        atexit.register(self._sign.close)
        self.ports = self._first_of_nobody(range(_LOWEST, outward - _BLOCK, _BLOCK))
        self._next = cycle(self.ports)

    def free(self, number: int) -> list[int]:
        """All different; one that was given before comes again when all the others were."""
        found: list[int] = []
        for port in islice(self._next, _BLOCK):
            if _is_free(port):
                found.append(port)
            if len(found) == number:
                return found
        raise OSError(f"fewer than {number} ports are free")

    def _first_of_nobody(self, starts: range) -> range:
        """A name in the abstract namespace (unix(7)) is one process's, and is given back at its end."""
        for start in starts:
            try:
                self._sign.bind(f"\0ecluse-ports-{start}")
            except OSError:
                continue
            return range(start, start + _BLOCK)
        raise OSError("no block of ports is free")


@cache
def own_block() -> Block:
    return Block()


def free(number: int) -> list[int]:
    """Ports that nothing listens on at this moment, all different."""
    return own_block().free(number)


def _is_free(port: int) -> bool:
    """One whose last connections are in TIME_WAIT is left to rest: there are others."""
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
