"""Machines on one network: namespaces on a bridge, which has a namespace of its own. Needs root and iproute2."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.interop.servers import found

BRIDGE = "net"


class Network:
    """The names of namespaces begin with this process, so that several may run."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> "Network":
        self._add(BRIDGE)
        self._ip("-n", self.name(BRIDGE), "link", "add", "name", "bridge0", "type", "bridge")
        self._ip("-n", self.name(BRIDGE), "link", "set", "dev", "bridge0", "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        for name in reversed(self._names):
            subprocess.run([found("ip"), "netns", "del", name], check=False)

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

    def mend(self, machine: str) -> None:
        self._ip("-n", self.name(BRIDGE), "link", "set", machine, "up")

    def enter(self, machine: str) -> None:
        """This process is on that machine from now on; to be called before it has threads."""
        with open(f"/run/netns/{self.name(machine)}") as namespace:
            os.setns(namespace.fileno(), os.CLONE_NEWNET)

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
                env={**os.environ, **(environment or {})},
            )
        self._stack.callback(_ended, process)
        return process

    def _add(self, machine: str) -> None:
        self._ip("netns", "add", self.name(machine))
        self._names.append(self.name(machine))

    def _ip(self, *words: str) -> None:
        subprocess.run([found("ip"), *words], check=True)


def _ended(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
