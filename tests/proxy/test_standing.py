"""Private memory of a gateway for each of many that stand still: it and the application are processes of their own.

How much of a piece the kernel takes in the end hangs on the memory that everybody else has left it. So that the same is
measured on every machine, the gateway's says each time that it takes much more than it does (standing.py).
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import pairwise
from tempfile import TemporaryDirectory

import pytest

from gateway.server.fleet import _WORKER_ENVIRONMENT
from tests.bench.processes import rss_of
from tests.patience import PATIENCE, killed_if_late
from tests.proxy.gateways import HOST, ask
from tests.proxy.websocket_ends import WANTS, sent

TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])

# What all readers share, and what the first ones leave in the heap, is no reader's.
FIRST, READERS = 20, 100
# Where several things are tried: so many readers for each, of which the first ten are the first ones.
EACH = 70
MOST_KB = 64


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """With the ports that it prints."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.proxy.standing", *arguments],
        env={**os.environ, **_WORKER_ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with killed_if_late(started) as printed:
            ports = [int(port) for port in printed.readline().split()]
        yield started, ports
    finally:
        started.kill()
        started.communicate(timeout=PATIENCE)


def connected(number: int, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """Few of an address: one client may not hold so many. It has had an answer, as an idle one has."""
    connection = socket.socket()
    # What is to be kept is the gateway's: its kernel's memory goes to all of them, and may not be enough for more.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    connection.bind((f"127.0.{2 + number // 40}.{1 + number % 40}", 0))
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", port))
    if tls is not None:
        connection = tls.wrap_socket(connection, server_hostname=HOST.decode())
    connection.sendall(ask(b"GET /public/small"))
    came = 0
    while came < 10_000:
        came += len(connection.recv(65536))
    return connection


def settled(pid: int) -> float:
    """Megabytes, once they have not changed for a second: on a busy machine a process may do nothing for a while."""
    until, before, same = time.monotonic() + PATIENCE, 0.0, 0
    while same < 4 and time.monotonic() < until:
        now = rss_of(pid)
        same = same + 1 if abs(now - before) < 0.05 else 0
        before = now
        time.sleep(0.3)
    return before


def cost(pid: int, some: list[socket.socket], do: Callable[[list[socket.socket]], object]) -> float:
    """kB of each, in the half of them that costs less: what the process takes for itself is no reader's."""
    levels = [settled(pid)]
    for half in (some[::2], some[1::2]):
        do(half)
        levels.append(settled(pid))
    return min((after - before) * 2048 / len(some) for before, after in pairwise(levels))


@contextmanager
def readers(
    tls: bool, number: int = FIRST + READERS, *, https: bool = False, rewriting: bool = False
) -> Iterator[tuple[int, list[socket.socket]]]:
    """The gateway's process, and who is connected to it; of these, the first ones make it grow to its usual size.
    `https`: the application speaks TLS. `rewriting`: addresses in its texts are rewritten."""
    with ExitStack() as stack:
        certificate = f"{stack.enter_context(TemporaryDirectory())}/ca.pem"
        _, of_application = stack.enter_context(process("application", certificate))
        behind = "https" if https else "http"
        what = ["gateway", behind, str(of_application[https]), certificate, *(["rewriting"] if rewriting else [])]
        served, ports = stack.enter_context(process(*what))
        # Its certificate is of an authority of that process.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        yield (
            served.pid,
            [stack.enter_context(connected(one, ports[tls], context if tls else None)) for one in range(number)],
        )


def ask_all(raw: bytes, some: list[socket.socket]) -> None:
    for reader in some:
        reader.sendall(raw)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asks", "tls"),
    [
        (b"counted", False),
        (b"counted", True),
        (b"in_chunks", True),
        (b"small", True),
        (b"zipped", False),
        (b"zipped", True),
    ],
)
def test_a_reader_that_stands_still_costs_under_64_kb(asks: bytes, tls: bool) -> None:
    """Private memory beyond an idle connection of the same kind. `small`: it asks for 200 answers of 10 kB, one behind
    the other. `zipped`: for a text that the application compresses unasked, in which addresses are rewritten."""
    raw = ask(b"GET /public/" + asks) * (200 if asks == b"small" else 1)
    with readers(tls, rewriting=asks == b"zipped") as (pid, all_of_them):
        ask_all(raw, all_of_them[:FIRST])
        each = cost(pid, all_of_them[FIRST:], partial(ask_all, raw))
        print(f"{asks.decode()}, {'tls' if tls else 'plain'}: {each:.0f} kB")
        assert each < MOST_KB


UPLOAD = ask(b"POST /public/small", b"Content-Length: %d" % (1 << 20)) + bytes(1 << 20)
BEHIND = memoryview(ask(b"GET /public/counted") + ask(b"GET /public/small", b"X-Fill: " + b"x" * 200) * 2000)


