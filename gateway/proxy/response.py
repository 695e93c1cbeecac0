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
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t \x21-\x7e\x80-\xff]*))?\r\n")
_STATUS_LINES: Final = 512
_LONGEST_STATUS_LINE: Final = 128
_SHAPES: Final = 512

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
        minor, status, reason = found.groups()
        self.version = "1." + minor.decode("ascii")
        self.status = int(status)
        self.line = b"HTTP/1.1 %b %b" % (status, reason or b"")
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
    """The head under way on one upstream connection; used again for each. Each head gets a parser as good as new, so
    that HEAD, a body counted past the parser, or what one upstream left behind cannot colour the next.

    `usual`: a body of known length, and nothing to be done to the head but to take out the connection line, if any.
    """

    __slots__ = (
        "_connection", "_fields", "_heads", "_known", "_parser", "_shape", "_values", "binds", "framing", "keep_alive",
        "on_body", "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete", "on_message_begin",
        "on_message_complete", "on_status", "ours", "rare", "status", "usual",
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
        self.framing = NO_BODY
        self.keep_alive = self.binds = self.usual = False

    def read(self, head: bytes, method: bytes) -> None:
        """`head` ends with its empty line. Raises GatewayError(UPSTREAM_RESPONSE)."""
        fields = self._fields
        fields.clear()
        parser = self._parser
        try:
            parser.__init__(self)  # type: ignore[misc]
            parser.feed_data(head)
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
        if shape.length >= 0 and known.usual and method != b"HEAD" and self._read_usual(shape, values):
            return
        self._read(shape, values, method)

    def _read_usual(self, shape: Shape, values: list[bytes]) -> bool:
        length = values[shape.length]
        # RFC 9112 6.2, one spelling per number, as in wire/framing.py.
        if not length.isdigit() or (length[0] == 48 and len(length) > 1) or len(length) > 18:
            return False
        places = shape.connections
        if places:
            if len(places) > 1 or values[places[0]] != _KEEP_ALIVE:
                return False
            self._connection = _KEEP_ALIVE
        else:
            self._connection = None
        self._shape, self._values = shape, values
        self.framing = int(length)
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
        """A usual head, which ends at `end`, and what is behind it: nothing else is changed. b"" if it is spelled in
        an unusual way."""
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
