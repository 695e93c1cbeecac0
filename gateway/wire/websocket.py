"""The opening handshake of a WebSocket (RFC 6455 4)."""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import Final

from gateway.model.codes import upstream_codes, wire_codes
from gateway.model.errors import GatewayError

WEBSOCKET: Final = b"websocket"
VERSION: Final = b"13"

# 4.1 (7): 16 bytes in base64. The last letter before the padding has four zero bits.
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Lines = Iterable[tuple[bytes, bytes]]
"""Names, in upper or lower case, and values."""


def upgrade_of(value: bytes, connection: bytes | None) -> bytes:
    """The requested protocol, in lower case. Raises GatewayError."""
    options = {option.strip(b" \t").lower() for option in (connection or b"").split(b",")}
    if b"upgrade" not in options:
        # RFC 9110 7.8
        raise GatewayError(wire_codes.UPGRADE, "Upgrade without Connection: Upgrade")
    protocol = value.strip(b" \t").lower()
    if b"," in protocol:
        raise GatewayError(wire_codes.UPGRADE, f"several protocols: {value[:40]!r}")
    return protocol


def key_of(method: bytes, minor: bool, lines: Lines) -> bytes:
    """The key that the server must answer. `minor`: HTTP/1.1. `lines`: forwarded to the application. Raises
    GatewayError.
    """
    # 4.1, its first two.
    if method != b"GET" or not minor:
        raise GatewayError(wire_codes.WEBSOCKET, "a WebSocket is opened by GET in HTTP/1.1")
    told = [(name.lower(), value.strip(b" \t")) for name, value in lines]
    versions = [value for name, value in told if name == b"sec-websocket-version"]
    if versions != [VERSION]:
        # 4.2.2, 4.4
        raise GatewayError(wire_codes.WEBSOCKET_VERSION, f"Sec-WebSocket-Version {versions!r:.80}")
    keys = [value for name, value in told if name == b"sec-websocket-key"]
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise GatewayError(wire_codes.WEBSOCKET, f"{len(keys)} Sec-WebSocket-Key, or no 16 bytes in base64")
    return keys[0]


def accept_of(key: bytes) -> bytes:
    """4.2.2 (5.4)"""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def check_accepted(key: bytes, lines: Lines, connection: bytes | None, upgrade: bytes | None) -> None:
    """4.1: checks that the server's 101 answers `key`. Raises GatewayError."""
    if upgrade is None or upgrade.strip(b" \t").lower() != WEBSOCKET:
        raise GatewayError(upstream_codes.RESPONSE, f"switches to {(upgrade or b'nothing')[:40]!r}")
    if b"upgrade" not in {option.strip(b" \t").lower() for option in (connection or b"").split(b",")}:
        raise GatewayError(upstream_codes.RESPONSE, "switches protocols without Connection: Upgrade")
    if [value.strip(b" \t") for name, value in lines if name.lower() == b"sec-websocket-accept"] != [accept_of(key)]:
        raise GatewayError(upstream_codes.RESPONSE, "Sec-WebSocket-Accept is not the answer to the key")
