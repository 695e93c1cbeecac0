"""`make bench`: what a request costs behind the gateway and behind plain nginx, in turn, in the same run.

One JSON object a line. `cpu_us`: CPU of the whole process tree for each request, median of the runs; `ratio`: to
nginx's. Absolute figures are worth little on a shared machine, ratios hold.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from socket import socket
from statistics import median

from tests.bench import (
    aggregate,
    dialects,
    fronts,
    login,
    look_ups,
    memory,
    mixes,
    nginx,
    overload,
    policy,
    providers,
    reloads,
    rewriting,
    round_trips,
    saml_login,
    shared_store,
    slow_heads,
    soak,
    storm,
    tunnels,
)
from tests.bench.load import Load, Run, run
from tests.bench.mixes import MixRow
from tests.bench.processes import worker_megabytes
from tests.bench.site import HOST, Site
from tests.bench.stops import FAILED, without_long_stops


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    load: Load
    signed_in: bool = True
    tls: bool = False
    access_log: bool = False


HALF_LOAD = "half_load_p99_added"
ROWS = (
    Row("authenticated_get_1k", Load("/private/page")),
    Row("authenticated_get_1k_access_log", Load("/private/page"), access_log=True),
    Row("authenticated_get_1k_tls", Load("/private/page"), tls=True),
    Row("authenticated_post_10k", Load("/private/post", body_size=10 << 10)),
    Row("authenticated_picture_3k", Load("/private/picture")),
    Row("authenticated_script_20k", Load("/private/script")),
    Row("authenticated_download_1m", Load("/private/big", connections=8)),
    Row("authenticated_upload_1m", Load("/private/post", body_size=1 << 20, connections=8)),
    Row("public_get_1k", Load("/public/page"), signed_in=False),
    Row("denied_get", Load("/denied/page", status=403)),
)


class Bench:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._sites: dict[bool, Site] = {}
        self._folders = 0
        self._upstream_port, self._port, self._tls_port, self.slow_port = _free_ports(4)
        certificate(folder)
        stack.callback(nginx.upstream(folder, self._upstream_port).stop)
        self._nginx = nginx.proxy(folder, self._port, self._tls_port, self._upstream_port)
        stack.callback(self._nginx.stop)
        stack.callback(lambda: [site.stop() for site in self._sites.values()])

    def site(self, access_log: bool = False) -> Site:
        if access_log not in self._sites:
            folder = self._site_folder(str(access_log))
            site = Site(folder, _three_ports(), self._upstream_port, self.slow_port, access_log=access_log)
            self._sites[access_log] = site
        return self._sites[access_log]

    def mix(self, row: MixRow, runs: int, seconds: float) -> dict[str, object]:
        site = Site(
            self._site_folder(row.name),
            _three_ports(),
            self._upstream_port,
            self.slow_port,
            access_log=False,
            gateway=mixes.FRONT if row.front else "",
            apps=row.apps(self._upstream_port),
            people=row.people,
        )
        streams = row.streams(site.cookies)
        one, other = (
            _origin(site.port, site.tls_port, tls=row.tls), _origin(self._port, self._tls_port, tls=row.tls)
        )  # fmt: skip
        try:
            mixes.run(streams, row, one, site.pid, row.warm, self.folder)
            return self._in_turn(
                row.name,
                site,
                runs,
                lambda: mixes.run(streams, row, one, site.pid, seconds, self.folder),
                lambda: mixes.run(streams, row, other, self._nginx.pid, seconds, self.folder),
            )
        finally:
            site.stop()

    def half_load(self, runs: int, seconds: float) -> dict[str, object]:
        """What the gateway adds to the 99th percentile where both have half of what it can do."""
        site, load = self.site(), Load("/private/page", connections=64)
        headers = {"Host": HOST, "Cookie": site.cookie}
        origin, beside = _origin(site.port, site.tls_port), _origin(self._port, self._tls_port)
        full = run(load, origin, site.pid, headers, seconds, self.folder)
        paced = replace(load, delay_ms=max(1, round(load.connections / (full.rps / 2) * 1000)))
        pairs = [
            (run(paced, origin, site.pid, headers, seconds, self.folder),
             run(paced, beside, self._nginx.pid, headers, seconds, self.folder))
            for _ in range(runs)
        ]  # fmt: skip
        added = sorted(ours.p99_ms - theirs.p99_ms for ours, theirs in pairs)
        return {
            "bench": HALF_LOAD,
            "full_rps": round(full.rps),
            "rps": round(median(ours.rps for ours, _ in pairs)),
            "p99_added_ms": round(median(added), 2),
            "p99_added_ms_min_max": [round(added[0], 2), round(added[-1], 2)],
            "limit": 2.0,
            "runs": runs,
        }

    def login(self, name: str, runs: int, people: int) -> dict[str, object]:
        measure = login.row if name == "oidc_login" else saml_login.row
        return measure(self._site_folder(name), _three_ports(), self._upstream_port, self.slow_port, runs, people)

    def storm(self) -> dict[str, object]:
        return storm.row(self._site_folder(storm.NAME), _three_ports(), self._upstream_port, self.slow_port)

    def reloads(self) -> dict[str, object]:
        return reloads.row(self._site_folder(reloads.NAME), _three_ports(), self._upstream_port, self.slow_port)

    def rewriting(self) -> Iterator[dict[str, object]]:
        return rewriting.rows(self._site_folder(rewriting.NAME), _three_ports(), self._upstream_port, self.slow_port)

    def overload(self) -> dict[str, object]:
        return overload.row(self._site_folder(overload.NAME), _three_ports(), _three_ports()[0])

    def tunnels(self, runs: int) -> Iterator[dict[str, object]]:
        return tunnels.rows(self._site_folder("tunnels"), _three_ports(), _three_ports(), runs)

    def soak(self) -> dict[str, object]:
        return soak.row(self._site_folder(soak.NAME), _three_ports(), self._upstream_port, _free_ports(1)[0])

    def _site_folder(self, name: str) -> Path:
        """With the bench's certificate."""
        self._folders += 1
        folder = self.folder / f"site-{self._folders}-{name}"
        folder.mkdir()
        for file in ("site.pem", "site.key"):
            (folder / file).write_bytes((self.folder / file).read_bytes())
        return folder

    def measured(self, row: Row, runs: int, seconds: float) -> dict[str, object]:
        """With the site of the rows before; again, where it has to be, with a new one, which the next rows keep."""
        fresh = False

        def measure() -> dict[str, object]:
            nonlocal fresh
            if fresh and (used := self._sites.pop(row.access_log, None)) is not None:
                used.stop()
            fresh = True
            return self.row(row, runs, seconds)

        return without_long_stops(measure)

    def row(self, row: Row, runs: int, seconds: float) -> dict[str, object]:
        site = self.site(row.access_log)
        host = {"Host": HOST}
        signed_in = {**host, "Cookie": site.cookie} if row.signed_in else host
        return self._in_turn(
            row.name,
            site,
            runs,
            lambda: run(
                row.load, _origin(site.port, site.tls_port, tls=row.tls), site.pid, signed_in, seconds, self.folder
            ),
            lambda: run(
                row.load, _origin(self._port, self._tls_port, tls=row.tls), self._nginx.pid, host, seconds, self.folder
            ),
        )

    def _in_turn(
        self, name: str, site: Site, runs: int, ours: Callable[[], Run], theirs: Callable[[], Run]
    ) -> dict[str, object]:
        one, other, stops = [], [], []
        for sample in range(runs + 1):
            measured = ours()
            stop = site.metric("ecluse_event_loop_stop_max_seconds")
            stops.append(stop)
            beside = theirs()
            if sample:  # the first warms both up
                one.append(measured)
                other.append(beside)
        return {"bench": name, **_compared(one, other), "loop_stop_max_ms": round(max(stops) * 1000, 1),
                "rss_mb": round(worker_megabytes(site.pid), 1), "runs": runs}  # fmt: skip


