"""The servers of sessions, each on a machine of its own, by the files of deploy/nodes: three with their Sentinels, or
nine in a Cluster."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import trustme

from tests.interop.servers import found
from tests.nodes.network import Network, Processes

DEPLOY = Path(__file__).parents[2] / "deploy/nodes"
PASSWORD = "the-password-in-valkey.password"
SENTINEL_PASSWORD = "the-password-in-sentinel.password"
# Of the user that the tests add, to set what a server may hold and to make a cluster.
_OURS = "the-password-of-the-tests"
_READY_WITHIN = 120.0


class Servers:
    """`addresses`: of the machines, of which so many are `replicas`. `name`: of the table in docs. `password_files`:
    what a gateway needs beside."""

    name: str
    addresses: ClassVar[Mapping[str, str]]
    replicas: int
    password_files: ClassVar[Mapping[str, str]] = {"valkey": PASSWORD}
    _files: tuple[str, ...] = ("valkey.conf", "users.acl")

    def __init__(self, network: Network, processes: Processes, folder: Path, ca: trustme.CA) -> None:
        self._network = network
        self._processes = processes
        self._folder = folder
        self._ca = ca

    def start(self) -> None:
        for machine, address in self.addresses.items():
            self._write(machine, address)
            self.start_one(machine)

    def start_one(self, machine: str) -> None:
        raise NotImplementedError

    def setting(self) -> str:
        """What gateway.yaml says of how they are found."""
        raise NotImplementedError

    def primary(self) -> str:
        """The machine of a primary; empty where there is none that is known."""
        raise NotImplementedError

    async def whole(self) -> None:
        """Until every replica has its primary again."""
        async with asyncio.timeout(_READY_WITHIN):
            while not await asyncio.to_thread(self._is_whole):
                await asyncio.sleep(0.2)

    def _is_whole(self) -> bool:
        roles = [self._role(machine) for machine in self.addresses]
        return sum("master_link_status:up" in role for role in roles) == self.replicas

    def _role(self, machine: str) -> str:
        return self._asked(machine, "INFO", "replication")

    def _lines(self, machine: str, name: str, text: str) -> str:
        """A file of deploy/nodes as this machine has it."""
        return text

    def allow_memory(self, amount: str) -> None:
        for machine in self.addresses:
            told = self._ask(machine, "6379", "--user", "tests", "-a", _OURS, "CONFIG", "SET", "maxmemory", amount)
            assert "OK" in told, told

    def _write(self, machine: str, address: str) -> None:
        of_it = self._folder / machine
        of_it.mkdir()
        cert = self._ca.issue_cert(address)
        cert.cert_chain_pems[0].write_to_path(of_it / "own.pem")
        cert.private_key_pem.write_to_path(of_it / "own.key")
        self._ca.cert_pem.write_to_path(of_it / "ca.pem")
        for name in self._files:
            text = (DEPLOY / name).read_text()
            for path in ("/etc/valkey", "/var/lib/valkey"):
                text = text.replace(path, str(of_it))
            text = text.replace("bind 10.0.0.6", f"bind {address}")
            if name == "users.acl":
                text += f"user tests on >{_OURS} ~* &* +@all\n"
            (of_it / name).write_text(self._lines(machine, name, text))

    def _ask(self, machine: str, port: str, *words: str, within: float = 5) -> str:
        ca = str(self._folder / machine / "ca.pem")
        where = ["-h", self.addresses[machine], "-p", port, "--tls", "--cacert", ca, "--no-auth-warning"]
        command = [found("valkey-cli"), *where, *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False).stdout
        except subprocess.TimeoutExpired:
            return ""

    def _asked(self, machine: str, *words: str, within: float = 5) -> str:
        return self._ask(machine, "6379", "--user", "tests", "-a", _OURS, *words, within=within)

    def _wait(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + _READY_WITHIN
        while not holds():
            assert time.monotonic() < until, f"the servers are not ready: {self._folder}"
            time.sleep(0.1)


class Trio(Servers):
    """A primary, two replicas, and a Sentinel beside each."""

    name = "sentinels"
    replicas = 2
    addresses: ClassVar[Mapping[str, str]] = {"server1": "10.0.0.6", "server2": "10.0.0.7", "server3": "10.0.0.8"}
    password_files: ClassVar[Mapping[str, str]] = {"valkey": PASSWORD, "sentinel": SENTINEL_PASSWORD}
    _files = ("valkey.conf", "users.acl", "sentinel.conf")

    def start(self) -> None:
        super().start()
        for machine in self.addresses:
            self._processes.start(machine, "sentinel", [found("valkey-server"), "sentinel.conf", "--sentinel"])
        self._wait(lambda: self.primary() == next(iter(self.addresses)) and self._is_whole())

    def start_one(self, machine: str) -> None:
        self._processes.start(machine, "valkey", [found("valkey-server"), "valkey.conf"])

    def setting(self) -> str:
        nodes = ", ".join(f"'{address}:26379'" for address in self.addresses.values())
        return f"sentinel: {{name: ecluse, addresses: [{nodes}], password: {{file: ../certs/sentinel.password}}}}"

    def primary(self) -> str:
        """That which most Sentinels name."""
        named = []
        for machine in self.addresses:
            told = self._ask(machine, "26379", "-a", SENTINEL_PASSWORD, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "ecluse")
            named += [one for one, its in self.addresses.items() if its in told.split()]
        return max(set(named), key=named.count) if named else ""

    def _lines(self, machine: str, name: str, text: str) -> str:
        first = machine == next(iter(self.addresses))
        return text if first or name != "valkey.conf" else text.replace("# replicaof", "replicaof")


class Nine(Servers):
    """A Cluster: three primaries, and two replicas of each."""

    name = "cluster"
    replicas = 6
    addresses: ClassVar[Mapping[str, str]] = {f"server{number}": f"10.0.0.{30 + number}" for number in range(1, 10)}
    _files = ("valkey.conf", "users.acl", "cluster.conf")

    def start(self) -> None:
        super().start()
        first, *_ = self.addresses
        self._wait(lambda: all("PONG" in self._asked(machine, "PING") for machine in self.addresses))
        nodes = [f"{address}:6379" for address in self.addresses.values()]
        create = ("--cluster", "create", *nodes, "--cluster-replicas", "2", "--cluster-yes")
        # They meet, and each has to hear of all the others.
        made = self._asked(first, *create, within=_READY_WITHIN)
        assert "16384 slots covered" in made, made or f"not within {_READY_WITHIN:.0f} s"
        self._wait(lambda: all("cluster_state:ok" in self._asked(each, "CLUSTER", "INFO") for each in self.addresses))
        self._wait(self._is_whole)

    def start_one(self, machine: str) -> None:
        self._processes.start(machine, "valkey", [found("valkey-server"), "cluster.conf"])

    def setting(self) -> str:
        nodes = ", ".join(f"'{address}:6379'" for address in list(self.addresses.values())[:3])
        return f"cluster: [{nodes}]"

    def primary(self) -> str:
        return next((each for each in self.addresses if "role:master" in self._role(each)), "")
