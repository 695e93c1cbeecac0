"""What one request costs in user space: both protocols fed in-process, through transports that do nothing.

`python -m tests.bench.lane` prints microseconds per request, case by case: the least and the median over slices of a
few milliseconds, so that what else the machine does is left out. With an argument, the cases whose name holds it.
"""

import asyncio
import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import uvloop

from gateway.access.application import Preparing, unnamed
from gateway.access.preparation import translated
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.client import ClientConnection
from gateway.proxy.dataplane import DataPlane
from gateway.proxy.upstream.connection import UpstreamConnection
from tests.bench.browsers import browsing
from tests.config.samples import GATEWAY, sample_snapshot
from tests.proxy.stand_ins import COOKIE, Holder, NoJars, Pages, Portal, Sessions, identity, seat

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
IMAGE = (
    BROWSER.replace(b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", b"image/avif,image/webp,*/*")
    .replace(b"document", b"image")
    .replace(b"navigate", b"no-cors")
    .removesuffix(b"\r\n")
    + b'If-None-Match: "6924f0a0-400"\r\n\r\n'
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
NOT_MODIFIED = (
    b"HTTP/1.1 304 Not Modified\r\nServer: nginx/1.26.3\r\nDate: Mon, 24 Nov 2025 15:00:00 GMT\r\n"
    b'Connection: keep-alive\r\nETag: "6924f0a0-400"\r\n\r\n'
)
LINE = b"GET /app/page?id=7 HTTP/1.1\r\n"
SAME = LINE + BROWSER

PERSONS = 64
BROWSERS, PEOPLE, CONNECTIONS = 32, 512, 32
_PAGES = 5
_SLICE = 250
# More than the lines and answers that are remembered, and no more than the cache of a core holds.
_REQUESTS = 1500
_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Case:
    """Requests, and the answers of the application in turn. `proxied`: the client is a listed proxy. `ways`: the number
    of the connection on which each request comes; mostly there is one. `files`: of the policy folder, in the place of
    the sample's; `secrets`: what they refer to."""

    name: str
    requests: Sequence[bytes]
    answers: Sequence[bytes] = (ANSWER,)
    access_log: bool = False
    proxied: bool = False
    ways: Sequence[int] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, bytes] = field(default_factory=dict)

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """Each request with its answer."""
        return list(zip(self.requests, cycle(self.answers), strict=False))


def cases() -> Iterator[Case]:
    numbers = range(_REQUESTS)
    yield Case("get", [SAME] * _REQUESTS)
    yield Case("get, access log", [SAME] * _REQUESTS, access_log=True)
    yield Case("get, another query each time", [_asking(number) + BROWSER for number in numbers])
    yield Case("get, another path each time", [_path(number) + BROWSER for number in numbers])
    yield Case("get, another Referer each time", [LINE + _referred(number) for number in numbers])
    yield Case("get, another cookie beside ours each time", [LINE + _cookied(BROWSER, number) for number in numbers])
    yield Case("get, another Referer, cookie and If-None-Match", [LINE + _three(number) for number in numbers])
    yield Case("get, the same and another query", [_asking(number) + _three(number) for number in numbers])
    yield Case("get, a page and an image in turn", [LINE + BROWSER, LINE + IMAGE] * (_REQUESTS // 2))
    yield Case("get, through a listed proxy, one of 64 persons", [_proxied(number) for number in numbers], proxied=True)
    yield Case("get, head of the answer varies", [SAME] * _REQUESTS, [_answer(number) for number in numbers])
    yield Case("get, answer sets a cookie", [SAME] * _REQUESTS, [_setting(number) for number in numbers])
    yield Case("get, answer in chunks", [SAME] * _REQUESTS, [_chunked()])
    yield Case("get, not modified", [LINE + IMAGE] * _REQUESTS, [NOT_MODIFIED])
    yield Case("get, public", [LINE.replace(b"/app", b"/public") + _anonymous()] * _REQUESTS)
    yield browser_mix()
    yield by_turns()
    yield Case("post 10 KB", [_form(BROWSER)] * _REQUESTS)
    yield Case("post 10 KB, access log", [_form(BROWSER)] * _REQUESTS, access_log=True)
    yield Case("post 10 KB, another cookie beside ours", [_form(_cookied(BROWSER, number)) for number in numbers])


def browser_mix() -> Case:
    """32 browsers on connections of their own: of each, the pages with their parts, whoever's turn it is."""
    answers = [_part(number) for number in range(8 * _PAGES)]
    visits = [zip(_visit(number, _PAGES), answers, strict=True) for number in range(BROWSERS)]
    ways = [*range(BROWSERS)] * 8 * _PAGES
    random.Random(0).shuffle(ways)
    requests, answered = zip(*[next(visits[way]) for way in ways], strict=True)
    return Case("browsers, each on its own connection", requests, answered, ways=ways)


def by_turns() -> Case:
    """512 people by turns, as behind a front that has 32 connections: which of them is another one each time."""
    visits, answers = [], [_part(number) for number in range(8)]
    for number in range(PEOPLE):
        said = b"X-Forwarded-For: 10.%d.%d.7\r\nX-Forwarded-Proto: http\r\n\r\n" % divmod(number, 200)
        visits += [
            (sent.removesuffix(b"\r\n") + said, answer) for sent, answer in zip(_visit(number, 1), answers, strict=True)
        ]
    draw = random.Random(0)
    draw.shuffle(visits)
    requests, answers = zip(*visits, strict=True)
    ways = draw.choices(range(CONNECTIONS), k=len(requests))
    return Case("people by turns behind a front", requests, answers, proxied=True, ways=ways)


def _visit(number: int, pages: int) -> list[bytes]:
    return browsing(number, f"{HOST}:8080", f"__Host-ecluse={cookie_of(number).decode()}", "/app/", pages)


# What the parts of a page are answered with: type, size, and whether it is told to keep it.
_ANSWERED: Final = (
    (b"text/html; charset=UTF-8", 6100, False),
    (b"text/css", 9000, True),
    (b"application/javascript", 15000, True),
    (b"application/javascript", 4000, True),
    (b"image/svg+xml", 1500, True),
    (b"image/png", 3000, True),
    (b"font/woff2", 14000, True),
    (b"application/json", 120, False),
)


def _part(number: int) -> bytes:
    """The answer of request `number` of a browser. A page is another one each time; what belongs to it never is."""
    kind, size, kept = _ANSWERED[number % len(_ANSWERED)]
    lines = [
        b"HTTP/1.1 200 OK",
        b"Server: nginx/1.26.3",
        b"Date: Mon, 24 Nov 2025 15:00:%02d GMT" % (number // 64 % 60),
        b"Content-Type: " + kind,
    ]
    if kept:
        lines += [
            b"Content-Length: %d" % size,
            b"Last-Modified: Mon, 24 Nov 2025 14:00:00 GMT",
            b"Connection: keep-alive",
            b'ETag: "6924f0a0-%x"' % size,
            b"Cache-Control: max-age=3600",
            b"Accept-Ranges: bytes",
        ]
    else:
        size += number % 50
        lines += [b"Content-Length: %d" % size, b"Connection: keep-alive", b"Cache-Control: no-store"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + b"x" * size


def _asking(number: int) -> bytes:
    return b"GET /app/page?id=%d HTTP/1.1\r\n" % number


def _path(number: int) -> bytes:
    return b"GET /app/dossiers/%d/pieces HTTP/1.1\r\n" % number


def _referred(number: int) -> bytes:
    return BROWSER.replace(b"/dossiers\r\n", b"/app/page?id=%d\r\n" % (number - 1))


def _cookied(lines: bytes, number: int) -> bytes:
    return lines.replace(b"JSESSIONID=01234567", b"JSESSIONID=%08d" % number)


def _three(number: int) -> bytes:
    """As where each page sets a cookie."""
    return _cookied(_referred(number), number).removesuffix(b"\r\n") + b'If-None-Match: "%d"\r\n\r\n' % number


def _proxied(number: int) -> bytes:
    person = number % PERSONS
    lines = BROWSER.replace(COOKIE, cookie_of(person)).removesuffix(b"\r\n")
    return LINE + lines + b"X-Forwarded-For: 192.0.2.%d\r\nX-Forwarded-Proto: http\r\n\r\n" % (person + 1)


def _anonymous() -> bytes:
    return BROWSER.replace(b"__Host-ecluse=" + COOKIE + b"; ", b"")


def _form(lines: bytes) -> bytes:
    return b"POST /app/form HTTP/1.1\r\nContent-Length: 10240\r\n" + lines + b"f" * 10240


def _answer(number: int) -> bytes:
    size = 700 + number % 1000
    head = ANSWER.partition(b"\r\n\r\n")[0].replace(b"Content-Length: 1024", b"Content-Length: %d" % size)
    return head.replace(b"6924f0a0", b"%08x" % number) + b"\r\n\r\n" + b"x" * size


def _setting(number: int) -> bytes:
    line = b"\r\nSet-Cookie: JSESSIONID=%08d; Path=/; HttpOnly\r\n\r\n" % number
    return ANSWER.replace(b"\r\n\r\n", line)


def _chunked() -> bytes:
    head = ANSWER.partition(b"\r\n\r\n")[0].replace(b"Content-Length: 1024", b"Transfer-Encoding: chunked")
    return head + b"\r\n\r\n400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n"


def cookie_of(person: int) -> bytes:
    return b"%03d" % person + COOKIE[3:]


class Nowhere(asyncio.Transport):
    """Keeps the last write."""

    def __init__(self) -> None:
        super().__init__()
        self.last = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.last = data

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 40000) if name == "peername" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """It calls nothing anyway."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def set_read_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    abort = close


class Bench:
    """One client connection and one to the application, both kept alive; COOKIE and `cookie_of` are signed in."""

    def __init__(self, case: Case, log: Log, prepare: Preparing = translated) -> None:
        loop = asyncio.get_running_loop()
        sessions = Sessions()
        for cookie in (COOKIE, *map(cookie_of, range(PEOPLE))):
            sessions.hot[cookie] = seat(HOST, identity(uid="jdupont", mail="j@metropole.example"), cookie)
        settings = GATEWAY
        if case.access_log:
            settings += "access_log: true\n"
        if case.proxied:
            settings += "trusted_proxies: [127.0.0.1]\n"
        self.plane = DataPlane(
            person=unnamed,
            holder=Holder(sample_snapshot({"gateway.yaml": settings, **case.files}, {**case.secrets})),
            sessions=sessions,
            portal=Portal().ask,
            pages=Pages(),
            counters=Counters(),
            log=log,
            loop=loop,
            is_ours=lambda address, port: False,
            jars=NoJars(),
            prepare=prepare,
        )
        self.clients: list[ClientConnection] = []
        self.connect()
        self.back = Nowhere()
        pool = self.plane.tables.find(b"permis.localhost:8080").lane.pool
        assert pool is not None
        self.upstream = UpstreamConnection(pool, self.plane.timers, self.plane.heads, self.plane.room)
        self.upstream.connection_made(self.back)
        # The loop asks for it once for each connection.
        self.get_buffer = self.upstream.get_buffer
        self.upstream.idle_since = loop.time()
        self.upstream.used = True
        pool.give(self.upstream)

    def connect(self) -> None:
        """A client connection in the place of the one before, as of another browser."""
        self.front = Nowhere()
        place = self.plane.admission.enter("127.0.0.1", 3)
        assert place is not None
        self.client: ClientConnection = self.plane.protocol_factory(tls=False)(place)
        self.client.connection_made(self.front)

    def slice(self, pairs: Sequence[tuple[bytes, bytes]]) -> float:
        """Microseconds per request."""
        client, upstream = self.client.data_received, self.arrives
        began = time.process_time()
        for request, answer in pairs:
            client(request)
            upstream(answer)
        return (time.process_time() - began) / len(pairs) * 1e6

    def slice_of_many(self, ways: Sequence[int], pairs: Sequence[tuple[bytes, bytes]]) -> float:
        """Microseconds per request, each on the connection of its number; these are made where they are not there."""
        while len(self.clients) <= max(ways):
            self.connect()
            self.clients.append(self.client)
        clients, upstream = [client.data_received for client in self.clients], self.arrives
        began = time.process_time()
        for way, (request, answer) in zip(ways, pairs, strict=True):
            clients[way](request)
            upstream(answer)
        return (time.process_time() - began) / len(pairs) * 1e6

    def arrives(self, answer: bytes) -> None:
        """As from the loop."""
        size = len(answer)
        self.get_buffer(65536)[:size] = answer
        self.upstream.buffer_updated(size)

    def check(self, case: Case) -> None:
        """That it was the usual way, to its end: a refusal would be quick as well."""
        assert self.front.last.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n")), self.front.last
        assert self.upstream.client is None
        assert (b"X-Remote-User: jdupont" in self.back.last) == (b"/public/" not in case.requests[-1])
        assert COOKIE not in self.back.last


def measure(case: Case, log: Log, seconds: float = _SECONDS) -> list[float]:
    """Microseconds per request, one figure a slice."""
    bench, pairs = Bench(case, log), case.pairs()
    slices = [pairs[start : start + _SLICE] for start in range(0, len(pairs), _SLICE)]
    gc.freeze()
    figures = []
    until = time.process_time() + seconds
    while time.process_time() < until:
        figures += [bench.slice_of_many(case.ways, pairs)] if case.ways else map(bench.slice, slices)
        bench.plane.flush()
    bench.check(case)
    bench.plane.close()
    return figures


async def main(only: str) -> None:
    # As in a worker.
    gc.set_threshold(10_000, 50, 10_000)
    log = Log(os.open(os.devnull, os.O_WRONLY), capacity=1 << 20)
    for case in cases():
        if only in case.name:
            figures = measure(case, log)
            print(f"{case.name}: {min(figures):.2f} us (median {statistics.median(figures):.2f})", flush=True)
    log.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
