"""Where a call to a provider may go: decided on the address that is about to be connected to, never on a name."""

import socket
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult

# RFC 6052: the last four bytes are an IPv4 address
_NAT64 = IPv6Network("64:ff9b::/96")


class Reach(Enum):
    PUBLIC = "public"
    PRIVATE = "private"
    FORBIDDEN = "link-local, multicast or unspecified"


def reach(address: str) -> Reach:
    """ValueError if `address` is not an IP address; a zone (`%eth0`) is allowed."""
    ip = ip_address(address)
    embedded = _embedded(ip)
    if embedded is not None and (found := reach(str(embedded))) is not Reach.PUBLIC:
        return found
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return Reach.FORBIDDEN
    return Reach.PUBLIC if ip.is_global or embedded is not None else Reach.PRIVATE


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for or leads to."""
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour


class AddressRefused(OSError):
    """Raised where a socket would be opened; one text for all, so that several of them stay one error."""

    def __init__(self, address: str) -> None:
        super().__init__("an address that this provider may not have")
        self.address = address


def is_local_name(host: str) -> bool:
    # RFC 6761 6.3
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


class Resolver(ThreadedResolver):
    """The system's resolver, in its threads, but for `.localhost`, which Debian's does not know."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if not is_local_name(host):
            return await super().resolve(host, port, family)
        loopback = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in loopback
            if family in (socket.AF_UNSPEC, kind)
        ]
