"""What looking people up costs: the three look-ups of a sign-in (LDAP, SQL, HTTP) on warm connections, and a table of a
million rows. The servers are processes of their own, and not counted."""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Final

import trustme
import uvloop

from deploy.demo.ports import free
from gateway.directories.file_reader import FileReader
from gateway.directories.index import index_path
from gateway.directories.keeper import DirectoryKeeper
from gateway.directories.lookups import Directories
from gateway.identity.directories import joined_key
from gateway.model.directory import Directory, FileSource, GivenAttribute, KeyPart
from gateway.model.identity import Identity
from gateway.ops.index_files import read_stamp
from gateway.ops.log import Log
from gateway.server.loop_stalls import StallProbe
from tests.directories import http_server, postgres, slapd
from tests.directories.samples import Kept

NAMES: Final = ("directory_look_ups", "directory_million_rows")
SIGN_IN, MILLION = NAMES
# Seconds that the HTTP server takes for each; the others take less.
_ANSWERS_IN: Final = 0.001
_AT_ONCE: Final = 8
_ALICE: Final = Identity("alpha", "https://alpha.example", "s-1", {"uid": ("alice",)})


class Quiet(Log):
    def __init__(self) -> None:
        self.events: list[str] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append(event)


def rows(folder: Path, only: str, runs: int, people: int, lines: int) -> Iterator[dict[str, object]]:
    folder.mkdir()
    if only in SIGN_IN:
        missing = [name for name in ("ldap", "psycopg") if find_spec(name) is None]
        missing += [] if shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") else ["slapd"]
        if missing:
            yield {"bench": SIGN_IN, "left_out": f"{', '.join(missing)} missing: tools/install_test_parts.sh"}
        else:
            yield _sign_in(folder, runs, people)
    if only in MILLION:
        yield asyncio.run(_million(folder, lines))


# --- three servers


def _sign_in(folder: Path, runs: int, people: int) -> dict[str, object]:
    with ExitStack() as stack:
        ldap_port, http_port = free(2)
        (folder / "slapd").mkdir()
        stack.enter_context(slapd.slapd(folder / "slapd", ldap_port))
        cluster = stack.enter_context(postgres.cluster(trustme.CA()))
        server = stack.enter_context(postgres.postgres(cluster, free(1)[0]))
        http = subprocess.Popen([sys.executable, "-m", "tests.bench.look_ups", str(http_port)], stdin=subprocess.PIPE)
        stack.callback(http.wait)
        stack.callback(http.stdin.close if http.stdin else http.kill)
        kinds = {
            "ldap": slapd.staff(ldap_port, name="ldap"),
            "sql": postgres.staff(server, name="sql"),
            "http": http_server.staff(http_port, name="http"),
        }
        found = uvloop.run(_measured(folder, kinds, runs, people))
    return {"bench": SIGN_IN, **found, "sign_ins": people, "runs": runs}


async def _measured(folder: Path, kinds: dict[str, Directory], runs: int, people: int) -> dict[str, object]:
    """Milliseconds of this process, of all its threads, for each sign-in: with all three, and with each alone."""
    asking = Directories(folder, log=Quiet(), now=time.time, kept=Kept())
    sets = {"cpu_ms": tuple(kinds.values()), **{f"{name}_cpu_ms": (one,) for name, one in kinds.items()}}
    taken: dict[str, list[float]] = {name: [] for name in sets}
    await _answered(asking, sets["cpu_ms"])
    for run in range(runs + 1):
        for name, directories in sets.items():
            began = time.process_time()
            await _asked(asking, directories, people)
            if run:  # the first warms up
                taken[name].append((time.process_time() - began) / people * 1000)
    await asking.close()
    every = taken["cpu_ms"]
    return {
        **{name: round(median(one), 3) for name, one in taken.items()},
        "cpu_ms_min_max": [round(min(every), 3), round(max(every), 3)],
    }


async def _answered(asking: Directories, directories: Sequence[Directory]) -> None:
    """All servers are there."""
    async with asyncio.timeout(60):
        while any(one.state != "found" for one in (await asking.look_up(directories, _ALICE, None)).findings):
            await asyncio.sleep(0.5)


async def _asked(asking: Directories, directories: Sequence[Directory], people: int) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        async with turns:
            known = await asking.look_up(directories, _ALICE, None)
        if any(finding.state != "found" for finding in known.findings):
            raise RuntimeError(f"not found: {known.findings}")

    await asyncio.gather(*(one() for _ in range(people)))


# --- a large table


async def _million(folder: Path, lines: int) -> dict[str, object]:
    table, made = folder / "table.csv", folder / "directories"
    with table.open("w") as file:
        file.write("uid,login,siret\n")
        file.writelines(f"person{number},p{number},21590350100017\n" for number in range(lines))
    key = (KeyPart("uid", "uid", providers=("alpha",)),)
    gives = (GivenAttribute("login", "login"), GivenAttribute("siret", "siret", "siret"))
    source = FileSource(str(table), "csv")
    directory = Directory("table", "f1", source, key, gives, "one", "refuse", 0, 2.0)
    began, cpu = time.monotonic(), _of_children()
    async with _keeper(made, directory) as stops:
        while await asyncio.to_thread(read_stamp, index_path(made, directory)) is None:
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - began
    cpu = _of_children() - cpu
    reader = FileReader(made, directory)
    keys = [joined_key([f"person{number * 7919 % lines}"]) for number in range(20_000)]
    began = time.process_time()
    for each in keys:
        finding, _ = reader.finding(each, 0)
        if finding.state != "found":
            raise RuntimeError(f"not found: {each}")
    taken = (time.process_time() - began) / len(keys)
    reader.close()
    return {
        "bench": MILLION,
        "rows": lines,
        "indexed_s": round(seconds, 2),
        "index_cpu_s": round(cpu, 2),
        "loop_stop_max_ms": round(max(stops) * 1000, 2),
        "look_up_us": round(taken * 1e6, 1),
        "index_mb": round(os.stat(index_path(made, directory)).st_size / 1e6, 1),
    }


def _of_children() -> float:
    """The process that makes the index gives way to all others: on a busy machine its time says little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@asynccontextmanager
async def _keeper(folder: Path, directory: Directory) -> AsyncIterator[list[float]]:
    """The supervisor's part, and how long its loop stood still meanwhile."""
    stops: list[float] = []
    keeper = DirectoryKeeper(folder, Quiet())
    await keeper.use([directory])
    StallProbe(asyncio.get_running_loop(), stops.append).look()
    task = asyncio.create_task(keeper.run())
    try:
        yield stops
    finally:
        task.cancel()
        await keeper.close()


async def _serve(port: int) -> None:
    async with http_server.people(port) as server:
        server.waits = _ANSWERS_IN
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
