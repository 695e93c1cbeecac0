"""Reads the header of PROXY protocol v2 from a new connection, and not a byte more."""

import asyncio
import socket
from typing import Final

from gateway.model.codes import gateway_codes
from gateway.model.errors import GatewayError
from gateway.wire.proxy_protocol import HEAD_BYTES, ToldClient, client_of, rest_of

# Seconds. A server in front sends the header at once after connecting.
_LONGEST_WAIT: Final = 5.0


async def told_client(connection: socket.socket) -> ToldClient | None:
    """None: the server in front speaks for itself. Raises GatewayError(gateway_codes.LISTEN_PROXY_HEADER), OSError."""
    try:
        async with asyncio.timeout(_LONGEST_WAIT):
            head = await _exactly(connection, HEAD_BYTES)
            return client_of(head, await _exactly(connection, rest_of(head)))
    except TimeoutError:
        why = f"it was not complete after {_LONGEST_WAIT:g} s"
        raise GatewayError(gateway_codes.LISTEN_PROXY_HEADER, why) from None


async def _exactly(connection: socket.socket, size: int) -> bytes:
    loop, got = asyncio.get_running_loop(), b""
    while len(got) < size:
        piece = await loop.sock_recv(connection, size - len(got))
        if not piece:
            raise GatewayError(gateway_codes.LISTEN_PROXY_HEADER, "the connection ended before it was complete")
        got += piece
    return got
