"""An upstream's response head, read once and written anew for the browser."""

import re
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.model.codes import UPSTREAM_RESPONSE
from gateway.model.errors import GatewayError
from gateway.proxy.shapes import Collected, Shape, Shapes, joined
from gateway.wire.cookies import is_ours
from gateway.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, response_framing
from gateway.wire.headers import (
    AUTHENTICATE,
    CONTENT_LENGTH,
    SET_COOKIE,
    TRANSFER_ENCODING,
    ResponsePolicy,
    binds_connection,
)
from gateway.wire.hop_by_hop import connection_tokens, without_named

# The reason phrase is the upstream's own, and may be empty.
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\t \x21-\x7e\x80-\xff]*)?\r\n")
_STATUS_LINES: Final = 512
_LONGEST_STATUS_LINE: Final = 128
_SHAPES: Final = 512

# So much is given to the C parser whole, its body too.
WHOLE: Final = 16 * 1024

# The connection line that most servers send. It is of one connection only, and so the one line to be taken out.
_KEEP_ALIVE: Final = b"keep-alive"
_KEEP_ALIVE_LINE: Final = b"\r\nConnection: keep-alive\r\n"
_KEEP_ALIVE_LENGTH: Final = len(_KEEP_ALIVE_LINE) - 2


class StatusLine:
    """`usual`: HTTP/1.1, and a status that may have a body, so that a Content-Length is that of its body."""

    __slots__ = ("line", "status", "usual", "version")

    def __init__(self, line: bytes) -> None:
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise GatewayError(UPSTREAM_RESPONSE, f"status line {line[:60]!r}")
        minor, status = found.groups()
        self.version = "1." + minor.decode("ascii")
        self.status = int(status)
        self.line = b"HTTP/1.1" + line[8:-2]
        self.usual = minor == b"1" and self.status >= 200 and self.status not in {204, 304}


class ResponseHeads:
    """What all upstream connections of a worker know of names and status lines."""

    __slots__ = ("shapes", "status_lines")

    def __init__(self) -> None:
        self.shapes = Shapes(ResponsePolicy(), _SHAPES)
        self.status_lines: dict[bytes, StatusLine] = {}

    def status_line(self, line: bytes) -> StatusLine:
        """The slow half of a look-up in `status_lines`."""
        read = StatusLine(line)
        if len(self.status_lines) >= _STATUS_LINES:
            self.status_lines.clear()
        if len(line) <= _LONGEST_STATUS_LINE:
            self.status_lines[line] = read
        return read


