"""A WebSocket through the gateway, byte by byte: what a client writes, and what an application answers."""

import struct
from collections.abc import Callable

from gateway.wire.websocket import accept_of
from tests.proxy.applications import Act, Peer
from tests.proxy.gateways import HOST, SIGNED_IN, ask

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ORIGIN = b"Origin: http://" + HOST + b":8080"
TUNNEL = "tunnel: {protocols: [websocket]}\n"
WANTS = (
    b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY,
)  # fmt: skip
OPENING = ask(b"GET /ws", SIGNED_IN, ORIGIN, *WANTS)
MASK = b"\x01\x02\x03\x04"


def switched(key: bytes = KEY, *more: bytes) -> bytes:
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade",
             b"Sec-WebSocket-Accept: " + accept_of(key), *more, b"", b"")  # fmt: skip
    return b"\r\n".join(lines)


def frame(payload: bytes, opcode: int = 1, *, masked: bool = False, first: int = 0x80) -> bytes:
    """`first`: the bits before the opcode."""
    size = len(payload)
    if size < 126:
        length = bytes((size,))
    elif size < 1 << 16:
        length = b"\x7e" + struct.pack(">H", size)
    else:
        length = b"\x7f" + struct.pack(">Q", size)
    if not masked:
        return bytes((first | opcode,)) + length + payload
    covers = (MASK * (size // 4 + 1))[:size]
    covered = (int.from_bytes(payload) ^ int.from_bytes(covers)).to_bytes(size)
    return bytes((first | opcode, length[0] | 0x80)) + length[1:] + MASK + covered


def sent(payload: bytes, opcode: int = 1, *, first: int = 0x80) -> bytes:
    """By a client."""
    return frame(payload, opcode, masked=True, first=first)


def close_of(data: bytes) -> tuple[int, bytes]:
    """Status and reason of the Close frame that `data` is; a masked one is unmasked."""
    assert data[0] == 0x88, data
    length = data[1] & 0x7F
    payload = data[2:]
    if data[1] & 0x80:
        mask, payload = payload[:4], payload[4:]
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    assert len(payload) == length
    return int.from_bytes(payload[:2]), payload[2:]


def taking(then: Callable[[Peer], object] = lambda _: None, *more: bytes) -> Act:
    """Answers the opening handshake."""

    def act(peer: Peer) -> None:
        peer.send(switched(KEY, *more))
        then(peer)

    return act
