"""Reloads, refused applications and abandoned uploads under a steady load: what each worker holds as time goes by."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from gateway.server.control import RELOAD, connect
from tests.bench.load import BROWSER
from tests.bench.processes import rss_of, tree
from tests.bench.site import HOST, SLOW_HOST, Site
from tests.bench.steady import Steady

NAME = "soak"
_SECONDS, _LOOKED_EVERY, _RELOADED_EVERY = 180.0, 20.0, 1.0
_RATE, _AT_ONCE = 500, 8
_ANSWERED_WITHIN = 60.0


def row(folder: Path, ports: tuple[int, int, int], upstream: int, nobody: int) -> dict[str, object]:
    """`nobody`: a port where nothing listens. The folder differs each time, so that each reload is a new snapshot."""
    site = Site(folder, ports, upstream, nobody, access_log=False)
    try:
        held = uvloop.run(_soak(site))
    finally:
        site.stop()
    # The first figures are of workers that warm up.
    growth = [after - before for before, after in zip(held[1], held[-1], strict=True)]
    return {
        "bench": NAME,
        "seconds": _SECONDS,
        "reloads": round(_SECONDS / _RELOADED_EVERY),
        "looked_every_s": _LOOKED_EVERY,
        "rss_mb": [[round(one, 1) for one in each] for each in held],
        "growth_mb": [round(one, 1) for one in growth],
    }


async def _soak(site: Site) -> list[list[float]]:
    held = []
    steady = Steady(site.port, {"Host": HOST, **BROWSER, "Cookie": site.cookie}, ("/private/page",), _RATE)
    async with steady.running():
        others = [asyncio.create_task(_again_and_again(site, work)) for work in (_reload, _misuse)]
        for _ in range(round(_SECONDS / _LOOKED_EVERY) + 1):
            held.append(_workers(site))
            await asyncio.sleep(_LOOKED_EVERY)
            # What is kept of each answer is the bench's own.
            steady.done.clear()
        for other in others:
            other.cancel()
        await asyncio.wait(others)
    return held


def _workers(site: Site) -> list[float]:
    every = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in tree(site.pid)}
    return [rss_of(pid) for pid, words in every.items() if b"worker" in words]


async def _again_and_again(site: Site, work: Callable[[Site, int], Awaitable[None]]) -> None:
    for number in range(1 << 30):
        await work(site, number)
        await asyncio.sleep(_RELOADED_EVERY)


async def _reload(site: Site, number: int) -> None:
    file = site.folder / "policies" / "apps" / "slow.yaml"
    text = file.read_text().partition("#")[0]
    file.write_text(f"{text}# {number}\n")
    verdict = await asyncio.to_thread(_verdict, site.folder / "var")
    if verdict != "live":
        raise RuntimeError(f"a reload came to: {verdict}")


def _verdict(state: Path) -> str:
    with connect(state, _ANSWERED_WITHIN) as connection, connection.makefile("rb") as answers:
        connection.sendall(RELOAD)
        return str(json.loads(answers.readline())["verdict"])


async def _misuse(site: Site, _: int) -> None:
    await asyncio.gather(*(each(site) for each in (_refused, _left) for _ in range(_AT_ONCE)))


async def _refused(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"GET / HTTP/1.1\r\nHost: {SLOW_HOST}\r\nConnection: close\r\n\r\n".encode())
    await reader.read()
    writer.close()


async def _left(site: Site) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    head = f"POST /private/post HTTP/1.1\r\nHost: {HOST}\r\nCookie: {site.cookie}\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head.encode() + bytes(10_000))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    await asyncio.sleep(0.1)
    writer.transport.abort()
