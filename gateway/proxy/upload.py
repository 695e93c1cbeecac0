"""A request's body on its way: taken from what the client connection has read, never more than that."""

from gateway.model.codes import LIMIT_BODY, WIRE_FRAMING
from gateway.model.errors import GatewayError
from gateway.proxy.body import LAST_CHUNK, ChunkedBody, chunk
from gateway.wire.framing import CHUNKED


class Upload:
    """A counted body goes past the parser; a chunked one is put into chunks of ours, or into none (`bare`).
    `limit`: bytes, 0 for none. `done`: all of it was taken."""

    __slots__ = ("_bare", "_chunks", "_left", "_limit", "done")

    def __init__(self, framing: int, limit: int, *, bare: bool = False) -> None:
        self._bare = bare
        self._limit = limit
        self._left = framing
        self._chunks = ChunkedBody(WIRE_FRAMING) if framing == CHUNKED else None
        self.done = False

    def first_piece(self, ahead: bytes) -> tuple[bytes, bytes]:
        """What of a counted body came with its head, to be sent in the same write; and what is left of `ahead`."""
        return (b"", ahead) if self._chunks is not None else self._counted(ahead)

    def take(self, ahead: bytes) -> tuple[bytes, bytes]:
        """The next piece as it goes on, b"" where nothing can be made of `ahead` yet; and what is left of that.

        Raises GatewayError for a malformed or too long body.
        """
        return self._counted(ahead) if self._chunks is None else self._chunked(self._chunks, ahead)

    def _counted(self, ahead: bytes) -> tuple[bytes, bytes]:
        piece, rest = ahead[: self._left], ahead[self._left :]
        self._left -= len(piece)
        self.done = not self._left
        return piece, rest

    def _chunked(self, chunks: ChunkedBody, ahead: bytes) -> tuple[bytes, bytes]:
        pieces, used = chunks.feed(ahead)
        if 0 < self._limit < chunks.taken:
            raise GatewayError(LIMIT_BODY, f"over {self._limit} bytes, in chunks")
        self.done = chunks.done
        rest = ahead[used:]
        if self._bare:
            return b"".join(pieces), rest
        return (chunk(pieces) if pieces else b"") + (LAST_CHUNK if chunks.done else b""), rest