def _compared(ours: list[Run], theirs: list[Run]) -> dict[str, object]:
    def middle(runs: list[Run], of: Callable[[Run], float]) -> float:
        return median(map(of, runs))

    ratios = sorted(one.cpu_us / other.cpu_us for one, other in zip(ours, theirs, strict=True))
    return {
        "cpu_us": round(middle(ours, lambda r: r.cpu_us), 1),
        "nginx_cpu_us": round(middle(theirs, lambda r: r.cpu_us), 1),
        "ratio": round(middle(ours, lambda r: r.cpu_us) / middle(theirs, lambda r: r.cpu_us), 2),
        "ratio_min_max": [round(ratios[0], 2), round(ratios[-1], 2)],
        "rps": round(middle(ours, lambda r: r.rps)),
        "nginx_rps": round(middle(theirs, lambda r: r.rps)),
        "p50_ms": round(middle(ours, lambda r: r.p50_ms), 2),
        "p99_ms": round(middle(ours, lambda r: r.p99_ms), 2),
        "nginx_p99_ms": round(middle(theirs, lambda r: r.p99_ms), 2),
    }


def _origin(port: int, tls_port: int, *, tls: bool = False) -> str:
    return f"https://127.0.0.1:{tls_port}" if tls else f"http://127.0.0.1:{port}"


