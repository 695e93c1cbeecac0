"""The request under way on a client connection: one slotted object per connection, used again for each request.

`parse` and `read` turn the bytes of one head into facts and into the scrubbed lines for upstream. The C parser only
fills two collections; nothing of ours runs inside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Final

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

from gateway.access.outcome import CompiledDecision, Prepared
from gateway.access.program import ProgramToken
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import VirtualHost
from gateway.model.codes import WIRE_FRAMING, WIRE_METHOD, WIRE_SYNTAX, WIRE_TARGET, Code
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.proxy.http1.header_delta import NOTHING, ChangedValue, PreviousHead
from gateway.proxy.http1.header_layout import CHANGEABLE, HeaderLayout, HeaderLines, Names, joined
from gateway.proxy.lane import Lane
from gateway.proxy.tables import RequestTables
from gateway.wire.addresses import parse_address
from gateway.wire.framing import NO_BODY, NO_CONTENT, expects_continue, request_framing
from gateway.wire.headers import (
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    METHOD_OVERRIDE,
    METHOD_OVERRIDE_ODD,
    TRANSFER_ENCODING,
    UPGRADE,
    binds_connection,
)
from gateway.wire.hop_by_hop import HOP_BY_HOP, connection_tokens, without_named
from gateway.wire.method_override import HEADERS

# Connection values that name no header and say nothing but "as usual".
_USUAL: Final = frozenset({b"keep-alive", b"Keep-Alive"})


class Request:
    """Valid from `read` (or `same_lines`) until the next one. `lines`: those of the client that go on, as pieces.

    What is found out on the walk (walk.py) holds as long as the lines are the same, if `admitted`: `credential`, the
    value of our cookie, or a program's token; `cookie_rest`, what of the Cookie line is the application's; `client`,
    who sent it. `middle`: all that stands between request line and request id when `middle_of` is what is injected.
    `decided`: what policy decided, None before that.
    """

    __slots__ = (
        "_before", "_fields", "_parser", "_values", "admitted", "bound", "client", "cookie", "cookie_rest",
        "credential", "decided", "expects", "framing", "host", "id", "keep_alive", "lane", "line", "lines", "middle",
        "middle_of", "names", "on_body", "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete",
        "on_message_begin", "on_message_complete", "on_url", "rare", "seat", "started",
    )  # fmt: skip

    host: VirtualHost[Lane]
    lane: Lane
    line: RequestLine

    def __init__(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        # All that the C parser calls is this C function. It keeps the first line of a name; `parse` counts lines.
        self.on_header = self._fields.setdefault
        self.on_url = self.on_body = self.on_chunk_header = self.on_chunk_complete = None
        self.on_headers_complete = self.on_message_begin = self.on_message_complete = None
        self._parser = HttpRequestParser(self)
        self._values: list[bytes] = []
        self._before = PreviousHead()
        self.names: Names = ()
        self.lines: list[bytes] = []
        self.middle = b""
        self.middle_of: Prepared | None = None
        self.rare: dict[int, bytes] = {}
        self.cookie: bytes | None = None
        self.client = ""
        self.credential: bytes | ProgramToken | None = None
        self.cookie_rest = b""
        self.admitted = False
        self.framing = NO_BODY
        self.expects = self.bound = False
        self.keep_alive = True
        self.seat: Seat | None = None
        self.decided: CompiledDecision | None = None
        self.id = b""
        self.started = 0.0

    # --- the C parser ---

    def parse_usual(self, data: bytes) -> bool:
        """Whether `data` is exactly one well-formed head without a repeated name; if so, it is parsed.

        `data` ends with an empty line. Where more than one head, a body or a repeated name is in it, it has more
        lines than the parser has found names.
        """
        fields = self._fields
        fields.clear()
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.fresh()
            return False
        if not fields or data.count(b"\r\n") != len(fields) + 2:
            self.fresh()
            return False
        self.names = tuple(fields)
        self._values = list(map(bytes.rstrip, fields.values()))
        # Room that an idle connection need not hold.
        fields.clear()
        return True

    def parse(self, head: bytes) -> None:
        """Any one head, up to the end of its empty line. Raises GatewayError."""
        try:
            # llhttp stops at any Upgrade; what follows the head is read by us in every case.
            lines = HeaderLines(head, HttpRequestParser, HttpParserUpgrade)
        except HttpParserInvalidMethodError as error:
            raise GatewayError(WIRE_METHOD, str(error)) from None
        except HttpParserError as error:
            raise GatewayError(_syntax_code(str(error)), str(error)) from None
        self.names, self._values = tuple(lines.names), lines.values

    def fresh(self) -> None:
        """Whatever the parser was at, it begins anew."""
        self._parser = HttpRequestParser(self)

    # --- from lines to facts ---

    def same_lines(self, head: bytes, tables: RequestTables) -> bool:
        """Whether the header lines are those of the request before, as a browser's often are, byte for byte or but for
        values that need no parser: then what was read from them still holds, and only what is new is read. Where not,
        `read` has to follow. Raises GatewayError."""
        before = self._before
        if tables.number != before.number:
            return False
        lane = self.lane
        text, _, block = head.partition(b"\r\n")
        found = NOTHING if block == before.block else before.delta(block, lane.limits.headers_bytes)
        if found is None:
            return False
        line = lane.lines.get(text) or lane.read_line(text)
        if line.authority is not None:
            return False
        self.line = line
        self.keep_alive = line.minor or before.kept_alive
        if found:
            self._take(found, before.ours)
        return True

    def _take(self, found: Sequence[ChangedValue], ours: Mapping[int, int]) -> None:
        self.middle_of = None
        for place, value in found:
            if place in ours:
                self._read_change(ours[place], value)
            else:
                self.lines[2 * place + 1] = self._values[place] = value

    def _read_change(self, verdict: int, value: bytes) -> None:
        """Of a line that is ours to read."""
        self.admitted = False
        if verdict == COOKIE:
            self.cookie = value
        else:
            self.rare[verdict] = value
            if verdict == CONTENT_LENGTH:
                self._frame(self.line)

    def read(self, head: bytes, tables: RequestTables) -> None:
        """What the parsed lines say. Raises GatewayError."""
        names, values = self.names, self._values
        self._before.forget()
        self.middle_of = None
        self.admitted = False
        known = tables.heads.get(names) or tables.learn_head(names)
        # All connections with these names share them.
        self.names = known.names
        raw = values[known.host]
        host = self.host = tables.by_host.get(raw) or tables.find(raw)
        lane = self.lane = host.lane
        layout = known.layouts.get(lane.policy) or known.learn(names, lane.policy)
        rare = self.rare
        rare.clear()
        if layout.rare:
            layout.read_rare(values, rare)
        self.cookie = joined(values, layout.cookies, b"; ")
        connection = joined(values, layout.connections, b", ")
        self.lines = layout.lines(values)
        text, _, block = head.partition(b"\r\n")
        line = self.line = lane.lines.get(text) or lane.read_line(text)
        self.keep_alive = line.minor or connection is not None
        if connection is not None and connection not in _USUAL:
            self._connection(connection, line)
        elif not layout.dropped and rare.keys() <= CHANGEABLE:
            self._before.keep(block, tables.number, layout, kept_alive=connection is not None)
        if layout.dropped or line.authority is not None:
            self._unusual(layout, line)
        if rare:
            if METHOD_OVERRIDE in rare or METHOD_OVERRIDE_ODD in rare:
                self._override(line)
            self._frame(line)
            if self.framing not in NO_CONTENT:
                # The body goes past the parser.
                self.fresh()
        else:
            self.framing = NO_BODY
            self.expects = self.bound = False

    def _connection(self, connection: bytes, line: RequestLine) -> None:
        options = [option.strip(b" \t").lower() for option in connection.split(b",")]
        self.keep_alive = b"close" not in options and (line.minor or b"keep-alive" in options)
        tokens = connection_tokens((connection,))
        if tokens:
            self.lines = without_named(self.lines, tokens)

    def _unusual(self, layout: HeaderLayout, line: RequestLine) -> None:
        if line.authority is not None and line.authority != self.host.name:
            raise GatewayError(WIRE_TARGET, "absolute form of another host")
        if any(name.lower() not in HOP_BY_HOP for name in layout.dropped):
            self.lane.stripped += 1

    def _override(self, line: RequestLine) -> None:
        header, other = self.rare.get(METHOD_OVERRIDE, b""), self.rare.get(METHOD_OVERRIDE_ODD, b"")
        if header and not any(name[2:-2].lower() in HEADERS for name in self.lines[::2]):
            # A Connection option took it off the message: the application will not see it.
            header, other = b"", header
        self.line = self.lane.overridden(line, header, other)

    def _frame(self, line: RequestLine) -> None:
        rare = self.rare
        upgrade, expect = rare.get(UPGRADE), rare.get(EXPECT)
        self.framing = request_framing(
            line.method, line.version(), 1, rare.get(CONTENT_LENGTH), rare.get(TRANSFER_ENCODING), upgrade, expect
        )
        self.expects = expects_continue(line.version(), expect, self.framing)
        self.bound = AUTHORIZATION in rare and binds_connection(rare[AUTHORIZATION])

    @property
    def fields(self) -> Iterable[tuple[bytes, bytes]]:
        """What was asked, for the navigation test and the pages; lines that do not go on have an empty value."""
        return zip(self.names, self._values, strict=True)

    def field(self, name: bytes) -> bytes:
        """The first value of a header, `name` in lower case; empty where there is none."""
        return next((value for key, value in self.fields if key.lower() == name), b"")

    def facts(self) -> RequestFacts:
        """What rules may ask of it: what the application will be given, and nothing that is dropped, so that a header
        that a Connection option took off the message is not among them."""
        lines, target = self.lines, self.line.target
        return RequestFacts(
            client=parse_address(self.client),
            headers=tuple(
                (name[2:-2].decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in zip(lines[::2], lines[1::2], strict=True)
                if name
            ),
            path="/" + "/".join(target.segments),
            query=(target.query or b"").decode("latin-1"),
            now=time(),
        )

    def values_of(self, name: bytes) -> set[bytes]:
        """Every value of a header, `name` in lower case."""
        return {value for key, value in self.fields if key.lower() == name}


def _syntax_code(reason: str) -> Code:
    return WIRE_FRAMING if "Content-Length" in reason or "Transfer-Encoding" in reason else WIRE_SYNTAX
