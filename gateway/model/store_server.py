"""The server that sessions are kept on, where they are kept on one."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoreServer:
    """The Valkey or Redis that keeps sessions. `prefix`: of every key. `tls`: with `ca` (PEM) alone, or the system's
    authorities. `connections`: of each worker; `timeout`: seconds for each answer. `strict`: a server that lacks what
    sessions need is refused, not warned of."""

    host: str
    port: int
    prefix: str = "ecluse:"
    username: str = ""
    password: bytes = field(default=b"", repr=False)
    tls: bool = False
    ca: bytes | None = None
    connections: int = 16
    timeout: float = 1.0
    strict: bool = False
