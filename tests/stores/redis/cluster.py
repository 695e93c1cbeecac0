"""Six nodes of Valkey in a cluster, each on a port of 127.0.0.1: three primaries, and a replica of each."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.ports import free
from gateway.model.store_server import StoreServer
from gateway.stores.redis.cluster_store import RedisClusterStore
from tests.interop.servers import found, running
from tests.stores.redis.servers import server_command, settings_of
from tests.stores.redis.trio import REPLICA, ask, wait
from tests.stores.samples import NOW

NODES = 6
# In milliseconds. A node that the machine lets wait for less is not believed to be lost.
_LOST_AFTER = 3000


@dataclass(frozen=True, slots=True)
class Cluster:
    """`ports`: of the nodes. `processes`: by port."""

    ports: Sequence[int]
    processes: dict[int, "subprocess.Popen[bytes]"]

    def settings(self, **changed: object) -> StoreServer:
        addresses = tuple(("127.0.0.1", port) for port in self.ports[:2])
        return settings_of(0, **{"addresses": addresses, "cluster": True, "connections": 4, **changed})


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    ports = free(NODES)
    processes: dict[int, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            of_one = folder / f"node{number}"
            of_one.mkdir()
            (bus,) = free(1)
            told = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(_LOST_AFTER), "--cluster-port", str(bus))
            command = server_command("valkey", of_one, port, *REPLICA, *told)
            processes[port] = stack.enter_context(running(command, of_one / "valkey.log", port))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        made = [found("valkey-cli"), "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"]
        subprocess.run(made, check=True, timeout=60, capture_output=True)
        wait(lambda: all("cluster_state:ok" in ask(port, "CLUSTER", "INFO") for port in ports))
        wait(lambda: sum("master_link_status:up" in ask(port, "INFO", "replication") for port in ports) == NODES // 2)
        yield Cluster(ports, processes)


class TestedClusterStore(RedisClusterStore):
    """As TestedStore."""

    __test__ = False

    async def purge(self, now: int, *, bury: bool = False) -> None:
        await super().purge(now, bury=bury)
        for key in await self.names():
            left = await self._cluster.ask(["PTTL", key], again=True)
            if 0 <= left <= (now - NOW) * 1000:
                await self._cluster.ask(["DEL", key], again=True)

    async def names(self) -> Sequence[bytes]:
        pattern = self._server.prefix + "*"
        return [
            key for node in await self._cluster.primaries() for key in await self._cluster.at(node, ["KEYS", pattern])
        ]
