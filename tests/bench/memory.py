"""What the gateway holds in memory: idle, with many idle connections, and with a gibibyte passing a slow peer."""

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from tests.bench.processes import pss_megabytes, rss_megabytes
from tests.bench.site import HOST, SLOW_HOST, Site

_IDLE_CONNECTIONS = 10_000
_GIBIBYTE = 1 << 30
_SLOW = 20 << 20  # bytes a second
_PIECE = 1 << 18


def rows(site: Site, slow_port: int) -> Iterator[dict[str, object]]:
    yield {"bench": "memory_idle", "worker_rss_mb": round(rss_megabytes(site.pid), 1)}
    yield _idle_connections(site)
    yield _watched("memory_gibibyte_down_slow_client", site, lambda: _download(site))
    yield _watched("memory_gibibyte_up_slow_upstream", site, lambda: _upload(site, slow_port))


def _idle_connections(site: Site) -> dict[str, object]:
    """Each has had one answer, as a browser that keeps its connection has."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = pss_megabytes(site.pid)
    with ExitStack() as stack:
        for number in range(_IDLE_CONNECTIONS):
            # Addresses of their own: one client may not hold so many.
            one = stack.enter_context(socket.socket())
            one.bind((f"127.0.{1 + number // 250}.{1 + number % 250}", 0))
            one.connect(("127.0.0.1", site.port))
            one.sendall(f"GET /public/page HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            one.recv(4096)
        after = pss_megabytes(site.pid)
    return {"bench": "memory_idle_connections", "connections": _IDLE_CONNECTIONS, "added_mb": round(after - before, 1)}


def _watched(name: str, site: Site, transfer: Callable[[], int]) -> dict[str, object]:
    before = peak = rss_megabytes(site.pid)
    moved: list[int] = []
    worker = threading.Thread(target=lambda: moved.append(transfer()))
    began = time.monotonic()
    worker.start()
    while worker.is_alive():
        peak = max(peak, rss_megabytes(site.pid))
        worker.join(0.05)
    seconds = time.monotonic() - began
    return {"bench": name, "bytes": moved[0], "seconds": round(seconds), "added_mb": round(peak - before, 1)}


def _download(site: Site) -> int:
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(f"GET /public/huge HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        return _drained(client)


def _upload(site: Site, slow_port: int) -> int:
    with socket.create_server(("127.0.0.1", slow_port)) as upstream:
        read: list[int] = []
        reader = threading.Thread(target=lambda: read.append(_slow_upstream(upstream)))
        reader.start()
        with socket.create_connection(("127.0.0.1", site.port)) as client:
            head = f"POST /up HTTP/1.1\r\nHost: {SLOW_HOST}\r\nContent-Length: {_GIBIBYTE}\r\n\r\n"
            client.sendall(head.encode())
            piece = bytes(_PIECE)
            for _ in range(_GIBIBYTE // _PIECE):
                client.sendall(piece)
            client.recv(4096)
        reader.join(60)
    return read[0]


def _slow_upstream(listening: socket.socket) -> int:
    connection, _ = listening.accept()
    with connection:
        read = _drained(connection, until=_GIBIBYTE)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    return read


def _drained(connection: socket.socket, until: int | None = None) -> int:
    """Reads at 20 MB a second, to the end or to as many bytes."""
    total = 0
    due = time.monotonic()
    while until is None or total < until:
        piece = connection.recv(_PIECE)
        if not piece:
            break
        total += len(piece)
        due += len(piece) / _SLOW
        time.sleep(max(0.0, due - time.monotonic()))
    return total
