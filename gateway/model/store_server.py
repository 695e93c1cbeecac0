"""The server that sessions are kept on, where they are kept on one."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The Sentinels say which server is the primary of the group `name`. `username`, `password`: at them."""

    name: str
    username: str = ""
    password: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class StoreServer:
    """The Valkey or Redis that keeps sessions. `addresses`: of the server, of `sentinels`, who lead to it, or of some
    nodes of a `cluster`. `prefix`: of every key. `tls`: with `ca` (PEM) alone, or the system's authorities.
    `connections`: of each worker, to each node; `timeout`: seconds for each answer. `replicas`: how many have a write
    that must not be lost before it counts as done. `strict`: a server that lacks what sessions need is refused, not
    warned of."""

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
