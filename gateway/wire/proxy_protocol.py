"""PROXY protocol version 2 (haproxy.org, proxy-protocol.txt, 2.2): the header in which a server in front tells the
client's address, before the first byte of TLS or HTTP. Version 1, a line of text, is not read."""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import gateway_codes
from gateway.model.errors import GatewayError
from gateway.wire.addresses import Address, parse_address

HEAD_BYTES: Final = 16
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
# The addresses, and then as much as such servers say: names, certificates' names, checksums.
_LONGEST: Final = 4096
_LOCAL, _PROXY = 0x20, 0x21
# For TCP only: the length of the addresses and ports.
_ADDRESSES: Final = {0x11: (4, 12), 0x21: (16, 36)}
_TLV: Final = struct.Struct(">BH")
_TLS: Final = 0x20
_BY_TLS: Final = 0x01


@dataclass(frozen=True, slots=True)
class ToldClient:
    """`peer`: the client's address. `secure`: the client used TLS, which the server in front terminated."""

    peer: str
    secure: bool = False


def rest_of(head: bytes) -> int:
    """How many bytes follow these HEAD_BYTES. Raises GatewayError(gateway_codes.LISTEN_PROXY_HEADER)."""
    if not head.startswith(_SIGNATURE):
        raise _fault("it does not begin as PROXY protocol v2")
    length = int.from_bytes(head[14:16], "big")
    if head[12] not in {_LOCAL, _PROXY}:
        raise _fault(f"version and command {head[12]:#04x}")
    if length > _LONGEST:
        raise _fault(f"{length} bytes, over {_LONGEST}")
    return length


def client_of(head: bytes, rest: bytes) -> ToldClient | None:
    """None: the server in front speaks for itself, as for a health check. Raises
    GatewayError(gateway_codes.LISTEN_PROXY_HEADER)."""
    if head[12] == _LOCAL:
        return None
    size, length = _ADDRESSES.get(head[13], (0, 0))
    if not size:
        raise _fault(f"address family and transport {head[13]:#04x}, not TCP by IPv4 or IPv6")
    if len(rest) < length:
        raise _fault("it ends within the addresses")
    source = parse_address(str(ipaddress.ip_address(rest[:size])))
    if source is None or source.is_unspecified or source.is_multicast:
        raise _fault(f"no client has the address {source}")
    return ToldClient(str(source), _is_by_tls(rest[length:]))


def _is_by_tls(more: bytes) -> bool:
    """2.2.5: whether the client spoke TLS. What is unknown is passed over, but has to end where the header does."""
    secure = False
    while more:
        if len(more) < _TLV.size:
            raise _fault("it ends within what follows the addresses")
        kind, length = _TLV.unpack_from(more)
        value, more = more[_TLV.size : _TLV.size + length], more[_TLV.size + length :]
        if len(value) < length:
            raise _fault("it ends within what follows the addresses")
        if kind == _TLS:
            secure = bool(value) and bool(value[0] & _BY_TLS)
    return secure


def announcement(client: str, server: str) -> bytes:
    """The PROXY protocol header for an application. If only one of the addresses is IPv4, IPv6 is used for the pair.
    Ports are omitted. `client`: the client's address; empty for our own calls."""
    source, destination = parse_address(client), parse_address(server) or ipaddress.IPv4Address(0)
    if source is None:
        return _SIGNATURE + bytes((_LOCAL, 0, 0, 0))
    if source.version == destination.version == 4:
        family, both = 0x11, source.packed + destination.packed
    else:
        family, both = 0x21, _as_six(source) + _as_six(destination)
    return _SIGNATURE + bytes((_PROXY, family)) + (len(both) + 4).to_bytes(2, "big") + both + bytes(4)


def _as_six(address: Address) -> bytes:
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed


def _fault(why: str) -> GatewayError:
    return GatewayError(gateway_codes.LISTEN_PROXY_HEADER, why)
