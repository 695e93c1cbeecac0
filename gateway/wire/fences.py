"""Where upstreams may be: the fence of a team, and the addresses where no application may be.

The address is checked at every connect, because a name may lead elsewhere by then.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.model.errors import GatewayError
from gateway.wire.addresses import Address, IpNetwork, Reach, embedded_in, parse_address, parse_network, reach_of
from gateway.wire.host import canonical_host

_PORT: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[1-9][0-9]{0,4}))?")
_LAST_PORT: Final = 65535

IsOurs = Callable[[Address, int], bool]
"""Whether the gateway itself, or the server of its store, listens at the address and port."""


@dataclass(frozen=True, slots=True)
class FenceEntry:
    """A network (of one address or more) or a name, in which a leading `*.` stands for one label. `port`: None for
    every port."""

    where: IpNetwork | str
    port: int | None

    def is_at(self, address: Address, port: int) -> bool:
        return not isinstance(self.where, str) and self.port in (None, port) and address in self.where

    def is_named(self, host: str, port: int) -> bool:
        if not isinstance(self.where, str) or self.port not in (None, port):
            return False
        return self.where == host or (self.where.startswith("*.") and self.where[2:] == host.partition(".")[2])


def parse_fence_entry(text: str) -> FenceEntry:
    """`10.1.0.0/16`, `10.1.2.3`, `10.1.2.3:8080`, `[2001:db8::1]:8080`, `app.example.org:8080`, `*.example.org`.

    Raises ValueError for a different text.
    """
    if "%" in text:
        raise ValueError(text)  # a zone has a meaning on one machine only
    try:
        return FenceEntry(parse_network(text), None)
    except ValueError:
        match = _PORT.fullmatch(text)
    if match is None or int(match["port"] or 0) > _LAST_PORT:
        raise ValueError(text)
    port = int(match["port"]) if match["port"] else None
    host = match["six"] or match["host"]
    if (address := parse_address(host)) is not None:
        return FenceEntry(parse_network(str(address)), port)
    star = "*." if host.startswith("*.") else ""
    try:
        name = canonical_host(host.removeprefix("*.").encode(), underscore=True)
    except GatewayError:
        raise ValueError(text) from None
    if match["six"] or host.removeprefix("*.") != name:
        raise ValueError(text)
    return FenceEntry(star + name, port)


@dataclass(frozen=True, slots=True)
class Fence:
    """The upstreams that the applications of a team may have. `sockets`: folders of Unix sockets."""

    team: str
    places: tuple[FenceEntry, ...]
    sockets: tuple[str, ...] = ()

    @classmethod
    def of(cls, team: str, texts: Iterable[str], sockets: Iterable[str] = ()) -> "Fence":
        """Raises ValueError, which names the first text that is not an entry."""
        return cls(team, tuple(map(parse_fence_entry, texts)), tuple(sockets))

    def names(self, host: str, port: int) -> bool:
        return any(place.is_named(host, port) for place in self.places)

    def holds(self, address: Address, port: int) -> bool:
        return any(place.is_at(address, port) for place in self.places)

    def holds_socket(self, path: str) -> bool:
        return folder_of(path, self.sockets) is not None

    def may_hold(self, host: str, port: int) -> bool:
        """Whether an unresolved host may be inside the fence. Only an address can be known to be outside."""
        address = literal(host)
        if self.names(host, port):
            return True
        if address is not None:
            return self.holds(address, port)
        return any(not isinstance(place.where, str) for place in self.places)


def folder_of(path: str, folders: Iterable[str]) -> str | None:
    """The first of the folders that contains the path. Compares the texts as written."""
    return next((folder for folder in folders if path.startswith(folder.rstrip("/") + "/")), None)


def literal(host: str) -> Address | None:
    """The address in `host`; None: a name. Names under `.localhost` are loopback (RFC 6761 6.3)."""
    return parse_address("127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host)


def closed_to_all(address: Address | None, port: int, is_ours: IsOurs) -> str:
    """The reason, for the operator, why no application may be at the address; empty: allowed. `address` None: has a
    zone.
    """
    if address is None or reach_of(address) is Reach.FORBIDDEN:
        return "which is link-local, multicast, unspecified or a cloud's metadata service: no application may be there"
    embedded = embedded_in(address)
    if is_ours(address, port) or (embedded is not None and is_ours(embedded, port)):
        return "where this gateway listens itself or keeps its sessions: write the application's own address"
    return ""


def refusal(host: str, found: str, port: int, fence: Fence | None, is_ours: IsOurs) -> str:
    """Why we do not connect to `found` for an application whose file says `host`; empty if we do."""
    address = parse_address(found)
    why = closed_to_all(address, port, is_ours)
    if not why and fence is not None and not fence.names(host, port):
        assert address is not None
        if not fence.holds(address, port):
            why = f"outside the fence of team {fence.team}: see teams.{fence.team}.upstreams in gateway.yaml"
    return f"{host}:{port} leads to {found}, {why}" if why else ""
