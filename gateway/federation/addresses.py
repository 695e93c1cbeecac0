"""Decides which addresses a call to a provider may reach, by the address about to be connected to, never by a name."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class AddressRefused(OSError):
    """The provider client refuses to open a socket to `address`. The text never varies, so that refusals of several
    addresses stay one error.
    """

    def __init__(self, address: str) -> None:
        super().__init__("an address that this provider may not have")
        self.address = address


def is_local_name(host: str) -> bool:
    # RFC 6761 6.3
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


# A name server that is down holds one thread per name, for up to half a minute. Only when this many look-ups hang do
# further look-ups wait. The pool creates threads on demand.
LOOK_UPS = 64
_LOOPBACK: tuple[tuple[int, str], ...] = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))

Infos = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]


class Resolver(AbstractResolver):
    """The system's resolver, run in separate threads. Answers `.localhost` itself, which Debian's resolver does not
    know.
    """

    def __init__(self, look_up: Callable[..., Infos] = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(LOOK_UPS, "look-up")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if is_local_name(host):
            found = [address for address in _LOOPBACK if family in (socket.AF_UNSPEC, address[0])]
        else:
            asked = partial(self._look_up, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
            infos = await asyncio.get_running_loop().run_in_executor(self._threads, asked)
            found = [(kind, str(address[0])) for kind, _, _, _, address in infos]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
