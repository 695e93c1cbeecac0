"""Decodes a content coding in steps as the bytes arrive (RFC 9110 8.4.1), however much the body grows."""

import zlib
from typing import Final

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError

STEP: Final = 12 * 1024 - 16
"""The most decoded bytes of a step: as a chunk, a small record of TLS (proxy/pacing.py). In bytes full of matches,
decoding and replacing take some two milliseconds (invariant 14)."""

# Texts become smaller by five to a hundred times; what grows by more than this is made to.
_MOST_GROWTH: Final = 250
_FREE: Final = 1 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS
# RFC 1952 2.3.1
_MEMBER: Final = b"\x1f\x8b"
# RFC 1950 2.2: method 8, and a multiple of 31. Some servers send DEFLATE without this header.
_ZLIB_HEAD: Final = 2


def coding_of(encoding: bytes | None) -> bytes:
    """The codings of a Content-Encoding, with its lines joined as one list (RFC 9110 5.3). `identity` is dropped."""
    names = [name.strip(b" \t") for name in (encoding or b"").lower().split(b",")]
    return b", ".join(name for name in names if name not in (b"", b"identity"))


def is_undone(encoding: bytes | None) -> bool:
    """Whether the decoder supports the Content-Encoding."""
    return coding_of(encoding) in (b"gzip", b"x-gzip", b"deflate")


class Undone:
    """Decodes one body. `waits`: work remains without further input."""

    __slots__ = ("_came", "_decoder", "_gzip", "_made", "_pending", "waits")

    def __init__(self, encoding: bytes) -> None:
        self._gzip = coding_of(encoding) != b"deflate"
        self._decoder = zlib.decompressobj(_GZIP) if self._gzip else None
        self._pending = b""
        self._came = self._made = 0
        self.waits = False

    def feed(self, data: bytes) -> None:
        self._pending += data
        self._came += len(data)
        self.waits = True

    def step(self) -> bytes:
        """Returns some decoded bytes of the input. Raises GatewayError(upstream_codes.RESPONSE)."""
        decoder = self._decoder or self._begin()
        if decoder is None:
            self.waits = False
            return b""
        try:
            made = decoder.decompress(self._pending, STEP)
        except zlib.error as error:
            raise _wrong(f"this is no {'gzip' if self._gzip else 'deflate'}: {error}") from None
        self._pending = decoder.unconsumed_tail
        self._made += len(made)
        if self._made > _FREE + _MOST_GROWTH * self._came:
            raise _wrong(f"{self._came} bytes became {self._made}, over {_MOST_GROWTH} times as many")
        if decoder.eof and (behind := decoder.unused_data):
            self._next_member(behind)
        # A full step may have left something within.
        self.waits = bool(self._pending) or len(made) == STEP
        return made

    def end(self) -> None:
        """The input is complete and decoded. Raises GatewayError(upstream_codes.RESPONSE) if the compressed body is cut
        short.
        """
        if self._came and (self._decoder is None or not self._decoder.eof):
            raise _wrong("it breaks off")

    def _begin(self) -> "zlib._Decompress | None":
        """A DEFLATE decoder with or without the zlib head; None until enough bytes have arrived to tell."""
        head = self._pending[:_ZLIB_HEAD]
        if len(head) == _ZLIB_HEAD:
            is_whole = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head) % 31 == 0
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS if is_whole else -zlib.MAX_WBITS)
        return self._decoder

    def _next_member(self, behind: bytes) -> None:
        """RFC 1952 2.2: gzip members follow each other without a gap."""
        if not self._gzip or not _MEMBER.startswith(behind[:2]):
            raise _wrong("bytes follow its end")
        self._decoder, self._pending = zlib.decompressobj(_GZIP), behind


def _wrong(why: str) -> GatewayError:
    return GatewayError(upstream_codes.RESPONSE, f"a compressed text that cannot be rewritten: {why}")
