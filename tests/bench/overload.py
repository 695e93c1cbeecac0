"""An application that is offered twice what it can serve: how long those wait who are served, and what is held
meanwhile. Open loop: so many come each second, whatever becomes of those before.

Run with a port, this is the application: 16 at once, 20 ms each.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import uvloop

from tests.bench.processes import worker_megabytes
from tests.bench.site import _APP, HOST, Site
from tests.bench.steady import Answered, Steady

NAME: Final = "overload"
_AT_ONCE, _SECONDS_EACH = 16, 0.02
_CAN_BE_SERVED: Final = int(_AT_ONCE / _SECONDS_EACH)
_WORKERS: Final = 2
_UNLOADED: Final = _CAN_BE_SERVED // 8
_SECONDS: Final = 8.0
LIMIT: Final = 5.0
# Of a request that came and was refused, nothing stays.
MEGABYTES: Final = 8.0
_TARGET: Final = "/signed-in/page"
_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def row(folder: Path, ports: tuple[int, int, int], port: int) -> dict[str, object]:
    """`p99_times`: of those who are served, to those who are where nobody else asks. `port`: of the application."""
    with ExitStack() as stack:
        application = subprocess.Popen([sys.executable, "-m", "tests.bench.overload", str(port)])
        stack.callback(application.wait)
        stack.callback(application.terminate)
        bounded = f"{{url: http://127.0.0.1:{port}, concurrency: {_AT_ONCE // _WORKERS}}}"
        bench = _APP.format(host=HOST, upstream=port).replace(
            f"{{url: http://127.0.0.1:{port}, timeout: 60s}}", bounded
        )
        site = Site(folder, ports, port, port, access_log=False, cores=_WORKERS, apps={"bench.yaml": bench})
        stack.callback(site.stop)
        return uvloop.run(_row(site))


async def _row(site: Site) -> dict[str, object]:
    alone = await _offered(site, _UNLOADED)
    await _offered(site, 2 * _CAN_BE_SERVED)
    before = worker_megabytes(site.pid)
    offered = await _offered(site, 2 * _CAN_BE_SERVED)
    held = worker_megabytes(site.pid) - before
    served = [one for one in offered if one.status == 200]
    times = _p99(served) / _p99(alone)
    return {
        "bench": NAME,
        "offered_rps": round(len(offered) / _SECONDS),
        "served_rps": round(len(served) / _SECONDS),
        "told_busy": sum(one.status == 503 for one in offered),
        "others": sum(one.status not in (200, 503) for one in offered),
        "p99_ms_alone": round(_p99(alone), 1),
        "p99_ms_served": round(_p99(served), 1),
        "p99_times": round(times, 2),
        "limit": LIMIT,
        "held_mb": round(held, 1),
        "limit_mb": MEGABYTES,
    }


async def _offered(site: Site, rate: int) -> list[Answered]:
    headers = {"Host": HOST, "Cookie": site.cookie}
    async with Steady(site.port, headers, [_TARGET], rate, connections=512).running() as load:
        await asyncio.sleep(_SECONDS)
    return load.done


def _p99(answered: Sequence[Answered]) -> float:
    took = sorted(one.milliseconds for one in answered)
    return took[len(took) * 99 // 100]


async def _serve(port: int) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                async with turns:
                    await asyncio.sleep(_SECONDS_EACH)
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
