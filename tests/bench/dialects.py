"""What headers and a token for the application add to a warm request, and what a switch adds that has nothing to do."""

import asyncio
import gc
import os
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvloop

from gateway.access.preparation import Preparation
from gateway.ops.log import Log
from tests.bench.lane import ANSWER, SAME, Bench, Case
from tests.config.samples import GATEWAY, PERMIS
from tests.tokens.keys import key, pem

NAME = "dialects"
_SLICE, _SLICES = 250, 200
_HEADERS = "".join(
    f'    X-Name-{number}: {{template: "Hélène {{uid}} n° {number}", encoding: latin1}}\n' for number in range(10)
)
_TOLD = PERMIS.replace("access:", f"{_HEADERS}  jwt: {{header: X-App-Token, life: 5m}}\naccess:")
_KEYS = {"gateway.yaml": GATEWAY + "tokens: {keys: [{key: {file: tokens.pem}}]}\n"}
PLAIN = Case("get", [SAME])
TOLD = Case("get", [SAME], files={**_KEYS, "apps/permis.yaml": _TOLD}, secrets={"file:tokens.pem": pem("ES256")})
REWRITTEN = Case("get", [SAME], files={"apps/permis.yaml": PERMIS + "rewrite: {headers: true}\n"})


@asynccontextmanager
async def warm(case: Case, log: Log) -> AsyncIterator[Bench]:
    """Three requests are through: what has to be made for the person is made."""
    prepare = Preparation(
        keys=lambda: (key("ES256"),),
        in_thread=asyncio.to_thread,
        chance=secrets.token_bytes,
        wall=time.time,
        monotonic=time.monotonic,
    )
    bench = Bench(case, log, prepare)
    for _ in range(3):
        bench.back.last = b""
        bench.client.data_received(SAME)
        while not bench.back.last:
            await asyncio.sleep(0.001)
        bench.arrives(ANSWER)
    try:
        yield bench
    finally:
        bench.plane.close()


def row() -> dict[str, object]:
    """Microseconds in process, the least of slices that take turns."""
    return uvloop.run(_row())


async def _row() -> dict[str, object]:
    gc.set_threshold(10_000, 50, 10_000)
    log = Log(os.open(os.devnull, os.O_WRONLY), capacity=1 << 20)
    async with warm(PLAIN, log) as plain, warm(TOLD, log) as told, warm(REWRITTEN, log) as rewritten:
        assert told.back.last.count(b"\r\nX-Name-") == 10
        assert b"H\xe9l\xe8ne jdupont n\xb0 9\r\n" in told.back.last
        assert b"\r\nX-App-Token: ey" in told.back.last
        figures = _least((plain, told, rewritten))
    log.close()
    return {
        "bench": NAME,
        "plain_us": round(figures[0], 2),
        "ten_latin1_headers_and_a_jwt_add_us": round(figures[1] - figures[0], 2),
        "limit": 5.0,
        "rewrite_headers_without_an_address_add_us": round(figures[2] - figures[0], 2),
        "runs": _SLICES,
    }


def _least(benches: Sequence[Bench]) -> list[float]:
    pairs, least = [(SAME, ANSWER)] * _SLICE, [float("inf")] * len(benches)
    for _ in range(_SLICES):
        for number, bench in enumerate(benches):
            least[number] = min(least[number], bench.slice(pairs))
    return least
