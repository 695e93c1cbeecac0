"""The addresses of an application, and how the gateway connects to the application."""

from dataclasses import dataclass, replace
from typing import Final

from gateway.config.exchange_limits import NOT_BUFFERED, Buffering, Timeouts
from gateway.model.balancing import Balancing
from gateway.model.unix_socket import UnixSocket
from gateway.model.upstream_tls import UpstreamTls
from gateway.wire.fences import Fence
from gateway.wire.lenient_heads import AcceptedFault

# Most applications share it.
_USUAL_TLS: Final = UpstreamTls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The address of an application, and how connections to it are opened."""

    scheme: str
    host: str
    port: int
    timeouts: Timeouts
    """The gateway's limits, with the changes of the application's file."""
    host_header: str | None = None
    """The Host that the application receives; None: the client's Host."""
    ca: bytes | None = None
    """PEM of the application's own certificate authority."""
    tls: UpstreamTls = _USUAL_TLS
    """Further conditions on the application's TLS."""
    fence: Fence | None = None
    """The addresses that a team's file may reach; None for a file that no team owns."""
    balancing: Balancing | None = None
    """How requests are divided among several addresses; None for a single address without a circuit or limits."""
    accepts: frozenset[AcceptedFault] = frozenset()
    """Faults in responses that are tolerated."""
    socket: UnixSocket | None = None
    """The application's Unix socket. With a socket, host and port are only a name."""
    announces: bool = False
    """A connection begins with a header of PROXY protocol v2, and carries one request only."""
    buffering: Buffering = NOT_BUFFERED
    """How much of a body waits in the gateway for a slow client."""

    @property
    def place(self) -> str:
        """The address, as messages to the operator write it."""
        if self.socket is not None:
            return f"unix:{self.socket.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def everywhere(self) -> "tuple[Upstream, ...]":
        """The upstream, once for each address."""
        others = () if self.balancing is None else self.balancing.others
        return self, *(replace(self, host=host, port=port) for host, port in others)

    @property
    def connection(self) -> tuple[object, ...]:
        """The settings that a connection depends on. Upstreams with equal settings share open connections."""
        where = self.scheme, self.host, self.port, self.socket, self.announces
        return *where, self.ca, self.tls, self.timeouts, self.fence, self.accepts
