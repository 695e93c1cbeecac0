"""IP addresses and networks in one form, and where an address leads.

An IPv4 address mapped into IPv6 counts as the IPv4 address.
"""

from collections.abc import Iterable
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address | None:
    """None for a text that is not an address, and for a zone (`fe80::1%eth0`), which has a meaning on one machine
    only."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id is not None else address.ipv4_mapped or address
    return address


def parse_network(text: str) -> IpNetwork:
    """Raises ValueError if the text is no network, or has bits set behind its prefix."""
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((int(mapped or 0), network.prefixlen - 96))
    return network


def parse_networks(texts: Iterable[str]) -> tuple[IpNetwork, ...]:
    """Raises ValueError, which names the first text that is not a network."""
    return tuple(map(parse_network, texts))


def contains(networks: tuple[IpNetwork, ...], address: Address) -> bool:
    """Whether a network contains the address."""
    return any(address in network for network in networks)


def client_key(peer: str) -> str:
    """The unit of counting clients: an IPv4 address, or the /64 of one IPv6 subscriber (RFC 6177).

    `peer`: as the system writes the address, so the usual form needs no parsing.
    """
    if ":" not in peer:
        return peer
    address = parse_address(peer.partition("%")[0])
    return f"{int(address) >> 64:016x}" if isinstance(address, IPv6Address) else str(address or peer)


# --- public, private and forbidden addresses

# RFC 6052 2.1: the last four bytes are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")
# Likewise: RFC 8215, a network's own translator; RFC 4291 2.5.5.1, deprecated
_ALSO_EMBEDDED = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
# RFC 4291 2.4: addresses that are routed between networks. Further addresses are reserved, or have a smaller scope.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Exceptions that belong to no host: deprecated, for documentation, or not routed. We keep our own table, because
# Python's table differs between versions.
_NOT_ROUTED = (
    IPv6Network("2001::/23"),  # RFC 2928: Teredo (RFC 4380), benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # RFC 3849
    IPv6Network("2002::/16"),  # RFC 7526: 6to4, without relays today
    IPv6Network("3ffe::/16"),  # RFC 3701: the 6bone
    IPv6Network("3fff::/20"),  # RFC 9637
)
# Routed parts of 2001::/23: RFC 7723, 8155, 7450, 7535. The range of RFC 9374 (DETs) is not routed.
_ROUTED = tuple(map(IPv6Network, ("2001:1::1/128", "2001:1::2/128", "2001:3::/32", "2001:4:112::/48")))
# RFC 7526: the anycast address of 6to4 relays
_RELAYS = IPv4Network("192.88.99.0/24")
# RFC 1122 3.2.1.3: "this host on this network"
_THIS_NETWORK = IPv4Network("0.0.0.0/8")

# Addresses at which clouds tell a machine its secrets, beside 169.254.169.254: AWS, Google, Scaleway; Azure, Alibaba,
# Oracle. The IPv4 addresses are in public or shared ranges.
_OF_CLOUDS: Final = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42",
                     "168.63.129.16", "100.100.100.200", "192.0.0.192"))
)  # fmt: skip


class Reach(Enum):
    PUBLIC = "public"
    PRIVATE = "private"
    FORBIDDEN = "link-local, multicast, unspecified or a cloud's metadata service"


def reach(address: str) -> Reach:
    """Raises ValueError if `address` is no IP address. A zone (`%eth0`) is allowed."""
    return reach_of(ip_address(address))


def reach_of(ip: Address) -> Reach:
    embedded = embedded_in(ip)
    if embedded is not None and (found := reach_of(embedded)) is not Reach.PUBLIC:
        return found
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _THIS_NETWORK or ip in _OF_CLOUDS:
        return Reach.FORBIDDEN
    return Reach.PUBLIC if _is_routed(ip) else Reach.PRIVATE


def embedded_in(ip: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address embeds or translates to; None without an IPv4 address."""
    if isinstance(ip, IPv4Address):
        return None
    if int(ip) <= 1:
        return None  # `::` and `::1`, at the beginning of an embedding network
    if ip in _NAT64 or any(ip in network for network in _ALSO_EMBEDDED):
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour


def _is_routed(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return ip.is_global and ip not in _RELAYS
    if ip in _NAT64 or ip.ipv4_mapped is not None:
        return True  # the embedded address has been checked
    if any(ip in network for network in _ROUTED):
        return True
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _NOT_ROUTED)
