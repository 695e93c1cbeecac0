"""Bounds the memory of a TLS connection: the bytes read at once, and the written bytes that wait.

The loop's TLS reads up to 256 KB at once, and the bytes occupy three places: the read memory, whose pages stay with the
process after their first use; OpenSSL's input buffer, which never shrinks; and the decrypted bytes. When writing, the
loop's TLS would buffer 64 KB and more beyond the kernel's buffer before it reports that the connection is full.
"""

import asyncio
import asyncio.sslproto
import ssl
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final

import uvloop.loop

from gateway.proxy.pacing import PacedTls, let_go

# Half a record of TLS: a request comes in one piece.
_AT_ONCE: Final = 8 * 1024

# Opens a connection in the loop: takes a factory of protocols, returns the transport and the protocol.
Opens = Callable[[Callable[[], asyncio.BaseProtocol]], Coroutine[Any, Any, tuple[asyncio.WriteTransport, Any]]]


async def opened_by_tls(opens: Opens, protocol: asyncio.BaseProtocol, context: ssl.SSLContext, **how: Any) -> None:
    """Opens a connection by `opens`, to the end of the TLS handshake. `how`: arguments of the loop's TLS, such as
    `server_side` or `server_hostname`."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    reading = TlsReading(protocol, context, waiter, how)
    try:
        below, _ = await opens(lambda: reading)
        await waiter
        written = getattr(protocol, "transport", None)
        if isinstance(written, PacedTls):
            written.below = below
    except BaseException:
        reading.give_up()
        raise
    finally:
        # Breaks a cycle: the future holds its exception, and the exception holds this frame.
        del waiter


class TlsReading(asyncio.BufferedProtocol):
    """Stands between a connection and the loop's TLS, and shows no more of its memory than is read at once."""

    __slots__ = ("_full", "_is_open", "_tls", "_transport", "_view")

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        context: ssl.SSLContext,
        waiter: "asyncio.Future[None]",
        how: Mapping[str, Any],
    ) -> None:
        loop = asyncio.get_running_loop()
        kind: Any = vars(uvloop.loop)["SSLProtocol"] if isinstance(loop, uvloop.Loop) else asyncio.sslproto.SSLProtocol
        self._tls = tls = kind(loop, protocol, context, waiter, **how)
        self._transport = tls._get_app_transport()
        self._is_open = self._full = False
        self._view: memoryview = tls.get_buffer(_AT_ONCE)[:_AT_ONCE]

    @property
    def get_buffer(self) -> Callable[[int], memoryview]:
        """The loop calls the results of this property and the next for each read, without a Python call."""
        return partial(getattr, self, "_view")

    @property
    def buffer_updated(self) -> Callable[[int], None]:
        updated: Callable[[int], None] = self._tls.buffer_updated
        return updated

    def give_up(self) -> None:
        """Ends a connection whose handshake failed. The loop's TLS and its transport hold each other until a connection
        is lost, but this connection never began."""
        if not self._is_open:
            self.connection_lost(None)
        elif not self._transport.is_closing():
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._is_open = True
        self._tls.connection_made(transport)

    def eof_received(self) -> bool | None:
        keep: bool | None = self._tls.eof_received()
        return keep

    def connection_lost(self, exc: Exception | None) -> None:
        self._tls.connection_lost(exc)
        asyncio.get_running_loop().call_soon(let_go, self._transport)

    def pause_writing(self) -> None:
        """Marks the connection as full: the loop's TLS would take further writes silently, up to its own limit."""
        self._full = True
        self._tls.pause_writing()
        self._transport.get_protocol().pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        # The loop's TLS now writes its buffer, which may fill the connection again.
        self._tls.resume_writing()
        protocol = self._transport.get_protocol()
        if self._full:
            protocol.pause_writing()
        else:
            protocol.resume_writing()
