"""What a client may take: bytes, headers, connections, sign-ins."""

from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.schema_types import Count, NetworkText, Size, SizeOrUnlimited, Strict, wrong
from gateway.wire.addresses import Network


def _no_longer_than_64(network: Network) -> Network:
    if network.version == 6 and network.prefixlen > 64:
        raise wrong("an IPv6 client is counted by its /64", "write a network of 64 bits at most")
    return network


class NetworkLimit(Strict):
    network: Annotated[NetworkText, AfterValidator(_no_longer_than_64)]
    """An address, or a network in CIDR form; where several hold an address, the most specific counts."""
    connections: Count
    """For each address in it (IPv6: each /64), in the place of `connections_per_client`."""


class GatewayLimits(Strict):
    url: Size = 8192
    headers: Size = 32768
    """All headers of a request together."""
    header_count: Count = 100
    body: SizeOrUnlimited = 1 << 30
    connections: Count = 20000
    """Of clients, in each worker, from accept on: handshakes count. The last eighth is for addresses from which
    somebody who is signed in was seen in the last ten minutes. Each takes three descriptors (`LimitNOFILE`)."""
    connections_per_client: Count = 2000
    """Of one address (IPv6: one /64), in each worker; listed proxies are not bounded by it."""
    networks: list[NetworkLimit] = Field(default=[], max_length=256)
    """Networks whose addresses have a limit of their own: many people behind one address, a front, a guest network."""
    transactions: Count = 100000
    """Sign-ins under way."""
    transactions_per_network: Count = 1000
    cached_seats: Count = 20000
    """Signed-in people that one worker keeps in memory."""
