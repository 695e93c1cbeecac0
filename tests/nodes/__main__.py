"""`make nodes`, or `python -m tests.nodes [--store NAME] [--runs N] [FAULT...]`: brings the machines up, breaks what is
asked, counts what people saw, and writes the failure matrix into docs/explanation/failures.md. 1 where anything came of
a fault that never may. Needs root, iproute2, HAProxy and Valkey.

`--short`: two faults, few people, as soon as all is as before: for the tests, which write no page."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.provider import Providers
from tests.nodes.faults import FAULTS, Fault, mended
from tests.nodes.machines import FRONT, FRONT_ADDRESS, NODES, Machines
from tests.nodes.matrix import HEAD, PAGE, Run, row, written
from tests.nodes.network import Network
from tests.nodes.people import People
from tests.nodes.relay import relayed
from tests.nodes.servers import Nine, Servers, Trio
from tests.walks.upstream import Upstream
from tests.walks.world import World

STORES: dict[str, type[Servers]] = {its.name: its for its in (Trio, Nine)}
# Seconds that a short form waits, at most, until people sign in again.
_SHORT_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Extent:
    """`before`, `after`: seconds of work before the fault and after it. `until_well`: no longer after it than until
    somebody has signed in again, and twice more."""

    people: int = 10
    before: float = 3.0
    after: float = 12.0
    until_well: bool = False


SHORT = Extent(people=3, before=0.5, after=_SHORT_AFTER, until_well=True)


async def tried(fault: Fault, machines: Machines, world: World, extent: Extent) -> Run:
    people = People(world)
    await people.come(extent.people)
    tasks = people.work()
    await asyncio.sleep(extent.before)
    people.usual()
    await fault.happens(machines)
    if fault.lasts:
        await asyncio.sleep(fault.lasts)
        fault.is_over(machines)
    since = time.monotonic()
    await _after(people, extent)
    await people.rest(tasks)
    seen = people.statuses()
    await mended(machines)
    return Run(
        statuses=seen,
        asked_to_sign_in=seen[401] + seen[303],
        mixed_up=people.mixed_up(),
        lost=await people.lost(),
        replayed=await people.replayed(),
        without=people.longest_without(),
        recovered=people.recovered_after(since),
    )


async def _after(people: People, extent: Extent) -> None:
    until, well = time.monotonic() + extent.after, len(people.signed_in) + 3
    while time.monotonic() < until and not (extent.until_well and len(people.signed_in) >= well):
        await asyncio.sleep(0.1)


async def main(faults: Sequence[Fault], machines: Machines, extent: Extent, runs: int) -> tuple[list[str], bool]:
    """The rows, and whether no run did any harm."""
    upstream, providers = Upstream(), Providers(machines.place.provider_port)
    alpha, beta = providers.add("alpha"), providers.add("beta")
    world = World(machines.place, None, upstream, alpha, beta, providers)  # type: ignore[arg-type]
    await upstream.start(machines.place.upstream_port)
    await providers.start()
    relays = [await relayed(*each) for each in machines.start_relays()]
    for node in NODES:
        machines.start_node(node)
    for node in NODES:
        await machines.up(node)
    print(HEAD, end="", flush=True)
    rows, harmless = [], True
    for fault in faults:
        of_it = [await tried(fault, machines, world, extent) for _ in range(runs)]
        rows.append(row(fault.words, of_it))
        harmless = harmless and not any(run.harm for run in of_it)
        print(rows[-1], flush=True)
    for relay in relays:
        relay.close()
    await providers.stop()
    await upstream.stop()
    return rows, harmless


def run(store: type[Servers], faults: Sequence[Fault], extent: Extent, runs: int) -> tuple[list[str], bool]:
    folder = tempfile.mkdtemp(prefix="ecluse-nodes-")
    print(f"{store.name}: logs are in {folder}", file=sys.stderr)
    with Network() as network:
        network.add(FRONT, FRONT_ADDRESS)
        for machine, address in {**store.addresses, **NODES}.items():
            network.add(machine, address)
        with network.inside(FRONT):
            machines = Machines(network, Path(folder), store)
            machines.servers.start()
            machines.write_nodes()
            machines.start_front()
            return asyncio.run(main(faults, machines, extent, runs))


def asked() -> int:
    parser = argparse.ArgumentParser(prog="nodes", description=__doc__)
    parser.add_argument("--store", choices=sorted(STORES), help="one kind of servers alone")
    parser.add_argument("--runs", type=int, default=1, help="of each fault")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    told = parser.parse_args()
    chosen = [FAULTS[name] for name in told.faults]
    harmless = True
    for name, store in STORES.items():
        if told.store not in (None, name):
            continue
        faults = chosen or [fault for fault in FAULTS.values() if name in fault.of]
        rows, well = run(store, faults, SHORT if told.short else Extent(), told.runs)
        harmless = harmless and well
        if not told.short:
            PAGE.write_text(written(PAGE.read_text("utf-8"), name, rows), "utf-8")
    return 0 if harmless else 1


if __name__ == "__main__":
    sys.exit(asked())
