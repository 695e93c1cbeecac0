"""Opens the store of gateway.yaml for a worker."""

from collections.abc import Callable, Collection
from pathlib import Path

from gateway.config.snapshot import Gateway
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.stores.memory import MemoryStore
from gateway.stores.records import RecordStore
from gateway.stores.sqlite.store import SqliteStore
from gateway.stores.tickets.tickets import unix_now


def store_of(
    gateway: Gateway, log: Log, counters: Counters
) -> tuple[RecordStore, Callable[[], int], Collection[tuple[str, int]]]:
    """The store, the clock of its lifetimes, and the addresses of its servers."""
    if gateway.store == "memory":
        return MemoryStore(), unix_now, ()
    if gateway.store_server is not None:
        # An extra of its own: who keeps sessions in a file need not have it.
        from gateway.stores.redis.cluster_store import RedisClusterStore
        from gateway.stores.redis.store import RedisStore

        made = RedisClusterStore if gateway.store_server.cluster else RedisStore
        shared = made(gateway.store_server, log=log, counters=counters)
        return shared, shared.clock.now, shared.servers
    return SqliteStore(Path(gateway.state_folder) / "sessions.sqlite", log=log, counters=counters), unix_now, ()
