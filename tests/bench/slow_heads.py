"""Slowloris: clients that begin a request and go on by a line now and then. What 10,000 of them hold, and whether
anybody else has to wait."""

import resource
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import quantiles

from tests.bench.processes import pss_megabytes
from tests.bench.site import HOST, Site

NAME = "slowloris"
_CONNECTIONS, _ADDRESSES = 10_000, 500
_ASKED = 1000
_LIMIT_MB = 200.0


def row(site: Site) -> dict[str, object]:
    alone = _asked(site)
    before = peak = pss_megabytes(site.pid)
    refused = site.metric('ecluse_connections_refused_total{reason="descriptors"}')
    held, took = 0.0, []
    with standing(site.port, HOST, _CONNECTIONS, _ADDRESSES) as clients:
        for _ in range(3):
            go_on(clients)
            took += _asked(site)
            held, peak = max(held, site.metric("ecluse_http_connections")), max(peak, pss_megabytes(site.pid))
    return {
        "bench": NAME,
        "connections": _CONNECTIONS,
        "addresses": _ADDRESSES,
        "held": round(held),
        "refused_for_descriptors": round(
            site.metric('ecluse_connections_refused_total{reason="descriptors"}') - refused
        ),
        "added_mb": round(peak - before, 1),
        "added_mb_limit": _LIMIT_MB,
        "whole_mb": round(peak, 1),
        "others_asked": 3 * _ASKED,
        "others_answered": len(took),
        "others_p99_ms": round(quantiles(took, n=100)[98] * 1000, 2),
        "others_p99_ms_before": round(quantiles(alone, n=100)[98] * 1000, 2),
    }


@contextmanager
def standing(port: int, host: str, connections: int, addresses: int) -> Iterator[list[socket.socket]]:
    """So many connections from so many addresses, each with half a head."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_begun(port, host, number % addresses)) for number in range(connections)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _begun(port: int, host: str, address: int) -> socket.socket:
    one = socket.socket()
    one.bind((f"127.0.{1 + address // 250}.{1 + address % 250}", 0))
    one.connect(("127.0.0.1", port))
    one.sendall(f"GET /public/page HTTP/1.1\r\nHost: {host}\r\nX-Slow: a".encode())
    return one


def go_on(clients: Sequence[socket.socket]) -> None:
    for client in clients:
        client.sendall(b"b\r\nX-Slow: a")


def _asked(site: Site) -> list[float]:
    """Seconds of each answer to a person who is signed in, each on a connection of its own."""
    request = f"GET /private/page HTTP/1.1\r\nHost: {HOST}\r\nCookie: {site.cookie}\r\nConnection: close\r\n\r\n"
    took = []
    for _ in range(_ASKED):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as person:
            person.sendall(request.encode())
            if person.recv(4096).startswith(b"HTTP/1.1 200 "):
                took.append(time.monotonic() - began)
    return took