def _three_ports() -> tuple[int, int, int]:
    first, second, third = _free_ports(3)
    return first, second, third


def _free_ports(count: int) -> list[int]:
    sockets = [socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def certificate(folder: Path) -> None:
    """`site.pem` and `site.key`, of the application's host."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
         "-keyout", str(folder / "site.key"), "-out", str(folder / "site.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def rows(bench: Bench, quick: bool, only: str) -> Iterator[dict[str, object]]:
    runs, seconds = (3, 1.0) if quick else (9, 2.0)
    for mix in mixes.ROWS:
        if only in mix.name and (not quick or mix.quick or only == mix.name):
            yield without_long_stops(partial(bench.mix, mix, runs, seconds))
    for row in ROWS:
        if only in row.name and not (quick and row.name in _NOT_QUICK):
            yield bench.measured(row, runs, seconds)
    if not quick and only in HALF_LOAD:
        yield bench.half_load(runs, seconds)
    if only in dialects.NAME:
        yield dialects.row()
    if only in fronts.NAME:
        yield fronts.row()
    if only in "policy":
        yield from policy.rows()
    for name in ("oidc_login", "saml_login_signed_encrypted"):
        if only in name:
            yield without_long_stops(partial(bench.login, name, runs, 50 if quick else 200))
    if any(only in name for name in look_ups.NAMES):
        yield from look_ups.rows(bench.folder / "look-ups", only, runs, 100 if quick else 500, 1_000_000)
    if only in round_trips.NAME:
        yield round_trips.row()
    if quick and only in shared_store.NAME:
        yield from shared_store.rows(20_000)
    if not quick and only in providers.NAME:
        yield providers.row(bench.folder / "providers", runs)
    if not quick and only in storm.NAME:
        yield bench.storm()
    if not quick and only in reloads.NAME:
        yield bench.reloads()
    if not quick and only in rewriting.NAME:
        yield from bench.rewriting()
    if not quick and only in overload.NAME:
        yield bench.overload()
    if not quick and any(only in name for name in tunnels.NAMES):
        yield from bench.tunnels(runs)
    if not quick and only in soak.NAME:
        yield bench.soak()
    if not quick and only in aggregate.NAME:
        yield aggregate.row(bench.folder / "aggregate")
    if not quick and only in shared_store.NAME:
        yield from shared_store.rows(1_000_000)
    if not quick and only in slow_heads.NAME:
        yield slow_heads.row(bench.site())
    if not quick and only in "memory":
        yield from memory.rows(bench.site(), bench.slow_port)


_NOT_QUICK = {
    "authenticated_get_1k_access_log", "authenticated_picture_3k", "authenticated_script_20k",
    "authenticated_upload_1m", "denied_get",
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="90 seconds in all, fewer rows and runs")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # nginx's workers are another user where this one is root
        bench = Bench(Path(folder), stack)
        failed = []
        for row in rows(bench, arguments.quick, arguments.only):
            print(json.dumps(row), flush=True)
            if FAILED in row:
                failed.append(f"{row['bench']}: {row[FAILED]}")
    print(f"{time.monotonic() - started:.0f} s", *failed, sep="\n", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
