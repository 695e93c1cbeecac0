"""What stands on the machines: deploy/nodes as it is, but for passwords, paths and the addresses of each."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import trustme

from deploy.demo.ports import free
from tests.interop.servers import found
from tests.nodes.network import Network, Processes
from tests.nodes.servers import DEPLOY, Servers
from tests.walks.moved_clock import Clock
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.world import ask

FRONT, FRONT_ADDRESS = "front", "10.0.0.5"
NODES = {"one": "10.0.0.11", "two": "10.0.0.12", "three": "10.0.0.13"}
RELAY = (sys.executable, "-m", "tests.nodes.relay")
UP_WITHIN = 120.0


class Machines:
    def __init__(self, network: Network, folder: Path, servers: type[Servers]) -> None:
        self.network = network
        self.folder = folder
        self.ca = trustme.CA()
        (self.port,) = free(1)
        self.processes = Processes(network, folder)
        self.places: dict[str, Place] = {}
        self.clocks: dict[str, Clock] = {}
        self.servers = servers(network, self.processes, folder, self.ca)

    # --- the gateways

    def write_nodes(self) -> None:
        server = (
            f"{{{self.servers.setting()}, replicas: 1, username: ecluse, password: {{file: ../certs/valkey.password}}, "
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
            for name, password in self.servers.password_files.items():
                (place.folder / f"certs/{name}.password").write_text(password)
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
                self.processes.start(node, f"relay{port}", [*RELAY, f"127.0.0.1:{port}", leads])
        return [(f"{FRONT_ADDRESS}:{port}", f"127.0.0.1:{port}") for port in ports]

    @property
    def place(self) -> Place:
        return next(iter(self.places.values()))

    def start_node(self, node: str, *options: str) -> None:
        command = [sys.executable, "-m", "gateway", "serve", *options, "policies"]
        self.processes.start(node, "gateway", command, self.clock(node).environment)

    def clock(self, node: str) -> Clock:
        """The wall clock of this machine's gateway."""
        path = self.folder / node / "clock"
        return self.clocks.setdefault(node, Clock(path))

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
        self.processes.start(FRONT, "haproxy", [found("haproxy"), "-db", "-f", "haproxy.cfg"])
