"""The server for sessions, if sessions are kept on a server."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The Sentinels, which name the primary server of the group `name`. `username`, `password`: for the Sentinels."""

    name: str
    username: str = ""
    password: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class StoreServer:
    """The Valkey or Redis server for sessions.

    `addresses`: of the server, of its `sentinels`, or of some nodes of a `cluster`.
    `prefix`: of every key.
    `tls`: with `ca` (PEM) alone, or with the system's authorities.
    `connections`: of each worker to each node.
    `timeout`: seconds for each answer.
    `replicas`: the number of replicas that must have a critical write.
    `strict`: a server without a needed feature is refused; otherwise only a warning is logged.
    """

    addresses: tuple[tuple[str, int], ...]
    sentinels: Sentinels | None = None
    cluster: bool = False
    prefix: str = "ecluse:"
    username: str = ""
    password: bytes = field(default=b"", repr=False)
    tls: bool = False
    ca: bytes | None = None
    connections: int = 16
    timeout: float = 1.0
    replicas: int = 0
    strict: bool = False
