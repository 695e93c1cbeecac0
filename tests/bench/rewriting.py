"""What it costs to replace addresses in a page of 50 MB as it streams: CPU beside passing it on, and memory; and in one
that the application compresses all the same, which is undone."""

import random
import socket
import threading
import zlib
from collections.abc import Iterator
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
_GZIP = 16 + zlib.MAX_WBITS


def rows(folder: Path, ports: tuple[int, int, int], upstream: int, slow: int) -> Iterator[dict[str, object]]:
    """`ratio`: CPU of the whole process tree with and without rewriting, in turn; `added_mb`: the most that a worker
    holds more meanwhile. Of the compressed page there is no limit of CPU: passed on, it is a tenth of the bytes, and
    nobody reads them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        port = listening.getsockname()[1]
        rewrite = {"plain": "", "rewritten": "rewrite: {headers: true, bodies: true}"}
        apps = {f"{name}.yaml": _APP.format(name=name, port=port, rewrite=line) for name, line in rewrite.items()}
        site = Site(folder, ports, upstream, slow, access_log=False, cores=1, apps=apps)
        try:
            yield _row(site, NAME, "/plain") | {"limit": 3.0}
            yield _row(site, f"{NAME}_compressed", "/gzip")
        finally:
            site.stop()


def _row(site: Site, name: str, path: str) -> dict[str, object]:
    before = rss_megabytes(site.pid)
    figures = [(_download(site, "plain", path), _download(site, "rewritten", path)) for _ in range(_RUNS + 1)][1:]
    peak = max(high for _, (_, high) in figures)
    passed, rewritten = median(one for (one, _), _ in figures), median(other for _, (other, _) in figures)
    return {
        "bench": name,
        "cpu_ms": round(rewritten * 1000),
        "passed_on_cpu_ms": round(passed * 1000),
        "ratio": round(rewritten / passed, 2),
        "added_mb": round(peak - before, 1),
        "added_mb_limit": 10.0,
        "runs": _RUNS,
    }


def _compressed() -> bytes:
    """One piece in which no two lines are alike: it becomes smaller as pages do, not as one line said again and again.
    Members of gzip follow each other."""
    chance = random.Random(13)
    lines = _PIECE.replace(b"1234", b"%x").splitlines(keepends=True)
    text = b"".join(line % chance.getrandbits(60) if b"%x" in line else line for line in lines)
    coder = zlib.compressobj(wbits=_GZIP)
    return coder.compress(text) + coder.flush()


def _serve(listening: socket.socket) -> None:
    compressed = _compressed()
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            is_gzip = connection.recv(65536).startswith(b"GET /gzip ")
            piece, line = (compressed, "Content-Encoding: gzip\r\n") if is_gzip else (_PIECE, "")
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{line}Content-Length: {len(piece) * _PIECES}\r\n"
            connection.sendall(head.encode() + b"Connection: close\r\n\r\n")
            for _ in range(_PIECES):
                connection.sendall(piece)


def _download(site: Site, name: str, path: str) -> tuple[float, float]:
    """Seconds of CPU, and the largest resident set of a worker in MB meanwhile."""
    before, peak, read, is_gzip = cpu_seconds(site.pid), 0.0, 0, path == "/gzip"
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        lines = f"Host: {name}.localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n"
        client.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        every = 20 if is_gzip else 23
        while piece := client.recv(1 << 18):
            read += len(piece)
            if read >> every != (read - len(piece)) >> every:
                peak = max(peak, rss_megabytes(site.pid))
    if read < (_MEGABYTES << 20) // (50 if is_gzip else 2):
        raise RuntimeError(f"{name}{path}: {read} bytes came")
    return cpu_seconds(site.pid) - before, peak
