"""`make bench-peers`: what a request costs behind the gateway and behind three others that authenticate, by turns.

One JSON object for each row and peer. `cpu_us`: CPU of the gateway's process tree for each request, `peer_cpu_us`: of
the peer's, medians of the runs; `ratio`: of the two. The rows are those of `make bench`: one request over and over, 32
browsers, and 512 people by turns as behind a front.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from deploy.demo.ports import free
from tests.bench import mixes, nginx
from tests.bench.__main__ import certificate
from tests.bench.load import Load, Run, run
from tests.bench.login import at_once
from tests.bench.mixes import MixRow
from tests.bench.peer_people import PeersOp, signed_in_by_openid, signed_in_by_saml
from tests.bench.peer_sites import Peer, envoy, mellon, mod_auth_openidc
from tests.bench.site import HOST, Site
from tests.federation.servers import web_server

OVER_AND_OVER = "over_and_over"
# At most this much of the cheapest of them.
LIMITS = {OVER_AND_OVER: 0.35, mixes.BROWSER_MIX: 0.5, mixes.BY_TURNS: 0.6}
_LOAD = Load("/private/page")
_APPLICATIONS_OWN = "PHPSESSID=0123456789abcdef; {cookie}; theme=clair"


class Peers:
    """Started, with `people` signed in at each. `cookies`: by the peer's name, those of each person."""

    def __init__(self, folder: Path, stack: ExitStack, people: int) -> None:
        self.folder = folder
        self.upstream, *ports = free(4)
        certificate(folder)
        stack.callback(nginx.upstream(folder, self.upstream).stop)
        self.all: list[Peer] = []
        self.cookies: dict[str, list[str]] = {}
        asyncio.run(self._begin(stack, ports, people))

    async def _begin(self, stack: ExitStack, ports: Sequence[int], people: int) -> None:
        op = PeersOp()
        logins = [f"helene{number}" for number in range(1, people + 1)]
        async with web_server(op) as op.port:
            by_saml = await self._started(stack, lambda: mellon(self.folder, ports[0], self.upstream))
            self.cookies[by_saml.name] = await at_once(signed_in_by_saml(by_saml.port, login) for login in logins)
            for start in (
                lambda: mod_auth_openidc(self.folder, ports[1], self.upstream, op.issuer),
                lambda: envoy(self.folder, ports[2], self.upstream, op.issuer, op.keys()),
            ):
                peer = await self._started(stack, start)
                self.cookies[peer.name] = await at_once(signed_in_by_openid(peer.port, login) for login in logins)

    async def _started(self, stack: ExitStack, start: Callable[[], Peer]) -> Peer:
        peer = await asyncio.to_thread(start)
        stack.callback(peer.stop)
        self.all.append(peer)
        return peer


def rows(peers: Peers, runs: int, seconds: float) -> Iterator[dict[str, object]]:
    mix_rows = [row for row in mixes.ROWS if row.name in LIMITS]
    with _site(peers, "one", 1, "") as site:
        yield from _compared(OVER_AND_OVER, runs, _over_and_over(peers, site, seconds))
    for row in mix_rows:
        with _site(peers, row.name, row.people, mixes.FRONT if row.front else "") as site:
            yield from _compared(row.name, runs, _mixed(peers, site, row, seconds))


@contextmanager
def _site(peers: Peers, name: str, people: int, gateway: str) -> Iterator[Site]:
    """The gateway before the same upstream."""
    folder = peers.folder / f"site-{name}"
    folder.mkdir()
    for file in ("site.pem", "site.key"):
        (folder / file).write_bytes((peers.folder / file).read_bytes())
    first, second, third, slow = free(4)
    ports = first, second, third
    site = Site(folder, ports, peers.upstream, slow, access_log=False, gateway=gateway, people=people)
    try:
        yield site
    finally:
        site.stop()


def _over_and_over(peers: Peers, site: Site, seconds: float) -> dict[str, Callable[[], Run]]:
    def of(origin: str, pid: int, cookie: str) -> Callable[[], Run]:
        headers = {"Host": HOST, "Cookie": _APPLICATIONS_OWN.format(cookie=cookie)}
        return lambda: run(_LOAD, origin, pid, headers, seconds, peers.folder)

    theirs = {peer.name: of(peer.origin, peer.pid, peers.cookies[peer.name][0]) for peer in peers.all}
    return {"": of(_origin(site), site.pid, site.cookies[0]), **theirs}


def _mixed(peers: Peers, site: Site, row: MixRow, seconds: float) -> dict[str, Callable[[], Run]]:
    def of(origin: str, pid: int, cookies: Sequence[str]) -> Callable[[], Run]:
        streams = row.streams(cookies)
        return lambda: mixes.run(streams, row, origin, pid, seconds, peers.folder)

    theirs = {peer.name: of(peer.origin, peer.pid, peers.cookies[peer.name][: row.people]) for peer in peers.all}
    return {"": of(_origin(site), site.pid, site.cookies), **theirs}


def _compared(name: str, runs: int, measured: dict[str, Callable[[], Run]]) -> Iterator[dict[str, object]]:
    """Ours is the one without a name."""
    found: dict[str, list[float]] = {who: [] for who in measured}
    for sample in range(runs + 1):
        for who, measure in measured.items():
            used = measure().cpu_us
            if sample:  # the first warms it up
                found[who].append(used)
    ours = found.pop("")
    for who, theirs in found.items():
        ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
        yield {
            "bench": f"{name}/{who}",
            "cpu_us": round(median(ours), 1),
            "peer_cpu_us": round(median(theirs), 1),
            "ratio": round(median(ours) / median(theirs), 3),
            "ratio_min_max": [round(ratios[0], 3), round(ratios[-1], 3)],
            "limit": LIMITS[name],
            "runs": runs,
        }


def _origin(site: Site) -> str:
    return f"http://127.0.0.1:{site.port}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench-peers", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ecluse-peers-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # the workers of nginx and Apache are another user where this one is root
        peers = Peers(Path(folder), stack, mixes.PEOPLE)
        for row in rows(peers, arguments.runs, arguments.seconds):
            print(json.dumps(row), flush=True)
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
