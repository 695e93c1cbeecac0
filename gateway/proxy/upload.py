"""A request's body on its way: taken from what the client connection has read, never more than that."""

from typing import TYPE_CHECKING

from gateway.model.codes import LIMIT_BODY, WIRE_FRAMING
from gateway.model.errors import GatewayError
from gateway.proxy.body import LAST_CHUNK, ChunkedBody, chunk
from gateway.wire.framing import CHUNKED

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection


class Upload:
    """A counted body goes past the parser; a chunked one is put into chunks of ours, or into none (`bare`).
    `limit`: bytes, 0 for none."""

    __slots__ = ("_bare", "_chunks", "_client", "_left", "_limit")

    def __init__(self, client: "ClientConnection", framing: int, limit: int, *, bare: bool = False) -> None:
        self._client = client
        self._bare = bare
        self._limit = limit
        self._left = framing
        self._chunks = ChunkedBody(WIRE_FRAMING) if framing == CHUNKED else None

    def first_piece(self) -> bytes:
        """What of a counted body came with its head, to be sent in the same write."""
        return b"" if self._chunks is not None else self._counted()

    def take(self) -> bytes:
        """The next piece as it goes on, taken from `client.ahead`; b"" where nothing can be made of it yet.

        Raises GatewayError for a malformed or too long body.
        """
        return self._counted() if self._chunks is None else self._chunked(self._chunks)

    def _counted(self) -> bytes:
        client = self._client
        piece, client.ahead = client.ahead[: self._left], client.ahead[self._left :]
        self._left -= len(piece)
        if not self._left:
            client.body_read()
        return piece

    def _chunked(self, chunks: ChunkedBody) -> bytes:
        client = self._client
        pieces, used = chunks.feed(client.ahead)
        client.ahead = client.ahead[used:]
        if 0 < self._limit < chunks.taken:
            raise GatewayError(LIMIT_BODY, f"over {self._limit} bytes, in chunks")
        if chunks.done:
            client.body_read()
        if self._bare:
            return b"".join(pieces)
        return (chunk(pieces) if pieces else b"") + (LAST_CHUNK if chunks.done else b"")
