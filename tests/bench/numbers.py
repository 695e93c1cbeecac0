"""What grows with numbers: the same request's cost in user space with few and with many hosts, rules and people.

`python -m tests.bench.numbers` prints one JSON object a row: microseconds per request with each number, and the ratio
of the most to the fewest. As tests/bench/lane.py, without sockets; the least of some rounds, in which each one of them
comes by turns.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop

from gateway.access.application import unnamed
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.client import ClientConnection
from gateway.proxy.dataplane import DataPlane
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.pool import Pool
from tests.bench.lane import ANSWER, BROWSER, LINE, Nowhere
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot
from tests.proxy.stand_ins import COOKIE, Holder, NoJars, Pages, Portal, Sessions, identity, seat

_HOST = "permis.localhost"
_ROUNDS, _LEAST_REQUESTS = 5, 2000
_HOSTS_OF_AN_APP = 50


@dataclass(frozen=True, slots=True)
class Numbered:
    """`requests`: one for each of the hosts, rules or people. `people`: how many are signed in."""

    row: str
    number: int
    requests: Sequence[bytes]
    files: dict[str, str]
    people: int = 1


def numbered() -> Iterator[Numbered]:
    for count in (1, 100, 1000, 5000):
        yield hosts(count)
    for count in (1, 300, 1000, 20_000):
        yield rules(count)
    for count in (1, 10, 64, 512):
        yield people(count)
    for count in (1, 1000, 20_000):
        yield sessions(count)


def hosts(count: int) -> Numbered:
    names = [f"h{number}.localhost" for number in range(count)]
    apps = {
        f"apps/app{start}.yaml": f"version: 1\napp: app{start}\n"
        f"hosts: [{', '.join(names[start:][:_HOSTS_OF_AN_APP])}]\n"
        "upstream: {url: http://127.0.0.1:9500}\nproviders: [metropole]\naccess: [{path: /app/**, allow: anyone}]\n"
        for start in range(0, count, _HOSTS_OF_AN_APP)
    }
    lines = BROWSER.replace(b"__Host-ecluse=" + COOKIE + b"; ", b"")
    return Numbered("hosts", count, [LINE + lines.replace(_HOST.encode(), host.encode()) for host in names], apps)


def rules(count: int) -> Numbered:
    access = "".join(f"  - {{path: /app/r{number}/**, allow: signed_in}}\n" for number in range(count))
    requests = [LINE.replace(b"/app/page?id=7", b"/app/r%d/page" % number) + BROWSER for number in range(count)]
    return Numbered("rules", count, requests, {"apps/permis.yaml": PERMIS + access})


def people(count: int) -> Numbered:
    address = b"X-Forwarded-For: 10.%d.%d.7\r\nX-Forwarded-Proto: http\r\n\r\n"
    requests = [_asked(number).removesuffix(b"\r\n") + address % divmod(number, 200) for number in range(count)]
    return Numbered("people", count, requests, {"gateway.yaml": GATEWAY + "trusted_proxies: [127.0.0.1]\n"}, count)


def sessions(count: int) -> Numbered:
    return Numbered("sessions", count, list(map(_asked, range(count))), {}, count)


def _asked(person: int) -> bytes:
    return LINE + BROWSER.replace(COOKIE, _cookie_of(person))


def _cookie_of(person: int) -> bytes:
    return b"%06d" % person + COOKIE[6:]


class Turns:
    """One client connection, on which each request comes by turns; the application always answers the same."""

    def __init__(self, one: Numbered, log: Log) -> None:
        sessions = Sessions()
        sessions.hot[COOKIE] = seat(_HOST, identity(uid="jdupont", mail="j@metropole.example"), COOKIE)
        for person in range(one.people):
            cookie = _cookie_of(person)
            sessions.hot[cookie] = seat(_HOST, identity(uid=f"person{person}", mail="j@metropole.example"), cookie)
        self.plane = DataPlane(
            person=unnamed, holder=Holder(sample_snapshot(one.files)), sessions=sessions, portal=Portal().ask,
            pages=Pages(), counters=Counters(), log=log, loop=asyncio.get_running_loop(),
            is_ours=lambda address, port: False, jars=NoJars(),
        )  # fmt: skip
        self._client = _client(self.plane)
        upstreams: dict[Pool, UpstreamConnection] = {}
        self.pairs = [(request, _upstream(self.plane, request, upstreams).data_received) for request in one.requests]

    def turn(self) -> None:
        receive = self._client.data_received
        for request, answer in self.pairs:
            receive(request)
            answer(ANSWER)


def measure(one: Numbered, log: Log) -> float:
    """Microseconds per request."""
    turns = Turns(one, log)
    gc.freeze()
    figures, each = [], max(1, _LEAST_REQUESTS // len(turns.pairs))
    for _ in range(_ROUNDS + 1):
        began = time.process_time()
        for _ in range(each):
            turns.turn()
        figures.append((time.process_time() - began) / (each * len(turns.pairs)) * 1e6)
    turns.plane.close()
    return min(figures[1:])


def _client(plane: DataPlane) -> ClientConnection:
    place = plane.admission.enter("127.0.0.1", 3)
    assert place is not None
    client: ClientConnection = plane.protocol_factory(tls=False)(place)
    client.connection_made(Nowhere())
    return client


def _upstream(plane: DataPlane, request: bytes, known: dict[Pool, UpstreamConnection]) -> UpstreamConnection:
    """One connection to each application, kept alive."""
    pool = plane.tables.find(request.partition(b"Host: ")[2].partition(b"\r\n")[0]).lane.pool
    assert pool is not None
    if pool not in known:
        upstream = known[pool] = UpstreamConnection(pool, plane.timers, plane.heads, plane.room)
        upstream.connection_made(Nowhere())
        upstream.idle_since = plane.loop.time() + 1000
        upstream.used = True
        pool.give(upstream)
    return known[pool]


async def main(only: str) -> None:
    gc.set_threshold(10_000, 50, 10_000)
    log = Log(os.open(os.devnull, os.O_WRONLY), capacity=1 << 20)
    rows: dict[str, dict[int, float]] = {}
    for one in numbered():
        if only in one.row:
            rows.setdefault(one.row, {})[one.number] = round(measure(one, log), 2)
    for row, figures in rows.items():
        few, *_, many = figures.values()
        print(json.dumps({"row": row, "us": figures, "ratio": round(many / few, 2)}), flush=True)
    log.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
