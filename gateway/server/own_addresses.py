"""The addresses where the gateway listens or keeps sessions. The gateway never connects to them on behalf of an
application, by no name."""

import socket
import struct
from collections.abc import Collection, Iterable
from typing import Final

from gateway.model.store_server import StoreServer
from gateway.wire.addresses import Address, parse_address
from gateway.wire.fences import literal

# linux/rtnetlink.h
_RTM_GETROUTE: Final = 26
_RTA_DST: Final = 1
_RTN_LOCAL: Final = 2
_NLM_F_REQUEST: Final = 1
_HEADER: Final = struct.Struct("=IHHII")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")


class OwnAddresses:
    """The gateway's own addresses.

    `listening`: the bound sockets, so that "any free port" is the port that was found.
    `admin`: the admin address in gateway.yaml; the supervisor holds the socket.
    `store`: the store's server, or the Sentinels or nodes that lead to the store. A host name does not match its
    addresses.
    `store_servers`: IP addresses and ports of past and present connections to the store. The set only grows.
    """

    def __init__(
        self,
        listening: Iterable[socket.socket],
        admin: str,
        store: StoreServer | None = None,
        store_servers: Collection[tuple[str, int]] = (),
    ) -> None:
        bound = [each.getsockname()[:2] for each in listening]
        if not admin.startswith("unix:"):
            host, _, port = admin.rpartition(":")
            bound.append((host.strip("[]"), int(port)))
        self._bound = [(parse_address(host), int(port)) for host, port in bound]
        for name, its_port in () if store is None else store.addresses:
            if (address := literal(name)) is not None:
                self._bound.append((address, its_port))
        self._store_servers = store_servers

    def __call__(self, address: Address, port: int) -> bool:
        if any(port == its_port and parse_address(its) == address for its, its_port in self._store_servers):
            return True
        return any(port == its_port and _covers(its, address) for its, its_port in self._bound)


def _covers(listener: Address | None, address: Address) -> bool:
    if listener is None or not listener.is_unspecified:
        return address == listener
    # By the system's default, `::` accepts IPv4 as well; 0.0.0.0 accepts only IPv4.
    return (listener.version == 6 or address.version == 4) and is_of_this_machine(address)


def is_of_this_machine(address: Address) -> bool:
    """Whether the kernel routes the address to this machine: the address of an interface, a further address of an
    interface, or an address of a local range."""
    if address.is_loopback:
        return True
    try:
        return _route_type(address) == _RTN_LOCAL
    except OSError:
        # The service manager may forbid netlink sockets. An address that can be bound counts as the machine's own.
        return _can_be_bound(address)


def _route_type(address: Address) -> int:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    destination = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(address.packed), _RTA_DST) + address.packed
    route = _ROUTE.pack(family, address.max_prefixlen, 0, 0, 0, 0, 0, 0, 0) + destination
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(1.0)
        kernel.sendto(_HEADER.pack(_HEADER.size + len(route), _RTM_GETROUTE, _NLM_F_REQUEST, 1, 0) + route, (0, 0))
        answer = kernel.recv(4096)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    # Other kinds are errors: no route leads to the address.
    return _ROUTE.unpack_from(answer, _HEADER.size)[7] if kind == _RTM_GETROUTE - 2 else 0


def _can_be_bound(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
