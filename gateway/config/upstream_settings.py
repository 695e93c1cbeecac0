"""Where an application listens, and how it is connected to."""

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
class UpstreamSettings:
    """As the application's file says. `host_header`: None keeps the client's Host. `ca`: PEM of its own CA; `tls`: the
    rest of what is asked of its TLS. `fence`: how far it may reach, where a team owns its file. `balancing`: among its
    addresses, None where it has one, of which nothing is kept. `accepts`: faults of its responses.
    `socket`: where it listens, instead of host and port, which say then by what it is known.
    `announces`: each connection begins with a header of PROXY protocol v2, and so carries one request. `buffering`:
    which bodies wait here."""

    scheme: str
    host: str
    port: int
    host_header: str | None = None
    ca: bytes | None = None
    tls: UpstreamTls = _USUAL_TLS
    fence: Fence | None = None
    balancing: Balancing | None = None
    accepts: frozenset[AcceptedFault] = frozenset()
    socket: UnixSocket | None = None
    announces: bool = False
    buffering: Buffering = NOT_BUFFERED

    @property
    def place(self) -> str:
        """For the operator."""
        if self.socket is not None:
            return f"unix:{self.socket.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream(UpstreamSettings):
    """`timeouts`: the gateway's, but for what the application's file says."""

    timeouts: Timeouts

    @property
    def everywhere(self) -> "tuple[Upstream, ...]":
        """Each of its addresses."""
        others = () if self.balancing is None else self.balancing.others
        return self, *(replace(self, host=host, port=port) for host, port in others)

    @property
    def connection(self) -> tuple[object, ...]:
        """What a connection depends on: one that was opened for an upstream serves another where these are equal."""
        where = self.scheme, self.host, self.port, self.socket, self.announces
        return *where, self.ca, self.tls, self.timeouts, self.fence, self.accepts
