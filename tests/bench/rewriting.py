"""What it costs to replace addresses in a page of 50 MB as it streams: CPU beside passing it on, and memory."""

import socket
import threading
from pathlib import Path
from statistics import median

from tests.bench.processes import cpu_seconds, rss_megabytes
from tests.bench.site import Site

NAME = "rewrite"
_MEGABYTES = 50
_RUNS = 5

_APP = """
version: 1
app: {name}
hosts: [{name}.localhost]
upstream: {{url: http://127.0.0.1:{port}, host: intranet.ville.example}}
providers: [op]
{rewrite}
access:
  - {{path: /**, allow: anyone}}
"""
# An address in each four kilobytes.
_LINE = (
    b'<li class="dossier"><a href="/dossiers/2026/1234?vue=resume">Demande de permis de construire, Evreux</a></li>\n'
)
_PAGE = _LINE * 36 + b'<p><a href="http://intranet.ville.example/menu/1">Retour au menu</a></p>\n'
_PIECE = _PAGE * (1 + (1 << 18) // len(_PAGE))
_PIECES = _MEGABYTES * (1 << 20) // len(_PIECE)


def row(folder: Path, ports: tuple[int, int, int], upstream: int, slow: int) -> dict[str, object]:
    """`ratio`: CPU of the whole process tree with and without rewriting, in turn; `added_mb`: the most that a worker
    holds more meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        port = listening.getsockname()[1]
        rewrite = {"plain": "", "rewritten": "rewrite: {headers: true, bodies: true}"}
        apps = {f"{name}.yaml": _APP.format(name=name, port=port, rewrite=line) for name, line in rewrite.items()}
        site = Site(folder, ports, upstream, slow, access_log=False, cores=1, apps=apps)
        try:
            before = rss_megabytes(site.pid)
            figures = [(_download(site, "plain"), _download(site, "rewritten")) for _ in range(_RUNS + 1)][1:]
            peak = max(high for _, (_, high) in figures)
        finally:
            site.stop()
    passed, rewritten = median(one for (one, _), _ in figures), median(other for _, (other, _) in figures)
    return {
        "bench": NAME,
        "cpu_ms": round(rewritten * 1000),
        "passed_on_cpu_ms": round(passed * 1000),
        "ratio": round(rewritten / passed, 2),
        "limit": 3.0,
        "added_mb": round(peak - before, 1),
        "added_mb_limit": 10.0,
        "runs": _RUNS,
    }


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            length = len(_PIECE) * _PIECES
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            )
            connection.sendall(head.encode())
            for _ in range(_PIECES):
                connection.sendall(_PIECE)


def _download(site: Site, name: str) -> tuple[float, float]:
    """Seconds of CPU, and the largest resident set of a worker in MB meanwhile."""
    before, peak, read = cpu_seconds(site.pid), 0.0, 0
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(f"GET /a HTTP/1.1\r\nHost: {name}.localhost\r\nConnection: close\r\n\r\n".encode())
        while piece := client.recv(1 << 18):
            read += len(piece)
            if read >> 23 != (read - len(piece)) >> 23:
                peak = max(peak, rss_megabytes(site.pid))
    if read < len(_PIECE) * _PIECES // 2:
        raise RuntimeError(f"{name}: {read} bytes came")
    return cpu_seconds(site.pid) - before, peak
