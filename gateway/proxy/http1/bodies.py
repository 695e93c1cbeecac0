"""Bodies in transit. A body of known length is counted outside the parser, whatever its size. A body of unknown length
is taken out of the sender's chunks and put into ours (RFC 9112 7.1).
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from gateway.model.codes import limit_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.wire.framing import CHUNKED

LAST_CHUNK: Final = b"0\r\n\r\n"

# A fresh parser is brought before a chunked body by the shortest head that announces one.
_HEAD: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

# Chunk extensions and trailers are not used: they are dropped, and limited per chunk and in total.
_EXTRAS: Final = 4096
_EXTRAS_PER_CHUNK: Final = 256

# What one call may take on, so that a body full of empty lines or of tiny chunks does not hold the loop: looks for the
# end of the message, pieces, and bytes at a time between which the pieces are counted.
_LOOKS: Final = 512
PIECES: Final = 4096
SLICE: Final = 16 * 1024

# The most chunked bytes per read: bytes after the body are read too, and wait in memory.
_CHUNKS_AT_ONCE: Final = 32 * 1024


class ChunkedBody:
    """One chunked body through the C parser, which returns only payload: trailers are dropped.

    `taken`: payload bytes so far.
    `done`: the last chunk and its trailers are read.
    """

    __slots__ = (
        "_fault", "_parser", "_pieces", "_read", "_tail", "done", "on_body", "on_chunk_complete", "on_chunk_header",
        "on_header", "on_headers_complete", "on_message_begin", "on_message_complete", "on_url", "pieces_seen", "taken",
    )  # fmt: skip

    def __init__(self, fault: Code, *, padded: bool = False) -> None:
        """`fault`: the code of what is raised for a malformed body. `padded`: blanks may stand behind a size."""
        self._fault = fault
        self._pieces: list[bytes | None] = []
        # Among the pieces, None marks the end of a message, b"" the beginning of the next message.
        self.on_body = self._pieces.append
        self.on_message_complete = partial(self._pieces.append, None)
        self.on_message_begin = partial(self._pieces.append, b"")
        self.on_url = self.on_header = self.on_headers_complete = None
        self.on_chunk_header = self.on_chunk_complete = None
        self._parser = HttpRequestParser(self)
        if padded:
            self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        self._parser.feed_data(_HEAD)
        self._pieces.clear()
        self._tail = b""
        self._read = 0
        self.taken = 0
        self.pieces_seen = 0
        self.done = False

    def feed(self, data: bytes) -> tuple[list[bytes], int]:
        """Pieces of the body, and how many bytes of `data` were used: what is beyond the end is the next message.

        Where not all were used and the body is not done, the rest wants another call, in another turn of the loop.
        """
        found: list[bytes] = []
        start = looks = 0
        while start < len(data) and not self.done and looks < _LOOKS and len(found) < PIECES:
            looks += 1
            end = min(self._possible_end(data, start), start + SLICE)
            found += self._fed(data[start:end])
            start = end
        return found, start

    def feed_all(self, data: bytes) -> tuple[list[bytes], bool]:
        """Pieces of the body, and whether `data` went on beyond its end; no byte of that is among the pieces."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # What comes beyond the end may look like anything.
            if None not in self._pieces:
                raise GatewayError(self._fault, str(error)) from None
            self._pieces.append(b"")
        pieces, self._pieces[:] = self._pieces[:], []
        if None not in pieces:
            return self._counted(len(data), [piece for piece in pieces if piece]), False
        self.done = True
        end = pieces.index(None)
        return self._counted(0, [piece for piece in pieces[:end] if piece]), end + 1 < len(pieces)

    def _possible_end(self, data: bytes, start: int) -> int:
        """The parser stops at the empty line that ends a chunked message, with or without trailers."""
        tail = self._tail
        if tail:
            seam = (tail + data[start : start + 3]).find(b"\r\n\r\n")
            if seam >= 0:
                return start + seam + 4 - len(tail)
        found = data.find(b"\r\n\r\n", start)
        return len(data) if found < 0 else found + 4

    def _fed(self, data: bytes) -> list[bytes]:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise GatewayError(self._fault, str(error)) from None
        self._tail = (self._tail + data)[-3:]
        pieces, self._pieces[:] = self._pieces[:], []
        if pieces and pieces[-1] is None:
            self.done = True
            pieces.pop()
        return self._counted(len(data), [piece for piece in pieces if piece])

    def _counted(self, read: int, pieces: list[bytes]) -> list[bytes]:
        self._read += read
        self.taken += sum(map(len, pieces))
        self.pieces_seen += len(pieces)
        if self._read - self.taken > _EXTRAS + _EXTRAS_PER_CHUNK * self.pieces_seen:
            raise GatewayError(self._fault, "chunk extensions or trailers too long")
        return pieces


def chunk(pieces: Iterable[bytes]) -> bytes:
    """One chunk of ours; at least one piece is not empty."""
    payload = b"".join(pieces)
    return b"%x\r\n%b\r\n" % (len(payload), payload)


class RequestBody:
    """A request's body. A counted body bypasses the parser. A chunked body is put into our chunks, or unframed
    (`bare`).

    `limit`: bytes, 0 for no limit.
    `done`: the body was read completely.
    `left`: bytes to come; for a chunked body, bytes to read at once.
    """

    __slots__ = ("_bare", "_chunks", "_limit", "done", "left")

    def __init__(self, framing: int, limit: int, *, bare: bool = False) -> None:
        self._bare = bare
        self._limit = limit
        self.left = _CHUNKS_AT_ONCE if framing == CHUNKED else framing
        self._chunks = ChunkedBody(wire_codes.FRAMING) if framing == CHUNKED else None
        self.done = False

    def first_piece(self, ahead: bytes) -> tuple[bytes, bytes]:
        """The part of a counted body that arrived with the head, for the same write; and the rest of `ahead`."""
        return (b"", ahead) if self._chunks is not None else self._counted(ahead)

    def take(self, ahead: bytes) -> tuple[bytes, bytes]:
        """The next piece to forward, b"" if `ahead` is incomplete; and the rest of `ahead`.

        Raises GatewayError for a malformed or too long body.
        """
        return self._counted(ahead) if self._chunks is None else self._chunked(self._chunks, ahead)

    def _counted(self, ahead: bytes) -> tuple[bytes, bytes]:
        piece, rest = ahead[: self.left], ahead[self.left :]
        self.left -= len(piece)
        self.done = not self.left
        return piece, rest

    def _chunked(self, chunks: ChunkedBody, ahead: bytes) -> tuple[bytes, bytes]:
        pieces, used = chunks.feed(ahead)
        if 0 < self._limit < chunks.taken:
            raise GatewayError(limit_codes.BODY, f"over {self._limit} bytes, in chunks")
        self.done = chunks.done
        rest = ahead[used:]
        if self._bare:
            return b"".join(pieces), rest
        return (chunk(pieces) if pieces else b"") + (LAST_CHUNK if chunks.done else b""), rest
