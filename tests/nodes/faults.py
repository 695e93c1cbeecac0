"""What breaks, and how it is mended."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.nodes.machines import NODES, Machines
from tests.nodes.servers import Nine, Trio

# Seconds, of what is over by itself; and by how much a slow link is late.
LASTS = 6.0
BEYOND_GRACE = 20.0
LATE = 0.3


async def primary_killed(machines: Machines) -> None:
    process = machines.processes.process(machines.servers.primary(), "valkey")
    process.send_signal(signal.SIGKILL)


async def primary_cut_off(machines: Machines) -> None:
    machines.network.cut(machines.servers.primary())


async def primary_slow(machines: Machines) -> None:
    await _slow(machines, machines.servers.primary())


async def node_cut_off(machines: Machines) -> None:
    machines.network.cut("two")


async def node_without_servers(machines: Machines) -> None:
    """People reach it, and it reaches the application and the provider."""
    for address in machines.servers.addresses.values():
        machines.network.lose("two", address)


def servers_found(machines: Machines) -> None:
    for address in machines.servers.addresses.values():
        machines.network.find("two", address)


async def node_slow(machines: Machines) -> None:
    await _slow(machines, "two")


async def _slow(machines: Machines, machine: str) -> None:
    machines.network.slow(machine, LATE, machines.folder / machine / "slow.log")


async def node_killed(machines: Machines) -> None:
    process = machines.processes.process("two", "gateway")
    process.send_signal(signal.SIGKILL)


async def rolling_restart(machines: Machines) -> None:
    """One gateway after the other is replaced by a new one."""
    for node in NODES:
        old = machines.processes.process(node, "gateway")
        machines.start_node(node, "--replace")
        async with asyncio.timeout(120):
            while old.poll() is None:
                await asyncio.sleep(0.1)


async def store_full(machines: Machines) -> None:
    """As full as it can be: whatever would need room is refused."""
    machines.servers.allow_memory("1mb")


async def clock_forward(machines: Machines) -> None:
    machines.clock("two").move(90)


async def clock_back(machines: Machines) -> None:
    machines.clock("two").move(-90)


def enough_memory(machines: Machines) -> None:
    machines.servers.allow_memory("2gb")


def links_mended(machines: Machines) -> None:
    for machine in (*NODES, *machines.servers.addresses):
        machines.network.mend(machine)


@dataclass(frozen=True, slots=True)
class Fault:
    """`lasts`: seconds after which it is over; 0: it is there until everything is mended. `of`: with which servers."""

    words: str
    happens: Callable[[Machines], Awaitable[None]]
    lasts: float = 0.0
    is_over: Callable[[Machines], None] = links_mended
    of: tuple[str, ...] = (Trio.name,)


_BOTH = (Trio.name, Nine.name)
_FOR = f"for {LASTS:.0f} s"
FAULTS = {
    "rolling-restart": Fault("gateways restarted one after the other", rolling_restart),
    "node-cut-off": Fault("a gateway's machine cut off", node_cut_off),
    "node-without-servers": Fault(
        f"a gateway cut off from the servers alone for {BEYOND_GRACE:.0f} s",
        node_without_servers,
        lasts=BEYOND_GRACE,
        is_over=servers_found,
        of=_BOTH,
    ),
    "node-killed": Fault("a gateway killed (SIGKILL)", node_killed, of=_BOTH),
    "node-slow": Fault(f"a gateway's link 300 ms slower {_FOR}", node_slow, lasts=LASTS),
    "clock-forward": Fault("a gateway's clock set forward by 90 s", clock_forward),
    "clock-back": Fault("a gateway's clock set back by 90 s", clock_back),
    "store-full": Fault(f"the servers' memory full {_FOR}", store_full, lasts=LASTS, is_over=enough_memory, of=_BOTH),
    "primary-slow": Fault(f"a primary's link 300 ms slower {_FOR}", primary_slow, lasts=LASTS, of=_BOTH),
    "primary-killed": Fault("a primary killed (SIGKILL)", primary_killed, of=_BOTH),
    "primary-cut-off": Fault("a primary's machine cut off", primary_cut_off, of=_BOTH),
}


async def mended(machines: Machines) -> None:
    """Everything is there again, as it was in the beginning."""
    links_mended(machines)
    for machine in machines.servers.addresses:
        if machines.processes.process(machine, "valkey").poll() is not None:
            machines.servers.start_one(machine)
    for node in NODES:
        machines.clock(node).move(0)
        if machines.processes.process(node, "gateway").poll() is not None:
            machines.start_node(node)
        await machines.up(node)
    await machines.servers.whole()
