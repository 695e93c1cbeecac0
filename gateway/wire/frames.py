"""WebSocket frames (RFC 6455 5.2) in one direction of a connection: counted, never changed."""

from typing import Final, Literal

# Frames per call: 64 KB may hold 32,000 empty frames, and other connections need their turn.
_AT_ONCE: Final = 2000
_CLOSE: Final = 0x8
_LONGEST_CONTROL: Final = 125
# The length is in two bytes; with 127 in eight.
_TWO_BYTES: Final = 126

Fault = Literal["", "mask", "length", "control"]


class FrameCounter:
    """Finds the beginnings and ends of frames in the bytes of one side.

    `left`: bytes of the current frame still to come; 0 between frames.
    `closed`: the side has sent the head of a Close frame; bytes after the frame are ignored (5.5.1).
    `spoke`: data frames have begun since the flag was last set to False.
    `fault`: the reason why the next bytes are not a frame of this side; empty: no fault. Reserved bits and opcodes are
    left to the two ends.
    """

    __slots__ = ("_head", "_masks", "closed", "fault", "left", "spoke")

    def __init__(self, *, masks: bool) -> None:
        """`masks`: whether the side has to mask its frames: a client has to, a server must not (5.1)."""
        self._masks = 0x80 if masks else 0
        self._head = 6 if masks else 2
        self.left = 0
        self.closed = self.spoke = False
        self.fault: Fault = ""

    def feed(self, data: bytes) -> int:
        """The number of bytes of `data` to forward: whole frames and the beginning of a frame, but never a part of a
        frame's head. The caller passes the rest again with the next bytes. After a Close frame, no byte is
        forwarded."""
        size, at = len(data), self.left
        if at > size:
            self.left = at - size
            return size
        self.left = 0
        if self.closed or self.fault:
            return at
        most = _AT_ONCE
        while at + 1 < size and most and not self.closed:
            length = self._whole(data, at)
            if not length:
                return at
            at += length
            most -= 1
        if at >= size:
            self.left = at - size
            return size
        return at

    def _whole(self, data: bytes, at: int) -> int:
        """The length of the frame that begins at `at`, with at least two bytes. 0: the head is incomplete, or the bytes
        are not a frame.
        """
        first, second = data[at], data[at + 1]
        length = second & 0x7F
        whole = self._head + length
        if second & 0x80 != self._masks:
            self.fault = "mask"
            return 0
        if first & 0x8:
            if length > _LONGEST_CONTROL or not first & 0x80:
                # 5.5: never long, never in fragments.
                self.fault = "control"
                return 0
            self.closed = first & 0xF == _CLOSE
            return whole
        if length > _LONGEST_CONTROL:
            wide = 2 if length == _TWO_BYTES else 8
            if at + 2 + wide > len(data):
                return 0
            length = int.from_bytes(data[at + 2 : at + 2 + wide])
            if length >> 63:
                # 5.2: the most significant bit is 0.
                self.fault = "length"
                return 0
            whole = self._head + wide + length
        self.spoke = True
        return whole


def close_frame(status: int, reason: bytes, mask: bytes = b"") -> bytes:
    """A Close frame (5.5.1).

    `status`: see 7.4.
    `reason`: UTF-8, at most 123 bytes.
    `mask`: four random bytes (10.3); empty in frames of a server."""
    payload = status.to_bytes(2) + reason
    if not mask:
        return bytes((0x80 | _CLOSE, len(payload))) + payload
    covered = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes((0x80 | _CLOSE, 0x80 | len(payload))) + mask + covered
