"""What one authenticated GET costs in user space: both protocols fed in-process, through transports that do nothing.

`python -m tests.bench.lane` prints microseconds per request, minimum and median of several rounds; with a number
after it, that many rounds.
"""

import asyncio
import statistics
import sys
import time

import uvloop

from gateway.ops.counters import Counters
from gateway.proxy.dataplane import DataPlane
from tests.config.samples import sample_snapshot
from tests.proxy.stand_ins import COOKIE, Holder, Log, Pages, Portal, Sessions, identity, seat

HOST = "permis.localhost"

BROWSER = (
    b"Host: permis.localhost:8080\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    b"Accept-Language: fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Connection: keep-alive\r\n"
    b"Referer: http://permis.localhost:8080/dossiers\r\n"
    b"Cookie: __Host-ecluse=" + COOKIE + b"; JSESSIONID=0123456789ABCDEF0123456789ABCDEF\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"\r\n"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: nginx/1.26.3\r\n"
    b"Date: Mon, 24 Nov 2025 15:00:00 GMT\r\n"
    b"Content-Type: text/html\r\n"
    b"Content-Length: 1024\r\n"
    b"Last-Modified: Mon, 24 Nov 2025 14:00:00 GMT\r\n"
    b"Connection: keep-alive\r\n"
    b'ETag: "6924f0a0-400"\r\n'
    b"Accept-Ranges: bytes\r\n"
    b"\r\n" + b"x" * 1024
)


class Nowhere(asyncio.Transport):
    """Keeps the last write."""

    def __init__(self) -> None:
        super().__init__()
        self.last = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.last = data

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 40000) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    abort = close


def measure(requests: list[bytes], answer: bytes, rounds: int) -> list[float]:
    """Microseconds per request, one figure a round."""
    loop = asyncio.get_running_loop()
    sessions = Sessions()
    sessions.hot[COOKIE] = seat(HOST, identity(uid="jdupont", mail="j@metropole.example"))
    plane = DataPlane(
        holder=Holder(sample_snapshot()),
        sessions=sessions,
        portal_protocol=lambda: Portal([], b""),
        pages=Pages(),
        counters=Counters(),
        log=Log(),
        loop=loop,
    )
    client, front, back = plane.protocol_factory(tls=False)(), Nowhere(), Nowhere()
    client.connection_made(front)
    lane = plane.places.find(b"permis.localhost:8080").lane
    assert lane.pool is not None
    upstream = plane._new_upstream(lane.pool)
    upstream.connection_made(back)
    upstream.idle_since = loop.time()
    upstream.used = True
    lane.pool.give(upstream)
    figures = []
    for _ in range(rounds):
        began = time.process_time()
        for request in requests:
            client.data_received(request)
            upstream.data_received(answer)
        figures.append((time.process_time() - began) / len(requests) * 1e6)
    assert front.last.startswith(b"HTTP/1.1 200 OK\r\n"), front.last[:200]
    assert front.last.endswith(b"xxxx")
    assert b"X-Remote-User: jdupont" in back.last
    plane.close()
    return figures


def changed(number: int) -> bytes:
    """A request three of whose lines stood in none before it, as where each page sets a cookie."""
    return (
        b"GET /app/page?id=%d HTTP/1.1\r\n" % number
        + BROWSER.removesuffix(b"\r\n")
        .replace(b"JSESSIONID=01234567", b"JSESSIONID=%08d" % number)
        .replace(b"/dossiers\r\n", b"/app/page?id=%d\r\n" % (number - 1))
        + b'If-None-Match: "%d"\r\n\r\n' % number
    )


async def main(rounds: int) -> None:
    same = [b"GET /app/page?id=7 HTTP/1.1\r\n" + BROWSER] * 5000
    other = [b"GET /app/page?id=%d HTTP/1.1\r\n" % number + BROWSER for number in range(5000)]
    lines = [changed(number) for number in range(5000)]
    post = [b"POST /app/form HTTP/1.1\r\nContent-Length: 10240\r\n" + BROWSER + b"f" * 10240] * 2000
    rows = (
        ("get", same),
        ("get, each of another address", other),
        ("get, each of another address, Referer, cookie and If-None-Match", lines),
        ("post 10 KB", post),
    )
    for name, requests in rows:
        figures = measure(requests, ANSWER, rounds)
        print(f"{name}: {min(figures):.2f} us (median {statistics.median(figures):.2f})")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
