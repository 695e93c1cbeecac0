"""Where an IP address leads: into the public network, into a private one, or nowhere that we may connect to."""

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gateway.wire.addresses import Address

# RFC 6052 2.1: the last four bytes are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")
# Likewise: RFC 8215, a network's own translator; RFC 4291 2.5.5.1, deprecated
_ALSO_EMBEDDED = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
# RFC 4291 2.4: addresses that are routed between networks. The others are reserved, or of a smaller scope.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Among these, addresses that belong to no host: deprecated, for documentation, or not routed. We keep our own table,
# because Python's differs between its versions.
_NOT_ROUTED = (
    IPv6Network("2001::/23"),  # RFC 2928: Teredo (RFC 4380), benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # RFC 3849
    IPv6Network("2002::/16"),  # RFC 7526: 6to4, whose relays are gone
    IPv6Network("3ffe::/16"),  # RFC 3701: the 6bone
    IPv6Network("3fff::/20"),  # RFC 9637
)
# Routed parts of 2001::/23: RFC 7723, 8155, 7450, 7535. The range of RFC 9374 (DETs) is not routed.
_ROUTED = tuple(map(IPv6Network, ("2001:1::1/128", "2001:1::2/128", "2001:3::/32", "2001:4:112::/48")))
# RFC 7526: the anycast address of 6to4 relays
_RELAYS = IPv4Network("192.88.99.0/24")
# RFC 1122 3.2.1.3: this host on this network
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


class Reach(Enum):
    PUBLIC = "public"
    PRIVATE = "private"
    FORBIDDEN = "link-local, multicast or unspecified"


def reach(address: str) -> Reach:
    """Raises ValueError if `address` is no IP address. A zone (`%eth0`) is allowed."""
    return reach_of(ip_address(address))


def reach_of(ip: Address) -> Reach:
    embedded = embedded_in(ip)
    if embedded is not None and (found := reach_of(embedded)) is not Reach.PUBLIC:
        return found
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _THIS_NETWORK:
        return Reach.FORBIDDEN
    return Reach.PUBLIC if _is_routed(ip) else Reach.PRIVATE


def embedded_in(ip: Address) -> IPv4Address | None:
    """The IPv4 address in an IPv6 address that stands for it or leads to it, None if there is none."""
    if isinstance(ip, IPv4Address):
        return None
    if int(ip) <= 1:
        return None  # `::` and `::1`, which are at the beginning of one of these networks
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
