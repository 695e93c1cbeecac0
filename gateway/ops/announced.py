"""Opens connections with a PROXY protocol v2 header, for applications that expect the header before TLS and HTTP."""

import asyncio
import socket

from gateway.wire.proxy_protocol import announcement


async def announced_to(address: str, port: int, client: str) -> socket.socket:
    """Connects and sends the header. Raises OSError.

    `client`: address of the client whose requests the connection carries; empty: the gateway's own requests.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, (address, port))
        await loop.sock_sendall(connection, announcement(client, address))
    except BaseException:
        connection.close()
        raise
    return connection


def announce_on(connection: socket.socket, client: str) -> None:
    """Sends the header on an open Unix socket. Closes the socket on failure. Raises OSError."""
    try:
        # The send buffer has room: the connection has sent no byte before.
        connection.send(announcement(client, ""))
    except BaseException:
        connection.close()
        raise
