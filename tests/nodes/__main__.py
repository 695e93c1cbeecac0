"""`make nodes`, or `python -m tests.nodes [FAULT...]`: brings the machines up, breaks what is asked, counts what people
saw, and prints a line of the failure matrix for each. Needs root, iproute2, HAProxy and Valkey."""

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.provider import Providers
from tests.nodes.machines import FRONT, FRONT_ADDRESS, NODES, SERVERS, Machines
from tests.nodes.network import Network
from tests.nodes.people import People
from tests.nodes.relay import relayed
from tests.walks.upstream import Upstream
from tests.walks.world import World

PEOPLE = 10
# Seconds of work before the fault, and after it.
BEFORE, AFTER = 3.0, 12.0
FULL = 6.0


async def primary_killed(machines: Machines) -> None:
    process = machines.process(machines.primary(), "valkey")
    process.send_signal(signal.SIGKILL)


async def primary_cut_off(machines: Machines) -> None:
    machines.network.cut(machines.primary())


async def node_cut_off(machines: Machines) -> None:
    machines.network.cut("two")


async def node_killed(machines: Machines) -> None:
    process = machines.process("two", "gateway")
    process.send_signal(signal.SIGKILL)


async def rolling_restart(machines: Machines) -> None:
    """One gateway after the other is replaced by a new one."""
    for node in NODES:
        old = machines.process(node, "gateway")
        machines.start_node(node, "--replace")
        async with asyncio.timeout(60):
            while old.poll() is None:
                await asyncio.sleep(0.1)


async def store_full(machines: Machines) -> None:
    """As full as it can be, for some seconds: whatever would need room is refused."""
    machines.allow_memory("1mb")
    await asyncio.sleep(FULL)
    machines.allow_memory("2gb")


async def clock_forward(machines: Machines) -> None:
    machines.clock("two").move(90)


async def clock_back(machines: Machines) -> None:
    machines.clock("two").move(-90)


@dataclass(frozen=True, slots=True)
class Fault:
    words: str
    happens: Callable[[Machines], Awaitable[None]]


FAULTS = {
    "rolling-restart": Fault("gateways restarted one after the other", rolling_restart),
    "node-cut-off": Fault("a gateway's machine cut off", node_cut_off),
    "node-killed": Fault("a gateway killed (SIGKILL)", node_killed),
    "clock-forward": Fault("a gateway's clock set forward by 90 s", clock_forward),
    "clock-back": Fault("a gateway's clock set back by 90 s", clock_back),
    "store-full": Fault(f"the servers' memory full for {FULL:.0f} s", store_full),
    "primary-killed": Fault("the primary killed (SIGKILL)", primary_killed),
    "primary-cut-off": Fault("the primary's machine cut off", primary_cut_off),
}


async def mended(machines: Machines) -> None:
    """Everything is there again, as it was in the beginning."""
    for machine in (*NODES, *SERVERS):
        machines.network.mend(machine)
    for machine in SERVERS:
        process = machines.process(machine, "valkey")
        if process.poll() is not None:
            machines.start_server(machine)
    for node in NODES:
        machines.clock(node).move(0)
        gateway = machines.process(node, "gateway")
        if gateway.poll() is not None:
            machines.start_node(node)
        await machines.up(node)
    await asyncio.sleep(5)


async def tried(fault: Fault, machines: Machines, world: World) -> str:
    people = People(world)
    await people.come(PEOPLE)
    tasks = people.work()
    await asyncio.sleep(BEFORE)
    began = time.monotonic()
    await fault.happens(machines)
    await asyncio.sleep(AFTER)
    await people.rest(tasks)
    took = time.monotonic() - began
    seen = people.statuses()
    failed = {status: number for status, number in sorted(seen.items()) if status != 200}
    asked_to_sign_in = seen[401] + seen[303]
    await mended(machines)
    lost = await people.lost()
    of_it = ", ".join(f"{number} x {status or 'no answer'}" for status, number in failed.items()) or "nothing"
    return (
        f"| {fault.words} | {of_it} of {sum(seen.values())} requests in {BEFORE + took:.0f} s | {asked_to_sign_in} "
        f"| {people.longest_without():.1f} s | {lost} of {PEOPLE} |"
    )


async def main(names: list[str], machines: Machines) -> None:
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
    print("| fault | people who were signed in saw | sent to sign in | nobody could sign in for | sessions lost |")
    print("|---|---|---|---|---|", flush=True)
    for name in names:
        print(await tried(FAULTS[name], machines, world), flush=True)
    await world.leave()
    for relay in relays:
        relay.close()
    await providers.stop()
    await upstream.stop()


def run(names: list[str]) -> None:
    folder = tempfile.mkdtemp(prefix="ecluse-nodes-")
    print(f"logs are in {folder}", file=sys.stderr)
    with Network() as network:
        network.add(FRONT, FRONT_ADDRESS)
        for machine, address in {**SERVERS, **NODES}.items():
            network.add(machine, address)
        network.enter(FRONT)
        machines = Machines(network, Path(folder))
        machines.start_servers()
        machines.write_nodes()
        machines.start_front()
        machines.wait_for_the_first_primary()
        asyncio.run(main(names, machines))


if __name__ == "__main__":
    run(sys.argv[1:] or list(FAULTS))
