"""A gateway and an application in processes of their own, so that of the gateway's memory nothing is the test's.

`python -m tests.proxy.standing application FILE` prints its ports, without and with TLS, and writes the certificate of
its authority to the file; `... gateway SCHEME PORT FILE [rewriting]` serves without and with TLS, before the
application at that port, and prints both ports. Its kernel says of each connection that takes anything that it takes
much more, as one does that then runs out of memory for TCP. Each ends with its standard input.
"""

import asyncio
import base64
import gzip
import random
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop

from gateway.proxy import pacing
from tests.proxy.certificates import authority_pem, server_side
from tests.proxy.gateways import gateway
from tests.proxy.websocket_ends import TUNNEL, frame, switched

_SIZE, _MUCH = 10 << 20, 1 << 24
# Pages that compress to a tenth.
_NOISE = base64.b64encode(random.Random(7).randbytes(_SIZE >> 4))
_ZIPPED = gzip.compress(b"".join(_NOISE[at : at + 48] + b"<br>" * 150 for at in range(0, len(_NOISE), 48)), 1)
_HEADS = {
    "counted": f"Content-Length: {_SIZE}",
    "in_chunks": "Transfer-Encoding: chunked",
    "events": "Content-Type: text/event-stream",
    "small": "Content-Length: 10000",
    "page": "Content-Length: 50000",
    "file": f"Content-Length: {1 << 20}",
    "zipped": f"Content-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {len(_ZIPPED)}",
}
_PIECES = {
    "counted": [bytes(1 << 20)] * 10,
    "in_chunks": [b"10000\r\n" + bytes(1 << 16) + b"\r\n"] * 160 + [b"0\r\n\r\n"],
    "events": [b"data: " + b"x" * 1016 + b"\n\n"] * (_SIZE >> 10),
    "small": [bytes(10_000)],
    "page": [bytes(50_000)],
    "file": [bytes(1 << 20)],
    "zipped": [_ZIPPED],
}
# Takes no upload; takes a WebSocket, and talks on it without end, or reads nothing of it.
_STANDS = ("deaf", "talks", "listens")


def _answer(connection: socket.socket) -> None:
    """/public/WAY, one request after the other."""
    with suppress(OSError), connection:
        while True:
            read = b""
            while b"\r\n\r\n" not in read:
                piece = connection.recv(65536)
                if not piece:
                    return
                read += piece
            head, _, body = read.partition(b"\r\n\r\n")
            way = read.split(b" ")[1].rpartition(b"/")[2].decode()
            if way in _STANDS:
                _stand(connection, way)
                return
            left = int((re.findall(rb"Content-Length: (\d+)", head) or [0])[0]) - len(body)
            while left:
                left -= len(connection.recv(min(left, 65536)))
            connection.sendall(f"HTTP/1.1 200 OK\r\n{_HEADS[way]}\r\n\r\n".encode())
            for piece in _PIECES[way]:
                connection.sendall(piece)
            if way == "events":
                return


def _stand(connection: socket.socket, way: str) -> None:
    if way == "deaf":
        threading.Event().wait()
    connection.sendall(switched())
    while way == "talks":
        connection.sendall(frame(bytes(1 << 16), 2))
    threading.Event().wait()


def _application(certificate: Path) -> None:
    certificate.write_bytes(authority_pem())
    with (
        socket.create_server(("127.0.0.1", 0), backlog=512) as plain,
        socket.create_server(("127.0.0.1", 0), backlog=512) as tls,
    ):
        print(plain.getsockname()[1], tls.getsockname()[1], flush=True)
        for listening, context in ((plain, None), (tls, server_side())):
            threading.Thread(target=_accept, args=(listening, context), daemon=True).start()
        sys.stdin.read()


def _accept(listening: socket.socket, tls: ssl.SSLContext | None) -> None:
    while True:
        connection, _ = listening.accept()
        # Otherwise a body waits 40 ms for the acknowledgement of its head.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_speak, args=(connection, tls), daemon=True).start()


def _speak(connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    _answer(connection if tls is None else tls.wrap_socket(connection, server_side=True))


def _says_too_much(asked: Callable[[asyncio.Transport], tuple[int, int] | None]) -> Any:
    def says(transport: asyncio.Transport) -> tuple[int, int] | None:
        found = asked(transport)
        return found if found is None or found[0] <= found[1] else (found[1] + _MUCH, found[1])

    return says


async def _gateway(scheme: str, port: int, certificate: Path, *rewriting: str) -> None:
    vars(pacing)["_send_buffer"] = _says_too_much(vars(pacing)["_send_buffer"])
    app = TUNNEL + ("rewrite: {headers: true, bodies: true}\n" if rewriting else "")
    behind: dict[str, Any] = {"app": app, "scheme": scheme}
    if scheme == "https":
        behind |= {"upstream": "ca: {file: ca.pem}", "secrets": {"file:ca.pem": certificate.read_bytes()}}
    async with gateway(port, **behind) as plain, gateway(port, **behind, tls=server_side()) as tls:
        print(plain.port, tls.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if sys.argv[1] == "gateway":
        uvloop.run(_gateway(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), *sys.argv[5:]))
    else:
        _application(Path(sys.argv[2]))
