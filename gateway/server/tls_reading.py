"""How much is read at once of a connection that speaks TLS.

The loop's own TLS reads up to 256 KB, which stay in three places: the memory that it reads to, whose pages belong to
the process from when they are first used; OpenSSL's buffer of what is to be decrypted, which keeps the size that it has
grown to; and what is decrypted.
"""

import asyncio
import asyncio.sslproto
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvloop.loop

from gateway.proxy.pacing import let_go

# Half a record of TLS: a request comes in one piece.
_AT_ONCE: Final = 8 * 1024


async def accept_tls(
    connection: Any, protocol: asyncio.BaseProtocol, context: ssl.SSLContext, patience: float | None
) -> None:
    """As the loop's connect_accepted_socket, to the end of the handshake, which may take `patience` seconds."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    kind: Any = vars(uvloop.loop)["SSLProtocol"] if isinstance(loop, uvloop.Loop) else asyncio.sslproto.SSLProtocol
    tls = kind(loop, protocol, context, waiter, server_side=True, ssl_handshake_timeout=patience)
    transport = tls._get_app_transport()
    try:
        await loop.connect_accepted_socket(partial(TlsReading, tls), connection)
        await waiter
    except BaseException:
        transport.close()
        raise


class TlsReading(asyncio.BufferedProtocol):
    """Stands between a connection and the loop's TLS (`tls`), and shows no more of its memory than is read at once."""

    __slots__ = ("_tls", "_view")

    def __init__(self, tls: Any) -> None:
        self._tls = tls
        self._view: memoryview = tls.get_buffer(_AT_ONCE)[:_AT_ONCE]

    @property
    def get_buffer(self) -> Callable[[int], memoryview]:
        """The loop calls what this and the next give for each read, without a Python call."""
        return partial(getattr, self, "_view")

    @property
    def buffer_updated(self) -> Callable[[int], None]:
        updated: Callable[[int], None] = self._tls.buffer_updated
        return updated

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tls.connection_made(transport)

    def eof_received(self) -> bool | None:
        keep: bool | None = self._tls.eof_received()
        return keep

    def connection_lost(self, exc: Exception | None) -> None:
        transport = self._tls._get_app_transport()
        self._tls.connection_lost(exc)
        asyncio.get_running_loop().call_soon(let_go, transport)

    def pause_writing(self) -> None:
        self._tls.pause_writing()

    def resume_writing(self) -> None:
        self._tls.resume_writing()
