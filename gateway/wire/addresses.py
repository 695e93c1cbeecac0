"""IP addresses and networks in one form: an IPv4 address mapped into IPv6 is that IPv4 address."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address | None:
    """None if the text is no address, or has a zone (`fe80::1%eth0`), which means nothing on another machine."""
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
    """Raises ValueError, which names the first text that is no network."""
    return tuple(map(parse_network, texts))


def contains(networks: tuple[IpNetwork, ...], address: Address) -> bool:
    """Whether the address is in one of the networks."""
    return any(address in network for network in networks)


def client_key(peer: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that one subscriber has in IPv6 (RFC 6177).

    `peer`: as the system writes it, so that the usual form needs no parsing.
    """
    if ":" not in peer:
        return peer
    address = parse_address(peer.partition("%")[0])
    return f"{int(address) >> 64:016x}" if isinstance(address, IPv6Address) else str(address or peer)
