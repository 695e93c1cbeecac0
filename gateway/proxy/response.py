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
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t \x21-\x7e\x80-\xff]*))?\r\n")
_STATUS_LINES: Final = 512
_SHAPES: Final = 512
_USUAL: Final = frozenset({b"keep-alive", b"Keep-Alive"})


class StatusLine:
    __slots__ = ("line", "status", "version")

    def __init__(self, line: bytes) -> None:
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise GatewayError(UPSTREAM_RESPONSE, f"status line {line[:60]!r}")
        minor, status, reason = found.groups()
        self.version = "1." + minor.decode("ascii")
        self.status = int(status)
        self.line = b"HTTP/1.1 %b %b" % (status, reason or b"")


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
        if len(line) <= 128:
            self.status_lines[line] = read
        return read


class Response:
    """The head under way on one upstream connection; used again for each. Each head gets a parser as good as new, so
    that HEAD, a body counted past the parser, or what one upstream left behind cannot colour the next."""

    __slots__ = (
        "_fields", "_heads", "_parser", "binds", "forged", "framing", "interim", "keep_alive", "lines", "on_body",
        "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete", "on_message_begin",
        "on_message_complete", "on_status", "ours", "rare", "status", "status_line",
    )  # fmt: skip

    def __init__(self, heads: ResponseHeads, *, ours: bool) -> None:
        """`ours`: the portal's answer, whose Set-Cookie of our names may pass."""
        self._heads = heads
        self.ours = ours
        self._fields: dict[bytes, bytes] = {}
        self.on_header = self._fields.setdefault
        self.on_body = self.on_chunk_header = self.on_chunk_complete = self.on_status = None
        self.on_headers_complete = self.on_message_begin = self.on_message_complete = None
        self._parser = HttpResponseParser(self)
        self.rare: dict[int, bytes] = {}
        self.forged: list[int] = []
        self.lines: list[bytes] = []
        self.status = 0
        self.status_line = b""
        self.framing = NO_BODY
        self.keep_alive = False
        self.binds = False
        self.interim = False

    def read(self, head: bytes, method: bytes) -> None:
        """`head` ends with its empty line. Raises GatewayError(UPSTREAM_RESPONSE)."""
        fields = self._fields
        fields.clear()
        self._parse(head)
        line = head[: head.find(b"\n") + 1]
        known = self._heads.status_lines.get(line) or self._heads.status_line(line)
        self.status, self.status_line = known.status, known.line
        if head.count(b"\n") == len(fields) + 2:
            names, values = tuple(fields), list(map(bytes.rstrip, fields.values()))
        else:
            # A name comes more than once, as Set-Cookie often does.
            collected = Collected(head, HttpResponseParser, HttpParserUpgrade)
            names, values = tuple(collected.names), collected.values
        shapes = self._heads.shapes
        shape = shapes.known.get(names) or shapes.learn(names)
        rare = self.rare
        rare.clear()
        self.forged.clear()
        if shape.rare:
            self._read_rare(shape, values)
        connection = joined(values, shape.connections, b", ")
        lines = self.lines = shape.lines(values)
        for place in self.forged:
            # Invariant 4: an upstream's cookie of our names never reaches the browser.
            lines[2 * place] = lines[2 * place + 1] = b""
        if connection is None or connection in _USUAL:
            self.keep_alive = known.version == "1.1" or connection is not None
        else:
            self._connection(connection, known)
        self._frame(method, known)

    def _parse(self, head: bytes) -> None:
        parser = self._parser
        parser.__init__(self)  # type: ignore[misc]
        try:
            parser.feed_data(head)
        except HttpParserUpgrade:
            raise GatewayError(UPSTREAM_RESPONSE, "switches protocols unasked") from None
        except HttpParserError as error:
            raise GatewayError(UPSTREAM_RESPONSE, str(error)) from None

    def _read_rare(self, shape: Shape, values: list[bytes]) -> None:
        rare, forged = self.rare, self.forged
        for place, verdict in shape.rare:
            value = values[place]
            if verdict == SET_COOKIE:
                if not self.ours and is_ours(value):
                    forged.append(place)
            else:
                rare[verdict] = rare[verdict] + b", " + value if verdict in rare else value

    def _connection(self, connection: bytes, known: StatusLine) -> None:
        options = [option.strip(b" \t").lower() for option in connection.split(b",")]
        self.keep_alive = b"close" not in options and (known.version == "1.1" or b"keep-alive" in options)
        tokens = connection_tokens((connection,))
        if tokens:
            self.lines = without_named(self.lines, tokens)

    def _frame(self, method: bytes, known: StatusLine) -> None:
        rare = self.rare
        self.interim = known.status < 200
        self.framing = response_framing(
            method, known.status, known.version, rare.get(CONTENT_LENGTH), rare.get(TRANSFER_ENCODING)
        )
        if self.framing == UNTIL_CLOSE:
            self.keep_alive = False
        self.binds = known.status == 401 and AUTHENTICATE in rare and binds_connection(rare[AUTHENTICATE])

    def framing_lines(self, version: str) -> bytes:
        """What tells the client where the body ends; b"" where only the end of the connection can."""
        if self.framing >= 0:
            return b"\r\nContent-Length: %d" % self.framing
        if self.framing == NO_BODY:
            # RFC 9110 8.6: a HEAD or 304 answer may say how long the body would be.
            length = self.rare.get(CONTENT_LENGTH)
            return b"" if length is None or self.status == 204 else b"\r\nContent-Length: " + length
        return b"\r\nTransfer-Encoding: chunked" if version == "1.1" else b""

    @property
    def self_delimited(self) -> bool:
        return self.framing not in {CHUNKED, UNTIL_CLOSE}
