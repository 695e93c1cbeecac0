"""Connections that begin with a header of PROXY protocol v2, for applications that ask for it before TLS and HTTP."""

import asyncio
import socket

from gateway.wire.proxy_protocol import announcement


async def announced_to(address: str, port: int, client: str) -> socket.socket:
    """`client`: whose requests go on it, empty where we ask something ourselves. Raises OSError."""
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
    """On an open Unix socket, which is closed where it cannot be. Raises OSError."""
    try:
        # There is room for it: nothing was sent before.
        connection.send(announcement(client, ""))
    except BaseException:
        connection.close()
        raise
