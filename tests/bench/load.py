"""One run of wrk against one address, and what the proxy behind it used meanwhile."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import cpu_seconds

# What a browser sends, so that neither side is measured on a toy.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Run:
    """`cpu_us`: of the proxy's process tree, for each request. Latencies in milliseconds."""

    cpu_us: float
    rps: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Load:
    """`status`: what every answer must be; a run with any other answer is no measurement. `delay_ms`: that each
    connection waits before each request."""

    path: str
    status: int = 200
    body_size: int = 0
    connections: int = 32
    delay_ms: int = 0


class LoadFailed(Exception):
    pass


def run(load: Load, origin: str, pid: int, headers: Mapping[str, str], seconds: float, folder: Path) -> Run:
    """Raises LoadFailed when an answer was not the one expected."""
    script = _script(load, {**BROWSER, **headers})
    return ran(script, 1, load.connections, origin + load.path, pid, seconds, folder)


def ran(
    script: str, threads: int, connections: int, url: str, pid: int, seconds: float, folder: Path, *arguments: Path
) -> Run:
    """wrk with this script, which prints `counted N wrong M`. Raises LoadFailed where an answer is missing or wrong."""
    file = folder / "load.lua"
    file.write_text(script)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s",
               "-s", str(file), url, *(["--", *map(str, arguments)] if arguments else [])]  # fmt: skip
    before = cpu_seconds(pid)
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    counted = re.search(r"^counted (\d+) wrong (\d+)$", printed, re.MULTILINE)
    if counted is None or int(counted[2]) or "Socket errors" in printed or not int(counted[1]):
        raise LoadFailed(f"{url}: {printed}")
    requests = int(counted[1])
    return Run(used / requests * 1e6, requests / seconds, _percentile(printed, "50%"), _percentile(printed, "99%"))


def _percentile(printed: str, name: str) -> float:
    found = re.search(rf"^\s*{name}\s+([\d.]+)(us|ms|s|m)\s*$", printed, re.MULTILINE)
    if found is None:
        raise LoadFailed(printed)
    return float(found[1]) * _UNITS[found[2]]


def _script(load: Load, headers: Mapping[str, str]) -> str:
    """wrk's own threads look at the status of each answer, so that no error is taken for speed."""
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    if load.body_size:
        lines += ['wrk.method = "POST"', f'wrk.body = string.rep("x", {load.body_size})']
        lines += ['wrk.headers["Content-Type"] = "application/octet-stream"']
    if load.delay_ms:
        lines += [f"function delay() return {load.delay_ms} end"]
    lines += [
        "wrong = 0",
        f"function response(status) if status ~= {load.status} then wrong = wrong + 1 end end",
        "threads = {}",
        "function setup(thread) table.insert(threads, thread) end",
        "function done(summary)",
        "  local wrong = 0",
        "  for _, thread in ipairs(threads) do wrong = wrong + thread:get('wrong') end",
        "  print(string.format('counted %d wrong %d', summary.requests, wrong))",
        "end",
    ]
    return "\n".join(lines)