def take(reader: socket.socket, body: int) -> None:
    """One response."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += reader.recv(1 << 18)
    left = body - len(came.partition(b"\r\n\r\n")[2])
    while left:
        left -= len(reader.recv(left))


def is_quick(reader: socket.socket) -> None:
    """An upload, some pages and a file."""
    for raw, body in [(UPLOAD, 10_000), *[(ask(b"GET /public/page"), 50_000)] * 3, (ask(b"GET /public/file"), 1 << 20)]:
        reader.sendall(raw)
        take(reader, body)


def bursts(pid: int, some: list[socket.socket]) -> None:
    """What each sends is there at once, as much as the kernel takes of it."""
    os.kill(pid, signal.SIGSTOP)
    for reader in some:
        reader.setblocking(False)
        left = BEHIND
        with suppress(BlockingIOError, ssl.SSLWantWriteError):
            while left:
                left = left[reader.send(left[:16384]) :]
    os.kill(pid, signal.SIGCONT)


def are_quick_then_burst(pid: int, some: list[socket.socket]) -> None:
    for reader in some:
        is_quick(reader)
    bursts(pid, some)


def pours(reader: socket.socket, poured: bytes) -> None:
    """As much as is taken of it."""
    reader.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            reader.sendall(poured)


def uploads(reader: socket.socket) -> None:
    """To an application that takes nothing."""
    reader.sendall(ask(b"POST /public/deaf", b"Content-Length: 1000000000"))
    pours(reader, bytes(1 << 18))


def uploads_in_chunks(reader: socket.socket) -> None:
    reader.sendall(ask(b"POST /public/deaf", b"Transfer-Encoding: chunked"))
    pours(reader, b"40000\r\n" + bytes(1 << 18) + b"\r\n")


def all_do(at_once: ThreadPoolExecutor, does: Callable[[socket.socket], None], some: list[socket.socket]) -> None:
    list(at_once.map(does, some))


def is_talked_to(reader: socket.socket) -> None:
    """On a WebSocket, of which it reads nothing."""
    reader.sendall(ask(b"GET /public/talks", *WANTS))


def talks_to_the_deaf(reader: socket.socket) -> None:
    """On a WebSocket, to an application that reads nothing."""
    reader.sendall(ask(b"GET /public/listens", *WANTS))
    reader.recv(4096)
    pours(reader, sent(bytes(1 << 18), 2))


@pytest.mark.slow
@TLS
def test_where_either_side_of_an_upload_or_a_tunnel_stands_it_costs_under_64_kb(tls: bool) -> None:
    everything = [uploads, uploads_in_chunks, is_talked_to, talks_to_the_deaf]
    with readers(tls, EACH * len(everything)) as (pid, all_of_them), ThreadPoolExecutor(30) as at_once:
        each: dict[str, float] = {}
        for does in everything:
            some = [all_of_them.pop() for _ in range(EACH)]
            all_do(at_once, does, some[:10])
            each[does.__name__] = cost(pid, some[10:], partial(all_do, at_once, does))
        print("tls" if tls else "plain", each)
        assert max(each.values()) < MOST_KB


def downloads(reader: socket.socket) -> None:
    """And reads nothing of it."""
    reader.sendall(ask(b"GET /public/counted"))


def downloads_in_chunks(reader: socket.socket) -> None:
    reader.sendall(ask(b"GET /public/in_chunks"))


def all_at_once(pid: int, some: list[socket.socket]) -> None:
    """A page each, at the same time: as many connections to the application are open then, and stay."""
    os.kill(pid, signal.SIGSTOP)
    for reader in some:
        reader.sendall(ask(b"GET /public/page"))
    os.kill(pid, signal.SIGCONT)
    for reader in some:
        take(reader, 50_000)


def opens_a_tunnel(reader: socket.socket) -> None:
    """Which has a connection of its own to the application."""
    reader.sendall(ask(b"GET /public/listens", *WANTS))
    reader.recv(4096)


def before_tls(*everything: Callable[[socket.socket], None]) -> dict[str, float]:
    """What each costs, beyond an idle connection to the application, which speaks TLS."""
    with readers(False, EACH * len(everything), https=True) as (pid, all_of_them), ThreadPoolExecutor(30) as at_once:
        each: dict[str, float] = {}
        for does in everything:
            some = [all_of_them.pop() for _ in range(EACH)]
            all_at_once(pid, some)
            all_do(at_once, does, some[:10])
            each[does.__name__] = cost(pid, some[10:], partial(all_do, at_once, does))
    print("before https", each)
    return each


@pytest.mark.slow
def test_before_an_application_that_speaks_tls_it_costs_no_more() -> None:
    each = before_tls(downloads, downloads_in_chunks, uploads, uploads_in_chunks)
    assert max(each.values()) < MOST_KB


@pytest.mark.slow
def test_nor_does_a_tunnel_to_one_of_which_either_side_stands() -> None:
    """Beyond one on which nobody says anything."""
    each = before_tls(opens_a_tunnel, is_talked_to, talks_to_the_deaf)
    assert max(each.values()) - each["opens_a_tunnel"] < MOST_KB


@pytest.mark.slow
@TLS
def test_whoever_was_quick_and_then_stands_behind_a_burst_costs_under_64_kb(tls: bool) -> None:
    """What grew while it was quick counts as well."""
    with readers(tls) as (pid, all_of_them):
        are_quick_then_burst(pid, all_of_them[:FIRST])
        each = cost(pid, all_of_them[FIRST:], partial(are_quick_then_burst, pid))
        print(f"quick, then a burst, {'tls' if tls else 'plain'}: {each:.0f} kB")
        assert each < MOST_KB