class Response:
    """The head under way on one upstream connection; used again for each. Unless the last read was one whole answer,
    the next gets a parser as good as new: HEAD, a body counted past it, or what was left behind cannot colour it.

    `usual`: a body of known length, and nothing to be done to the head but to take out the connection line, if any.
    """

    __slots__ = (
        "_connection", "_fields", "_heads", "_known", "_parser", "_shape", "_stale", "_values", "binds", "framing",
        "keep_alive", "on_body", "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete",
        "on_message_begin", "on_message_complete", "on_status", "ours", "rare", "status", "usual",
    )  # fmt: skip

    _known: StatusLine
    _shape: Shape

    def __init__(self, heads: ResponseHeads, *, ours: bool) -> None:
        """`ours`: the portal's answer, whose Set-Cookie of our names may pass."""
        self._heads = heads
        self.ours = ours
        self._fields: dict[bytes, bytes] = {}
        self.on_header = self._fields.setdefault
        self.on_body = self.on_chunk_header = self.on_chunk_complete = self.on_status = None
        self.on_headers_complete = self.on_message_begin = self.on_message_complete = None
        self._parser = HttpResponseParser(self)
        self._values: list[bytes] = []
        self._connection: bytes | None = None
        self.rare: dict[int, bytes] = {}
        self.status = 0
        self._stale = False
        self.framing = NO_BODY
        self.keep_alive = self.binds = self.usual = False

    def read_whole(self, data: bytes, end: int) -> bool:
        """Whether `data` is one usual answer and nothing else, whose head ends at `end`. If not, nothing of what was
        found counts. (To HEAD there is no such answer: see ClientConnection.take_whole.)"""
        fields, parser, heads = self._fields, self._parser, self._heads
        fields.clear()
        if self._stale:
            parser.__init__(self)  # type: ignore[misc]
        self._stale = True
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return False
        known = heads.status_lines.get(data[: data.find(b"\n") + 1])
        shape = heads.shapes.known.get(tuple(fields))
        if shape is None or shape.length < 0 or known is None or not known.usual:
            return False
        values = list(fields.values())
        length = values[shape.length]
        # Nothing beyond the body, so that the parser stands where the next answer begins; and no name twice.
        if not _is_length(length) or end + int(length) != len(data) or data.count(b"\n", 0, end) != len(fields) + 2:
            return False
        self._stale = False
        return self._is_usual(known, shape, values)

    def read(self, head: bytes, method: bytes) -> None:
        """`head` ends with its empty line. Raises GatewayError(UPSTREAM_RESPONSE)."""
        fields = self._fields
        fields.clear()
        self._parser.__init__(self)  # type: ignore[misc]
        self._stale = True
        try:
            self._parser.feed_data(head)
        except HttpParserUpgrade:
            raise GatewayError(UPSTREAM_RESPONSE, "switches protocols unasked") from None
        except HttpParserError as error:
            raise GatewayError(UPSTREAM_RESPONSE, str(error)) from None
        line = head[: head.find(b"\n") + 1]
        known = self._known = self._heads.status_lines.get(line) or self._heads.status_line(line)
        self.status = known.status
        self.usual = False
        if head.count(b"\n") != len(fields) + 2:
            self._read_repeated(head, method)
            return
        names, values = tuple(fields), list(fields.values())
        shape = self._heads.shapes.known.get(names) or self._heads.shapes.learn(names)
        body = shape.length >= 0 and known.usual and method != b"HEAD"
        if not (body and _is_length(values[shape.length]) and self._is_usual(known, shape, values)):
            self._read(shape, values, method)

    def _is_usual(self, known: StatusLine, shape: Shape, values: list[bytes]) -> bool:
        """Takes over the facts if the connection line is the usual one, or none."""
        places = shape.connections
        self._connection = None
        if places:
            if len(places) > 1 or values[places[0]] != _KEEP_ALIVE:
                return False
            self._connection = _KEEP_ALIVE
        self._known, self._shape, self._values = known, shape, values
        self.status = known.status
        self.framing = int(values[shape.length])
        self.usual = self.keep_alive = True
        self.binds = False
        return True

    def _read_repeated(self, head: bytes, method: bytes) -> None:
        """A name comes more than once, as Set-Cookie often does."""
        collected = Collected(head, HttpResponseParser, HttpParserUpgrade)
        names = tuple(collected.names)
        shapes = self._heads.shapes
        self._read(shapes.known.get(names) or shapes.learn(names), collected.values, method)

    def _read(self, shape: Shape, values: list[bytes], method: bytes) -> None:
        rare, known = self.rare, self._known
        rare.clear()
        shape.read_rare(values, rare)
        self._shape, self._values = shape, values
        connection = self._connection = joined(values, shape.connections, b", ")
        options = () if connection is None else [option.strip(b" \t").lower() for option in connection.split(b",")]
        self.keep_alive = b"close" not in options and (known.version == "1.1" or b"keep-alive" in options)
        length = rare.get(CONTENT_LENGTH)
        self.framing = response_framing(method, known.status, known.version, length, rare.get(TRANSFER_ENCODING))
        if self.framing == UNTIL_CLOSE:
            self.keep_alive = False
        self.binds = known.status == 401 and AUTHENTICATE in rare and binds_connection(rare[AUTHENTICATE])

    # --- written anew ---

    def as_it_came(self, data: bytes, end: int) -> bytes:
        """A usual answer whose head ends at `end`, changed in nothing but the connection line; b"" if that is spelled
        in an unusual way."""
        if self._connection is None:
            return data
        at = data.find(_KEEP_ALIVE_LINE, 0, end)
        return b"" if at < 0 else data[:at] + data[at + _KEEP_ALIVE_LENGTH :]

    def pieces(self, *, minor: bool) -> list[bytes]:
        """Status line and header lines, the framing's among them. `minor`: whether the client speaks HTTP/1.1."""
        shape, values = self._shape, self._values
        lines = shape.lines(values)
        if not self.ours:
            for place, verdict in shape.rare:
                # Invariant 4: an upstream's cookie of our names never reaches the browser.
                if verdict == SET_COOKIE and is_ours(values[place]):
                    lines[2 * place] = lines[2 * place + 1] = b""
        if self._connection is not None:
            tokens = connection_tokens((self._connection,))
            if tokens:
                lines = without_named(lines, tokens)
        return [self._known.line, *lines, self._framing_line(minor=minor)]

    def _framing_line(self, *, minor: bool) -> bytes:
        """What tells the client where the body ends; b"" where only the end of the connection can."""
        if self.framing >= 0:
            return b"\r\nContent-Length: %d" % self.framing
        if self.framing == NO_BODY:
            # RFC 9110 8.6: a HEAD or 304 answer may say how long the body would be.
            length = self.rare.get(CONTENT_LENGTH)
            return (
                b"" if length is None or self.status < 200 or self.status == 204 else b"\r\nContent-Length: " + length
            )
        return b"\r\nTransfer-Encoding: chunked" if minor else b""

    @property
    def self_delimited(self) -> bool:
        return self.framing not in {CHUNKED, UNTIL_CLOSE}


def _is_length(value: bytes) -> bool:
    # RFC 9112 6.2, one spelling per number, as in wire/framing.py.
    return value.isdigit() and (value[0] != 48 or len(value) == 1) and len(value) <= 18
