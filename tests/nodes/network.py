"""Machines on one network: namespaces on a bridge, which has a namespace of its own. Needs root and iproute2."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from tests.interop.servers import found
from tests.patience import PATIENCE

BRIDGE = "net"
# The repository, where the programs of the tests are.
_TREE = Path(__file__).parents[2]
_SLOW_LINK = (sys.executable, "-m", "tests.nodes.slow_link")


class Network:
    """The names of namespaces begin with this process, so that several may run."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._slow: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Network":
        self._add(BRIDGE)
        self._ip("-n", self.name(BRIDGE), "link", "add", "name", "bridge0", "type", "bridge")
        self._ip("-n", self.name(BRIDGE), "link", "set", "dev", "bridge0", "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        for name in reversed(self._names):
            subprocess.run([found("ip"), "netns", "del", name], check=False, timeout=PATIENCE)

    def name(self, machine: str) -> str:
        return f"ecluse{os.getpid()}-{machine}"

    def add(self, machine: str, address: str) -> None:
        """`address`: IPv4, of a /24 that all share."""
        self._add(machine)
        name, bridge = self.name(machine), self.name(BRIDGE)
        self._ip("-n", bridge, "link", "add", machine, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._ip("-n", bridge, "link", "set", machine, "master", "bridge0", "up")
        self._ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        self._ip("-n", name, "link", "set", "eth0", "up")
        self._ip("-n", name, "link", "set", "lo", "up")

    def cut(self, machine: str) -> None:
        """The cable is pulled: nobody is told."""
        self._ip("-n", self.name(BRIDGE), "link", "set", machine, "down")

    def lose(self, machine: str, address: str) -> None:
        """What this machine sends to that one is lost, on the connections that are open, too."""
        self._ip("-n", self.name(machine), "route", "add", "blackhole", f"{address}/32")

    def find(self, machine: str, address: str) -> None:
        self._ip("-n", self.name(machine), "route", "del", "blackhole", f"{address}/32")

    def slow(self, machine: str, seconds: float, log: Path) -> None:
        """What this machine sends is late by so much: a second bridge is between it and the others, behind a wire."""
        bridge = self.name(BRIDGE)
        near, far, own = f"{machine}-near", f"{machine}-far", f"{machine}-own"
        self._ip("-n", bridge, "link", "add", "name", own, "type", "bridge")
        for device, its in ((near, "bridge0"), (far, own)):
            self._ip("-n", bridge, "tuntap", "add", "dev", device, "mode", "tap")
            self._ip("-n", bridge, "link", "set", device, "master", its, "up")
        self._ip("-n", bridge, "link", "set", own, "up")
        self._slow[machine] = self.start(BRIDGE, [*_SLOW_LINK, near, far, str(seconds)], log)
        self._ip("-n", bridge, "link", "set", machine, "master", own)

    def mend(self, machine: str) -> None:
        bridge = self.name(BRIDGE)
        if machine in self._slow:
            self._ip("-n", bridge, "link", "set", machine, "master", "bridge0")
            _ended(self._slow.pop(machine))
            for device in ("near", "far", "own"):
                self._ip("-n", bridge, "link", "del", f"{machine}-{device}")
        self._ip("-n", bridge, "link", "set", machine, "up")

    @contextmanager
    def inside(self, machine: str) -> Iterator[None]:
        """This thread, and what it starts, is on that machine."""
        with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{self.name(machine)}") as there:
            os.setns(there.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(here.fileno(), os.CLONE_NEWNET)

    def command(self, machine: str, command: Sequence[str]) -> list[str]:
        return [found("ip"), "netns", "exec", self.name(machine), *command]

    def start(
        self, machine: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Ends with the network."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(machine, command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env={**os.environ, "PYTHONPATH": str(_TREE), **(environment or {})},
            )
        self._stack.callback(_ended, process)
        return process

    def _add(self, machine: str) -> None:
        self._ip("netns", "add", self.name(machine))
        self._names.append(self.name(machine))

    def _ip(self, *words: str) -> None:
        subprocess.run([found("ip"), *words], check=True, timeout=PATIENCE)


class Processes:
    """What runs on the machines, by machine and what it is. `folder`: of one folder for each machine, with its logs."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self._known: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, machine: str, what: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        told = dict(environment or {})
        told["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_TREE), told.get("PYTHONPATH"))))
        log = self._folder / machine / f"{what}.log"
        self._known[f"{machine}/{what}"] = self._network.start(machine, command, log, told)

    def process(self, machine: str, what: str) -> "subprocess.Popen[bytes]":
        return self._known[f"{machine}/{what}"]


def _ended(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
