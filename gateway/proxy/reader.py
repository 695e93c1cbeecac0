"""The reader of a client connection: bytes in, whole heads and pieces of bodies out. The reader calls nobody.

At most one read of the socket is ahead: while a request waits for its response, the bytes behind it stay bytes.
"""

from enum import Enum, auto
from typing import Final

from gateway.config.snapshot import Limits
from gateway.proxy.http1.bodies import RequestBody
from gateway.proxy.http1.partial_head import PartialHead
from gateway.proxy.pacing import HEADS, for_body


class ReadState(Enum):
    """HEAD: the next bytes are a head. BODY: the next bytes are of a body. WAIT: the request is read as far as wanted,
    and its response is not yet written. LINGER: the last response is written, and further bytes are thrown away.
    CLOSED: the connection is closed or has become a tunnel."""

    HEAD = auto()
    BODY = auto()
    WAIT = auto()
    LINGER = auto()
    CLOSED = auto()


# Names of this module: at each use an attribute of the class would be looked up first.
HEAD: Final = ReadState.HEAD
BODY: Final = ReadState.BODY
WAIT: Final = ReadState.WAIT
LINGER: Final = ReadState.LINGER
CLOSED: Final = ReadState.CLOSED

_LINGER_BYTES: Final = 64 * 1024


class RequestReader:
    """Attributes:
    `ahead`: bytes read from the socket and not yet used.
    `partial`: a head that has begun, while its end has not come.
    `state`: a ReadState; the connection sets WAIT after each head, HEAD after each response, and CLOSED.
    `view`: the memory that the next read of the socket fills; its size bounds the read.
    """

    __slots__ = ("_lingered", "_upload", "ahead", "partial", "state", "view")

    def __init__(self) -> None:
        self.ahead = b""
        self.state: ReadState = HEAD
        self.view = HEADS
        self._lingered = 0
        self.partial: PartialHead | None = None
        self._upload: RequestBody | None = None

    def receive(self, data: bytes) -> None:
        """Adds a read of the socket."""
        self.ahead = self.ahead + data if self.ahead else data

    # --- a head ---

    def next_head(self, limits: Limits) -> bytes | None:
        """The next head, up to the end of its empty line; None: not complete. `ahead` is not empty.

        Raises GatewayError as soon as the part so far is too long or not HTTP.
        """
        ahead = self.ahead
        if ahead[0] == 13:
            # RFC 9112 2.2: empty lines before a request are passed over.
            rest = ahead.lstrip(b"\r\n")
            if not rest:
                # The second half of an empty line may be on its way.
                self.ahead = b"\r" if ahead.endswith(b"\r") else b""
                return None
            ahead = self.ahead = rest
        end = ahead.find(b"\r\n\r\n") + 4
        if end < 4:
            self.partial = self.partial or PartialHead()
            self.partial.feed(ahead, limits)
            return None
        self.partial = None
        self.ahead = ahead[end:]
        return ahead[:end]

    # --- a body ---

    def begin_body(self, framing: int, limit: int, *, bare: bool = False) -> bytes:
        """Returns the part of a body that came with its head. `state` is BODY if more is to come. `limit`: bytes, 0 for
        no limit; `bare`: without chunks, whatever the framing."""
        if whole := self.take_whole_body(framing):
            return whole
        upload = RequestBody(framing, limit, bare=bare)
        self.state, self._upload = BODY, upload
        piece, self.ahead = upload.first_piece(self.ahead)
        return piece

    def take_whole_body(self, framing: int) -> bytes:
        """A counted body, as most forms are, that came whole with its head; b"" where more is to come."""
        if not 0 < framing <= len(self.ahead):
            return b""
        whole, self.ahead = self.ahead[:framing], self.ahead[framing:]
        return whole

    def next_piece(self) -> bytes:
        """The next piece of the body, as it goes on; b"" where `ahead` has none yet. `state` is WAIT after the last
        piece. Raises GatewayError for a malformed or too long body."""
        upload = self._upload
        assert upload is not None
        piece, self.ahead = upload.take(self.ahead)
        if upload.done:
            self.end_body()
        return piece

    def end_body(self) -> None:
        """The body is read, or the rest of the body is of no use."""
        self.state, self._upload, self.view = WAIT, None, HEADS

    def size_view(self, free: int) -> None:
        """Sizes the next read for the rest of the body. `free`: bytes that the application takes now."""
        if self._upload is not None:
            self.view = for_body(self._upload.left, free)

    # --- after the last response ---

    def linger(self) -> None:
        """Discards the bytes that still come."""
        self.state, self.ahead, self._lingered = LINGER, b"", 0

    def throw_away(self) -> bool:
        """Returns False once the client has sent more than is waited for."""
        self._lingered += len(self.ahead)
        self.ahead = b""
        return self._lingered <= _LINGER_BYTES
