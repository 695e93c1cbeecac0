"""Finds the client behind trusted proxies, and writes the client into the headers for the application.

Reads only X-Forwarded-For and X-Forwarded-Proto, and only from listed proxies. Writes every forwarding header that goes
upstream. `Forwarded` is written and not read: two sources could disagree.
"""

from dataclasses import dataclass
from typing import Final

from gateway.wire.addresses import Address, IpNetwork, contains, parse_address

# Longer chains are forged, or come from a loop of proxies.
_MOST_HOPS: Final = 32


@dataclass(frozen=True, slots=True)
class Peer:
    """The peer of a connection.

    `address`: in the form of X-Forwarded-For; None without an address.
    `listed`: the peer is a trusted proxy, whose headers count.
    """

    address: str | None
    listed: bool

    @classmethod
    def of(cls, peer: str, trusted: tuple[IpNetwork, ...]) -> "Peer":
        """`peer`: as the system writes the address. An address with a zone is never listed: zones are local to a
        machine.
        """
        address = parse_address(peer)
        known = address or parse_address(peer.partition("%")[0])
        return cls(None if known is None else str(known), address is not None and contains(trusted, address))


def client_chain(peer: Peer, forwarded_for: bytes | None, trusted: tuple[IpNetwork, ...]) -> tuple[str, ...]:
    """The client first, then each trusted proxy on the way, the peer last. Usually the peer alone; "unknown" for a peer
    without an address.

    `forwarded_for`: the lines of X-Forwarded-For, joined by b", ". Read from the right: an address counts because the
    trusted proxy after it wrote the address. If an entry is not an address, the proxy that wrote the entry counts as
    the client.
    """
    if peer.address is None:
        return ("unknown",)
    chain = [peer.address]
    rest = forwarded_for if peer.listed else None
    while rest is not None and len(chain) < _MOST_HOPS:
        rest, _, last = rest.rpartition(b",")
        before = _hop(last)
        if before is None:
            break
        chain.append(str(before))
        if not contains(trusted, before):
            break
    return tuple(reversed(chain))


def _hop(text: bytes) -> Address | None:
    """`1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:567`."""
    hop = text.strip(b" \t").decode("latin-1")
    if hop.startswith("["):
        host, bracket, port = hop[1:].partition("]")
        return parse_address(host) if bracket and (not port or _is_port(port)) else None
    if hop.count(":") == 1:
        host, _, port = hop.partition(":")
        return parse_address(host) if _is_port(":" + port) else None
    return parse_address(hop)


def _is_port(text: str) -> bool:
    return text.startswith(":") and text.isascii() and text[1:].isdigit() and len(text) <= 6


def client_scheme(own: str, peer: Peer, forwarded_proto: bytes | None) -> str:
    """The scheme of the browser's request. `own`: the listener's scheme. A trusted proxy may replace it by one word."""
    if forwarded_proto is None or not peer.listed:
        return own
    said = forwarded_proto.strip(b" \t").lower()
    return said.decode("ascii") if said in {b"http", b"https"} else own


def forwarded_headers(chain: tuple[str, ...], scheme: str, host: bytes) -> bytes:
    """Header lines, each as b"\\r\\nName: value". `chain`: from client_chain. `host`: accepted by canonical_host."""
    return host.join(around_host(chain, scheme))


def around_host(chain: tuple[str, ...], scheme: str) -> tuple[bytes, bytes, bytes]:
    """The header lines in pieces: the host stands between two neighbouring pieces."""
    # RFC 7239 6: an IPv6 address is bracketed and quoted.
    nodes = [f'for="[{address}]"' if ":" in address else f"for={address}" for address in chain]
    before = f"\r\nX-Forwarded-For: {', '.join(chain)}\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: "
    between = f'\r\nForwarded: {", ".join(nodes)};host="'
    return before.encode("ascii"), between.encode("ascii"), f'";proto={scheme}'.encode("ascii")
