"""What stands on the machines: deploy/nodes as it is, but for passwords, paths and the addresses of each."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import trustme

from deploy.demo.ports import free
from tests.interop.servers import found
from tests.nodes.network import Network
from tests.walks.moved_clock import Clock
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.world import ask

DEPLOY = Path(__file__).parents[2] / "deploy/nodes"
FRONT, FRONT_ADDRESS = "front", "10.0.0.5"
SERVERS = {"server1": "10.0.0.6", "server2": "10.0.0.7", "server3": "10.0.0.8"}
NODES = {"one": "10.0.0.11", "two": "10.0.0.12", "three": "10.0.0.13"}
RELAY = (sys.executable, "-m", "tests.nodes.relay")
UP_WITHIN = 120.0
_PASSWORDS = ("the-password-in-valkey.password", "the-password-of-replicas", "the-password-of-sentinels")
# Of the user that the tests add, to set what a server may hold.
_OURS = "the-password-of-the-tests"
_SENTINEL_PASSWORD = "the-password-in-sentinel.password"


class Machines:
    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.ca = trustme.CA()
        (self.port,) = free(1)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.places: dict[str, Place] = {}
        self.clocks: dict[str, Clock] = {}

    # --- the servers of sessions

    def start_servers(self) -> None:
        for machine, address in SERVERS.items():
            self._write_server(machine, address)
            self.start_server(machine)
        for machine in SERVERS:
            self._start(machine, "sentinel", [found("valkey-server"), "sentinel.conf", "--sentinel"])

    def start_server(self, machine: str) -> None:
        self._start(machine, "valkey", [found("valkey-server"), "valkey.conf"])

    def _write_server(self, machine: str, address: str) -> None:
        of_it = self.folder / machine
        of_it.mkdir()
        cert = self.ca.issue_cert(address)
        cert.cert_chain_pems[0].write_to_path(of_it / "own.pem")
        cert.private_key_pem.write_to_path(of_it / "own.key")
        self.ca.cert_pem.write_to_path(of_it / "ca.pem")
        for name in ("valkey.conf", "sentinel.conf", "users.acl"):
            text = (DEPLOY / name).read_text()
            for path in ("/etc/valkey", "/var/lib/valkey-sentinel", "/var/lib/valkey"):
                text = text.replace(path, str(of_it))
            text = text.replace("bind 10.0.0.6", f"bind {address}")
            if name == "valkey.conf" and machine != "server1":
                text = text.replace("# replicaof", "replicaof")
            if name == "users.acl":
                text += f"user tests on >{_OURS} +config\n"
            (of_it / name).write_text(text)

    # --- the gateways

    def write_nodes(self) -> None:
        nodes = ", ".join(f"'{address}:26379'" for address in SERVERS.values())
        sentinel = f"{{name: ecluse, addresses: [{nodes}], password: {{file: ../certs/sentinel.password}}}}"
        server = (
            f"{{sentinel: {sentinel}, replicas: 1, username: ecluse, password: {{file: ../certs/valkey.password}}, "
            "tls: {ca: {file: ../certs/ca.pem}}}"
        )
        store = f"{{type: redis, server: {server}, keys: [{{id: k1, secret: {{file: ../certs/store.key}}}}]}}"
        for node, address in NODES.items():
            place = Place(
                self.folder / node,
                settings={
                    "portal": f"http://{PORTAL_HOST}:{self.port}",
                    "listen": f"[{{address: '{address}:8080'}}]",
                    "trusted_proxies": f"[{FRONT_ADDRESS}/32]",
                    "store": store,
                },
            )
            (place.folder / "certs/valkey.password").write_text(_PASSWORDS[0])
            (place.folder / "certs/sentinel.password").write_text(_SENTINEL_PASSWORD)
            self.ca.cert_pem.write_to_path(place.folder / "certs/ca.pem")
            self.places[node] = place
        first = next(iter(self.places.values()))
        for place in self.places.values():
            place.port = self.port
            place.upstream_port, place.provider_port = first.upstream_port, first.provider_port
            place.write_provider("alpha", f"http://127.0.0.1:{first.provider_port}/alpha")
            for name, host in (("one", ONE), ("two", TWO)):
                place.write_app(name, host)

    def start_relays(self) -> Sequence[tuple[str, str]]:
        """From each node to the application and the provider, which are where people are. What is to be relayed there,
        each with where it leads."""
        ports = (self.place.upstream_port, self.place.provider_port)
        for node in NODES:
            for port in ports:
                leads = f"{FRONT_ADDRESS}:{port}"
                self._start(node, f"relay{port}", [*RELAY, f"127.0.0.1:{port}", leads])
        return [(f"{FRONT_ADDRESS}:{port}", f"127.0.0.1:{port}") for port in ports]

    @property
    def place(self) -> Place:
        return next(iter(self.places.values()))

    def start_node(self, node: str, *options: str) -> None:
        command = [sys.executable, "-m", "gateway", "serve", *options, "policies"]
        self._start(node, "gateway", command, self.clock(node).environment)

    def clock(self, node: str) -> Clock:
        """The wall clock of this machine's gateway."""
        path = self.folder / node / "clock"
        return self.clocks.setdefault(node, Clock(path))

    def allow_memory(self, amount: str) -> None:
        for machine in SERVERS:
            told = self._ask(machine, "6379", "--user", "tests", "-a", _OURS, "CONFIG", "SET", "maxmemory", amount)
            assert "OK" in told, told

    async def up(self, node: str) -> None:
        async with asyncio.timeout(UP_WITHIN):
            while True:
                try:
                    if (await ask(f"http://{NODES[node]}:8080", "/public/a")).status == 200:
                        return
                except OSError:
                    pass
                await asyncio.sleep(0.1)

    # --- HAProxy, where people are

    def start_front(self) -> None:
        """Without TLS towards people: the applications of the tests are at http addresses."""
        text = (DEPLOY / "haproxy.cfg").read_text()
        text = text.replace("bind :443 ssl crt /etc/haproxy/portail.pem", f"bind 127.0.0.1:{self.port}")
        text = text.replace("    http-request set-header X-Forwarded-Proto https\n", "")
        (self.folder / FRONT).mkdir(exist_ok=True)
        (self.folder / FRONT / "haproxy.cfg").write_text(text)
        self._start(FRONT, "haproxy", [found("haproxy"), "-db", "-f", "haproxy.cfg"])

    # --- steps

    def _start(self, machine: str, what: str, command: Sequence[str], clock: Mapping[str, str] | None = None) -> None:
        folder = self.folder / machine
        paths = [str(DEPLOY.parents[1]), *([clock["PYTHONPATH"]] if clock else [])]
        environment = {**(clock or {}), "PYTHONPATH": os.pathsep.join(paths)}
        self.processes[f"{machine}/{what}"] = self.network.start(machine, command, folder / f"{what}.log", environment)

    def process(self, machine: str, what: str) -> "subprocess.Popen[bytes]":
        return self.processes[f"{machine}/{what}"]

    def primary(self) -> str:
        """The machine of the server that most Sentinels name; empty where none of them answers."""
        named = []
        for machine in SERVERS:
            told = self._ask(
                machine, "26379", "-a", _SENTINEL_PASSWORD, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "ecluse"
            )
            named += [one for one, its in SERVERS.items() if its in told.split()]
        return max(set(named), key=named.count) if named else ""

    def _ask(self, machine: str, port: str, *words: str) -> str:
        ca = str(self.folder / machine / "ca.pem")
        where = ["-h", SERVERS[machine], "-p", port, "--tls", "--cacert", ca, "--no-auth-warning"]
        command = [found("valkey-cli"), *where, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout

    def wait_for_the_first_primary(self) -> None:
        until = time.monotonic() + UP_WITHIN
        while self.primary() != next(iter(SERVERS)):
            assert time.monotonic() < until, f"no primary: {self.folder}"
            time.sleep(0.1)
