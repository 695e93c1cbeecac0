"""The request under way on a client connection: one slotted object per connection, used again for each request.

`read_usual` and `read_any` turn the bytes of one head into facts and into the scrubbed lines for upstream. The C parser
only fills collections; nothing of ours runs inside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Final

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

from gateway.access.outcome import CompiledDecision, Prepared
from gateway.access.program import ProgramToken
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import VirtualHost
from gateway.config.exchange_limits import ExchangeLimits
from gateway.model.codes import wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.proxy.http1.header_layout import HeaderLines, Names
from gateway.proxy.http1.request_heads import HeadNames, LinePosition, RequestLayout
from gateway.proxy.known_heads import KnownHead, parts
from gateway.proxy.lane import HostLane, Lane
from gateway.proxy.tables import RequestTables
from gateway.wire.addresses import parse_address
from gateway.wire.framing import NO_BODY, NO_CONTENT, expects_continue, request_framing
from gateway.wire.headers import (
    AUTHORIZATION,
    CONTENT_LENGTH,
    DEPTH,
    DESTINATION,
    EXPECT,
    IF,
    METHOD_OVERRIDE,
    METHOD_OVERRIDE_ODD,
    TRANSFER_ENCODING,
    UPGRADE,
    binds_connection,
)
from gateway.wire.hop_by_hop import HOP_BY_HOP, connection_tokens, not_named
from gateway.wire.method_override import HEADERS

# Connection values that name no header and ask for the default.
_USUAL: Final = frozenset({b"keep-alive", b"Keep-Alive"})

# A connection keeps the header lines of its last request up to this size.
_REMEMBERED: Final = 2048
_HOST_BEGINS: Final = len(b"Host: ")
NOTHING: Final[Mapping[int, bytes]] = {}


class Request:
    """The head under way. Valid from `read_usual` or `read_any` until the next call.

    `admitted`: `credential`, `cookie_rest` and `client` still hold, because the lines behind them have not changed.
    `credential`: the value of our cookie, or a program's token.
    `cookie_rest`: the application's part of the Cookie line.
    `client`: the sender's address.
    `middle`: the bytes between request line and request id, made for `middle_of`.
    `middle_of`: the injected lines in `middle`.
    `limits`: the limits on the request's path.
    `decided`: policy's decision; None before the decision.
    `unkept`: the worker remembers the head once the request is let in.
    """

    __slots__ = (
        "_block", "_fields", "_head", "_kept_alive", "_known", "_layout", "_lines", "_parser", "_tables_number",
        "_values", "_whole", "admitted", "bound", "client", "cookie", "cookie_rest", "credential", "decided", "expects",
        "framing", "host", "id", "keep_alive", "lane", "limits", "line", "middle", "middle_of", "on_body",
        "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete", "on_message_begin",
        "on_message_complete", "on_url", "rare", "seat", "started", "unkept",
    )  # fmt: skip

    host: VirtualHost[HostLane]
    lane: HostLane
    limits: ExchangeLimits
    line: RequestLine
    _head: HeadNames
    _layout: RequestLayout

    def __init__(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        # The C parser calls only this C function, which keeps the first line of a name; `_parsed` counts lines.
        self.on_header = self._fields.setdefault
        self.on_url = self.on_body = self.on_chunk_header = self.on_chunk_complete = None
        self.on_headers_complete = self.on_message_begin = self.on_message_complete = None
        self._parser = HttpRequestParser(self)
        # The header lines of the request before as they came, under the tables of this number; b"" where the next head
        # may not be like it.
        self._block = b""
        self._tables_number = -1
        self._kept_alive = False
        # A head that needed no parser, with its own values. The lines are assembled on demand.
        self._known: KnownHead | None = None
        self._values: Sequence[bytes] = ()
        self._whole: list[bytes] = []
        self._lines: list[bytes] = []
        self.middle = b""
        self.middle_of: Prepared | None = None
        self.rare: Mapping[int, bytes] = NOTHING
        self.cookie: bytes | None = None
        self.client = ""
        self.credential: bytes | ProgramToken | None = None
        self.cookie_rest = b""
        self.admitted = self.unkept = False
        self.framing = NO_BODY
        self.expects = self.bound = False
        self.keep_alive = False
        self.id = b""
        self.started = 0.0
        self.decided: CompiledDecision | None = None
        self.seat: Seat | None = None

    @property
    def application(self) -> Lane:
        """The lane of the request's application. Call it only for a request that policy decides on."""
        assert isinstance(self.lane, Lane)
        return self.lane

    # --- from bytes to lines ---

    def read_usual(self, head: bytes, tables: RequestTables, longest: int) -> bool:
        """Reads `head` and returns True if it is one well-formed head in a usual form, of at most `longest` bytes.
        Raises GatewayError."""
        end = head.find(b"\r\n")
        text, block = head[:end], head[end:]
        if block == self._block and tables.number == self._tables_number:
            # The header lines of the request before, byte for byte: what was read of them holds.
            lane = self.lane
            line = lane.lines.get(text) or lane.read_line(text)
            if line.authority is None:
                self.line = line
                self.keep_alive = line.minor or self._kept_alive
                return True
        if len(head) > longest:
            return False
        key, values = parts(block)
        host = tables.by_host.get(values[0])
        if host is not None:
            known = tables.known.heads.get((host.lane.policy, key))
            if known is not None and self.read_as(known, host, values, text, block, tables):
                return True
        names = self._parsed(head)
        if names is None:
            return False
        stripped = map(bytes.rstrip, self._fields.values())
        lines = [b"%b: %b" % line for line in zip(names, stripped, strict=True)]
        # Room that an idle connection need not hold.
        self._fields.clear()
        if self._read(names, lines, text, tables) and len(block) <= _REMEMBERED:
            self._block = block
        if self.framing not in NO_CONTENT:
            # The body goes past the parser.
            self.fresh()
        return True

    def read_as(
        self, known: KnownHead, host: VirtualHost[HostLane], values: Sequence[bytes], text: bytes, block: bytes,
        tables: RequestTables,
    ) -> bool:  # fmt: skip
        """Reads a head that repeats a known head with these values. Returns False if the host, the request line or the
        number of values does not allow that.

        `host`: the host that the values name; its policy is the policy of `known`.
        `block`: the bytes split into `values`; b"": the next head is not compared with this head.
        Raises GatewayError.
        """
        # On a divided host, a different path may belong to a different application.
        if len(values) != len(known.goes) or host.is_divided:
            return False
        lane = host.lane
        line = lane.lines.get(text) or lane.read_line(text)
        if line.authority is not None:
            return False
        cookie = values[known.cookie] if known.cookie >= 0 else None
        rare = {verdict: values[at] for at, verdict in known.rare} if known.rare else NOTHING
        self.admitted = self.admitted and host is self.host and cookie == self.cookie and rare == self.rare
        self._block = b""
        self._tables_number, self._known, self._values = tables.number, known, values
        self.host, self.lane, self.line, self.cookie, self.rare = host, lane, line, cookie, rare
        self.middle_of = None
        self.unkept = False
        self._kept_alive = known.kept_alive
        self.keep_alive = line.minor or known.kept_alive
        if CONTENT_LENGTH in rare:
            self._frame(line)
        else:
            self.framing = NO_BODY
            self.expects = self.bound = False
        if len(block) <= _REMEMBERED:
            self._block = block
        return True

    def _parsed(self, data: bytes) -> Names | None:
        """Returns the names of one head, if no name is repeated. With a second head, a body or a repeated name, `data`
        has more lines than the parser found names."""
        fields = self._fields
        fields.clear()
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.fresh()
            return None
        if not fields or data.count(b"\r\n") != len(fields) + 2:
            self.fresh()
            return None
        return tuple(fields)

    def read_any(self, head: bytes, tables: RequestTables) -> None:
        """Reads one head in any form, up to the end of its empty line. Raises GatewayError."""
        try:
            # llhttp stops at any Upgrade; what follows the head is read by us in every case.
            found = HeaderLines(head, HttpRequestParser, HttpParserUpgrade)
        except HttpParserInvalidMethodError as error:
            raise GatewayError(wire_codes.METHOD, str(error)) from None
        except HttpParserError as error:
            raise GatewayError(_syntax_code(str(error)), str(error)) from None
        lines = [b"%b: %b" % line for line in zip(found.names, found.values, strict=True)]
        self._read(tuple(found.names), lines, head[: head.find(b"\r\n")], tables)

    def fresh(self) -> None:
        """Replaces the parser, so that no state of an earlier head remains."""
        self._parser = HttpRequestParser(self)

    # --- from lines to facts ---

    def _read(self, names: Names, lines: list[bytes], text: bytes, tables: RequestTables) -> bool:
        """Reads the facts from the parsed lines, each as b"Name: value". Returns whether the head may be remembered
        without its values. Raises GatewayError."""
        self._block = b""
        self.admitted = False
        self.middle_of = self._known = None
        heads = tables.heads
        head = heads.by_names.get(names) or heads.learn(names)
        # RFC 9112 3.2: the only Host line.
        raw = lines[head.host][_HOST_BEGINS:]
        host = tables.by_host.get(raw) or tables.find(raw)
        if host.below:
            host = host.at(text)
        lane = host.lane
        layout = heads.layouts.get((head, lane.policy)) or heads.learn_layout(head, lane.policy)
        rare = layout.read_rare(lines) if layout.rare else NOTHING
        self.host, self.lane, self.rare, self.cookie = host, lane, rare, _joined(lines, layout.cookies, b"; ")
        self._head, self._layout, self._whole, self._lines = head, layout, lines, layout.lines(lines)
        self.line = line = lane.lines.get(text) or lane.read_line(text)
        if host.foreign_paths:
            host.require_own(line.target)
        connection = _joined(lines, layout.connections, b", ")
        self.keep_alive = line.minor or connection is not None
        if connection is not None and connection not in _USUAL:
            self._connection(connection, line)
        if line.authority is not None and line.authority != host.name:
            raise GatewayError(wire_codes.TARGET, "absolute form of another host")
        if any(name.lower() not in HOP_BY_HOP for name in layout.dropped):
            lane.stripped += 1
        if rare:
            if METHOD_OVERRIDE in rare or METHOD_OVERRIDE_ODD in rare:
                self._override(line)
            if (DEPTH in rare or DESTINATION in rare or IF in rare) and isinstance(lane, Lane) and lane.is_dav:
                # Read of what goes on: a Connection option may have taken a line off.
                self.line = lane.reaching(self.line, self.sent(), host.name)
            self._frame(line)
        else:
            self.framing = NO_BODY
            self.expects = self.bound = False
        self._tables_number, self._kept_alive = tables.number, connection is not None
        usual = layout.opaque and line.authority is None and (connection is None or connection in _USUAL)
        # Lines are remembered by host only, and a different path may belong to a different application.
        usual = usual and not host.is_divided
        self.unkept = usual
        return usual

    def _connection(self, connection: bytes, line: RequestLine) -> None:
        options = [option.strip(b" \t").lower() for option in connection.split(b",")]
        self.keep_alive = b"close" not in options and (line.minor or b"keep-alive" in options)
        tokens = connection_tokens((connection,))
        if tokens:
            self.lines = not_named(self.lines, tokens)

    def _override(self, line: RequestLine) -> None:
        if not isinstance(self.lane, Lane):
            return
        header, other = self.rare.get(METHOD_OVERRIDE, b""), self.rare.get(METHOD_OVERRIDE_ODD, b"")
        if header and not any(of.partition(b":")[0].lower() in HEADERS for of in self.lines):
            # A Connection option removed the line: the application will not see it.
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

    def remember(self, tables: RequestTables) -> None:
        """Remembers a head that goes to an application, unless the live `tables` have replaced the tables of its
        reading."""
        self.unkept = False
        if tables.number == self._tables_number:
            person = self.seat is not None
            if person:
                self._head.let_in = self._layout.let_in = True
            tables.known.keep(self._head, self._layout, self.lane.policy, self._whole, person=person)

    def passed(self) -> bytes:
        """The forwarded lines, from the Host line to the end of the last line."""
        if self._known is not None:
            return self._known.passed(self.host.line, self._values)
        return b"\r\n".join((self.host.line, *self._lines))

    @property
    def lines(self) -> list[bytes]:
        """The client's forwarded lines, each as b"Name: value"."""
        if self._known is not None:
            self._unfold(self._known)
        return self._lines

    @lines.setter
    def lines(self, lines: list[bytes]) -> None:
        self._lines = lines

    def _unfold(self, known: KnownHead) -> None:
        self._head, self._layout, self._known = known.head, known.layout, None
        self._whole = known.lines(self._values)
        self._lines = known.layout.lines(self._whole)

    @property
    def dropped(self) -> Sequence[bytes]:
        """Names of the lines that are neither read nor forwarded. A known head has no such lines."""
        return () if self._known is not None else self._layout.dropped

    @property
    def whole(self) -> list[bytes]:
        """The lines of the client, as b"Name: value"."""
        if self._known is not None:
            self._unfold(self._known)
        return self._whole

    @property
    def fields(self) -> Iterable[tuple[bytes, bytes]]:
        """The header lines, for the navigation test and the pages. A line that is not forwarded has an empty value."""
        if self._known is not None:
            self._unfold(self._known)
        for name, line, goes in zip(self._head.names, self._whole, self._layout.goes, strict=True):
            yield name, line[len(name) + 2 :] if goes else b""

    def field(self, name: bytes) -> bytes:
        """The first value of a header, `name` in lower case; empty if absent."""
        return next((value for key, value in self.fields if key.lower() == name), b"")

    def came(self, name: bytes) -> bytes | None:
        """The client's value of a header, `name` in lower case, even if the line is not forwarded. None: absent."""
        if self._known is not None:
            self._unfold(self._known)
        lines = zip(self._head.names, self._whole, strict=True)
        found = [line[len(key) + 2 :] for key, line in lines if key.lower() == name]
        return b", ".join(found) if found else None

    def sent(self) -> Iterable[tuple[bytes, bytes]]:
        """The names and values of the forwarded lines."""
        for line in self.lines:
            name, _, value = line.partition(b": ")
            yield name, value

    def facts(self) -> RequestFacts:
        """The facts for rules: only forwarded lines, so rules never see a header that a Connection option removed."""
        target, lines = self.line.target, (line.partition(b": ") for line in self.lines)
        return RequestFacts(
            client=parse_address(self.client),
            headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, _, value in lines),
            path="/" + "/".join(target.segments),
            query=(target.query or b"").decode("latin-1"),
            now=time(),
        )

    def values_of(self, name: bytes) -> set[bytes]:
        """Every value of a header, `name` in lower case."""
        return {value for key, value in self.fields if key.lower() == name}


def _syntax_code(reason: str) -> Code:
    return wire_codes.FRAMING if "Content-Length" in reason or "Transfer-Encoding" in reason else wire_codes.SYNTAX


def _joined(lines: list[bytes], places: list[LinePosition], by: bytes) -> bytes | None:
    """The value of a header that may have several lines; None if absent."""
    return by.join([lines[place][begins:] for place, begins in places]) if places else None
