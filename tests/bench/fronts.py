"""What one answer to a front costs that asks about a request which it passes on itself, in process."""

import gc
import os
import time
from collections.abc import Sequence
from typing import Final

import uvloop

from gateway.ops.log import Log
from tests.bench.lane import BROWSER, COOKIE, HOST, PEOPLE, Bench, Case, cookie_of
from tests.config.samples import GATEWAY, PERMIS
from tests.fronts.fronts import GATEWAY as FRONTED
from tests.fronts.fronts import SECRET, SECRETS

NAME: Final = "forward_auth"
KINDS: Final = ("nginx", "caddy", "traefik", "envoy", "haproxy")
MICROSECONDS: Final = 25.0
_SLICES: Final = 200


def case(kind: str) -> Case:
    """A browser's request, as this front asks about it."""
    files = {"gateway.yaml": GATEWAY + FRONTED, "apps/permis.yaml": f"{PERMIS}front: {kind}\n"}
    return Case(kind, [question(kind)], files=files, secrets=SECRETS)


def question(kind: str, person: int = 0, target: bytes = b"/app/page?id=7") -> bytes:
    lines = BROWSER.replace(COOKIE, cookie_of(person)).removesuffix(b"\r\n")
    lines += b"X-Forwarded-For: 192.0.2.%d\r\nX-Forwarded-Proto: http\r\n" % (person % 250)
    lines += b"X-Ecluse-Front: %b\r\n" % SECRET
    path = b"/_ecluse/authz/" + kind.encode()
    if kind == "envoy":
        return b"GET %b%b HTTP/1.1\r\n%b\r\n" % (path, target, lines)
    if kind == "traefik":
        lines = lines.replace(b"Host: permis.localhost:8080", b"Host: 127.0.0.1")
        lines += b"X-Forwarded-Method: GET\r\nX-Forwarded-Uri: %b\r\n" % target
        lines += b"X-Forwarded-Host: %b:8080\r\nX-Forwarded-Port: 80\r\n" % HOST.encode()
        lines += b"X-Forwarded-Server: 3f2a\r\nX-Real-Ip: 192.0.2.1\r\n"
    else:
        lines += b"X-Original-Method: GET\r\nX-Original-URI: %b\r\n" % target
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path, lines)


def asked(kind: str, log: Log) -> Bench:
    """The gateway, which this front has asked before."""
    bench = Bench(case(kind), log)
    for _ in range(3):
        bench.client.data_received(question(kind))
    check(bench)
    return bench


def check(bench: Bench) -> None:
    """That it was an allowance; a refusal would be quick as well."""
    assert bench.front.last.startswith(b"HTTP/1.1 200 OK\r\n"), bench.front.last
    assert b"\r\nX-Remote-User: jdupont\r\n" in bench.front.last


def row() -> dict[str, object]:
    """Microseconds of CPU, the least of slices: of one person, and of many by turns."""
    return uvloop.run(_row())


async def _row() -> dict[str, object]:
    gc.set_threshold(10_000, 50, 10_000)
    log = Log(os.open(os.devnull, os.O_WRONLY), capacity=1 << 20)
    figures = {kind: _least(asked(kind, log), [question(kind)] * 200) for kind in KINDS}
    people = [question("nginx", person, b"/app/page?id=%d" % person) for person in range(PEOPLE)]
    by_turns = _least(asked("nginx", log), people)
    log.close()
    return {
        "bench": NAME,
        **{f"{kind}_us": round(figure, 2) for kind, figure in figures.items()},
        "people_by_turns_us": round(by_turns, 2),
        "limit": MICROSECONDS,
        "runs": _SLICES,
    }


def _least(bench: Bench, questions: Sequence[bytes]) -> float:
    receive, figures = bench.client.data_received, []
    for _ in range(_SLICES):
        began = time.process_time()
        for each in questions:
            receive(each)
        figures.append((time.process_time() - began) / len(questions) * 1e6)
    check(bench)
    bench.plane.close()
    return min(figures)
