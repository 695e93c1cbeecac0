"""An upstream's response head, read once and written anew for the browser."""

import re
from collections.abc import Iterator
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.header_layout import HeaderLayout, HeaderLayouts, HeaderLines, Names, joined, memorable
from gateway.proxy.http1.known_responses import KnownResponse, KnownResponses
from gateway.proxy.http1.response_reader import ResponseReader
from gateway.wire.cookies import SESSION_COOKIE, is_ours
from gateway.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, response_framing
from gateway.wire.headers import (
    AUTHENTICATE,
    CLEAR_SITE_DATA,
    CONTENT_LENGTH,
    EDITED,
    FRONT_ORDER,
    SET_COOKIE,
    TRANSFER_ENCODING,
    TRANSPORT_SECURITY,
    ResponsePolicy,
    binds_connection,
)
from gateway.wire.hop_by_hop import connection_tokens, without_named
from gateway.wire.lenient_heads import check_lines
from gateway.wire.response_edits import HostEdits
from gateway.wire.response_guard import CACHE_DIRECTIVES, STRICT, ResponseLeniency, cleared, ends_hsts, orders_a_front

# The reason phrase is the upstream's own, and may be empty.
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\t \x21-\x7e\x80-\xff]*)?\r\n")
_STATUS_LINES: Final = 512
_LONGEST_STATUS_LINE: Final = 128
_LAYOUTS: Final = 512

# After this number of unknown heads in a row, only one head in this number is looked up.
_SELDOM: Final = 8

# A response up to this size is given to the C parser as a whole, with its body.
WHOLE: Final = 16 * 1024

# The Connection line of most servers: the only line to remove, because it is about a single connection.
_KEEP_ALIVE_LINE: Final = b"\r\nConnection: keep-alive\r\n"
_KEEP_ALIVE_LENGTH: Final = len(_KEEP_ALIVE_LINE) - 2

# The values of a connection that has received only usual responses.
_NONE: Final[list[bytes]] = []
_NOTHING: Final[dict[int, bytes]] = {}


class StatusLine:
    """`usual`: HTTP/1.1, with a status whose response has a body: Content-Length is the length of the body."""

    __slots__ = ("line", "status", "usual", "version")

    def __init__(self, line: bytes) -> None:
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise GatewayError(upstream_codes.RESPONSE, f"status line {line[:60]!r}")
        minor, status = found.groups()
        self.version = "1." + minor.decode("ascii")
        self.status = int(status)
        self.line = b"HTTP/1.1" + line[8:-2]
        self.usual = minor == b"1" and self.status >= 200 and self.status not in {204, 304}


class ResponseHeads:
    """Shared by the upstream connections of a worker, or by those of applications whose files edit the same lines:
    known names, status lines and whole heads. A usual response is forwarded unchanged except for the connection line.

    `edited`: names in lower case, as in ResponsePolicy.
    `adds`: the file adds lines, so no response is forwarded unchanged.
    """

    __slots__ = (
        "_adds", "_edits_cookies", "known", "layouts", "reader", "status_lines", "usual_layouts", "usual_lines",
    )  # fmt: skip

    def __init__(self, edited: frozenset[bytes] = frozenset(), *, adds: bool = False) -> None:
        self._adds = adds
        self.reader = ResponseReader()
        self.known = KnownResponses()
        self._edits_cookies = b"set-cookie" in edited
        self.layouts = HeaderLayouts(ResponsePolicy(edited), _LAYOUTS)
        self.status_lines: dict[bytes, StatusLine] = {}
        self.usual_lines: dict[bytes, StatusLine] = {}
        self.usual_layouts: dict[Names, HeaderLayout] = {}

    def status_line(self, line: bytes) -> StatusLine:
        """The slow half of a look-up in `status_lines`."""
        read = StatusLine(line)
        if len(self.status_lines) >= _STATUS_LINES:
            self.status_lines.clear()
            self.usual_lines.clear()
        if len(line) <= _LONGEST_STATUS_LINE:
            self.status_lines[line] = read
            if read.usual:
                self.usual_lines[line] = read
        return read

    def learn(self, names: Names) -> HeaderLayout:
        """The slow half of a look-up in `layouts.known`."""
        layout = self.layouts.learn(names)
        if len(self.usual_layouts) >= _LAYOUTS:
            self.usual_layouts.clear()
        goes_on = not (self._adds or (self._edits_cookies and layout.sets))
        usual = bool(layout.length) or not (layout.rare or layout.dropped)
        if usual and len(layout.connections) <= 1 and goes_on and memorable(names):
            self.usual_layouts[names] = layout
        return layout


class ResponseHead:
    """The head being read on one upstream connection, reused for each response. Kept small: a worker has thousands.

    `_last_head`: the last usual head. The next fields follow from its bytes alone.
    `_last_length`: the length of the last usual response; -1: the next response cannot be compared.
    `_last_status`: the status of the last usual response.
    `_cut`: the position of the connection line; -1: none.
    `_directed`: the head directs caches.
    `_unknown`: the number of responses since the last known head.
    `left`: the bytes of the body still to come.
    `is_changed`: the body is changed (proxy/filters), so digests in the head are wrong.
    `ours`: lines of ours, sent to the client with the head.
    """

    __slots__ = (
        "_connection", "_cut", "_directed", "_heads", "_known", "_last_head", "_last_length", "_last_status", "_layout",
        "_unknown", "_values", "binds", "framing", "is_changed", "keep_alive", "left", "ours", "rare", "status",
    )  # fmt: skip

    _known: StatusLine
    _layout: HeaderLayout

    def __init__(self, heads: ResponseHeads) -> None:
        self._heads = heads
        self._last_head = b""
        self._last_length = self._cut = -1
        self._last_status = self._unknown = self.left = 0
        self._directed = True
        self._values = _NONE
        self._connection: bytes | None = None
        self.rare = _NOTHING
        self.status = 0
        self.framing = NO_BODY
        self.keep_alive = self.binds = self.is_changed = False
        self.ours = b""

    def usual(self, data: bytes, end: int, cache: bytes = b"") -> bytes:
        """The bytes for a client that keeps its HTTP/1.1 connection, if `data` is a usual response (head up to `end`)
        or its beginning, and nothing more. Sets `status` and `left`. b"": not usual, and the fields set here are void.

        `cache`: the ready cache line for a response that does not direct caches.

        A response to HEAD is never usual: see ClientConnection.take_usual.
        """
        if len(data) == self._last_length and data.startswith(self._last_head):
            self.status, self.left = self._last_status, 0
        elif not self._find_known(data, end) and not (end < len(data) <= WHOLE and self._read_whole(data, end)):
            return b""
        self.binds = False
        self.keep_alive = True
        cut = self._cut
        if cache and not self._directed:
            line = end - 4
            head = data[:line] if cut < 0 else data[:cut] + data[cut + _KEEP_ALIVE_LENGTH : line]
            return head + cache + data[line:]
        return data if cut < 0 else data[:cut] + data[cut + _KEEP_ALIVE_LENGTH :]

    def _find_known(self, data: bytes, end: int) -> bool:
        """Whether the worker knows the head, whatever has come of the body."""
        self._unknown += 1
        if self._unknown > _SELDOM and self._unknown % _SELDOM:
            # The application seems to send no head twice.
            return False
        heads, head = self._heads.known, data[:end]
        key, length = heads.parts(head)
        known = heads.heads.get(key)
        if known is None:
            return False
        left = end + max(length, 0) - len(data)
        if left < 0:
            return False
        self._unknown = 0
        self.status, self._directed, self.left = known.status, known.directed, left
        self._cut = data.find(_KEEP_ALIVE_LINE, 0, end) if known.connected else -1
        self._last_length = -1
        if left == 0:
            # The next may be the same, byte for byte. Connections by the thousand share it.
            if head != known.last:
                known.last = head
            self._last_head, self._last_length, self._last_status = known.last, len(data), known.status
        return True

    def _read_whole(self, data: bytes, end: int) -> bool:
        heads = self._heads
        reader = heads.reader
        fields, parser = reader.fields, reader.parser
        fields.clear()
        if reader.stale:
            parser.__init__(reader)  # type: ignore[misc]
        reader.stale = True
        try:
            parser.feed_data(data)
            known = heads.usual_lines[data[: data.find(b"\n") + 1]]
            names = tuple(fields)
            layout = heads.usual_layouts[names]
        except (HttpParserError, HttpParserUpgrade, KeyError):
            return False
        # No name twice, and nothing beyond the body: so the parser stands where the next response begins.
        if not layout.length or fields[layout.length] != b"%d" % (len(data) - end):
            return False
        if data.count(b"\r\n", 0, end) != len(fields) + 2:
            return False
        # Invariant 4: an upstream's cookie of our names never reaches the browser.
        if layout.sets and is_ours(fields[layout.sets]):
            return False
        if layout.guarded and not all(_is_harmless(name, fields[name]) for name in layout.guarded):
            return False
        cut = data.find(_KEEP_ALIVE_LINE, 0, end) if layout.connections else -1
        if layout.connections and cut < 0:
            return False
        reader.stale = False
        directed = bool(layout.directs) and layout.is_directed(fields.values())
        self.left, self._cut, self._directed, self.status = 0, cut, directed, known.status
        # A cookie is one person's: the head is not kept, and does not come twice.
        self._last_length = -1
        if not layout.sets:
            self._last_head, self._last_length, self._last_status = data[:end], len(data), known.status
            if self._unknown <= _SELDOM or not self._unknown % _SELDOM:
                read = KnownResponse(self._last_head, known.status, connected=cut >= 0, directed=directed)
                heads.known.keep(self._last_head, names, read)
        return True

    def _learn(self, head: bytes, names: Names, status: StatusLine) -> None:
        """Remembers a head without repeated names, so that the next similar head needs no parser: for a body that
        arrives separately or is long, and for a 304, which has no body.
        """
        layout, fields = self._heads.usual_layouts.get(names), self._heads.reader.fields
        usual = status.usual or (status.status == 304 and status.version == "1.1")
        if layout is None or layout.sets or not usual or bool(layout.length) is (status.status == 304):
            return
        connected = bool(layout.connections)
        if connected and _KEEP_ALIVE_LINE not in head:
            return
        if all(_is_harmless(name, fields[name]) for name in layout.guarded):
            # A 304 does not revoke the directives of the stored response (RFC 9111 3.2).
            directed = not layout.length or layout.is_directed(fields.values())
            read = KnownResponse(head, status.status, connected=connected, directed=directed)
            self._heads.known.keep(head, names, read)

    def read(self, head: bytes, method: bytes) -> None:
        """`head` ends with its empty line. Raises GatewayError(upstream_codes.RESPONSE)."""
        reader, fields = self._heads.reader, self._heads.reader.fields
        fields.clear()
        reader.parser.__init__(reader)  # type: ignore[misc]
        reader.stale = True
        try:
            reader.parser.feed_data(head)
        except HttpParserUpgrade:
            # A 101: whether it was asked for is the connection's affair.
            pass
        except HttpParserError as error:
            raise GatewayError(upstream_codes.RESPONSE, str(error)) from None
        line = head[: head.find(b"\n") + 1]
        known = self._known = self._heads.status_lines.get(line) or self._heads.status_line(line)
        self.status = known.status
        lines = head.count(b"\r\n") - 2
        check_lines(lines)
        if lines == len(fields):
            names = tuple(fields)
            self._read(names, list(fields.values()), method)
            if self._unknown <= _SELDOM or not self._unknown % _SELDOM:
                self._learn(head, names, known)
        else:
            # A name comes more than once, as Set-Cookie often does.
            collected = HeaderLines(head, HttpResponseParser, HttpParserUpgrade)
            self._read(tuple(collected.names), collected.values, method)

    def _read(self, names: Names, values: list[bytes], method: bytes) -> None:
        known, heads = self._known, self._heads
        layout = heads.layouts.known.get(names) or heads.learn(names)
        rare = self.rare = {}
        self.is_changed, self.ours = False, b""
        layout.read_rare(values, rare)
        self._layout, self._values = layout, values
        connection = self._connection = joined(values, layout.connections, b", ")
        options = () if connection is None else [option.strip(b" \t").lower() for option in connection.split(b",")]
        self.keep_alive = b"close" not in options and (known.version == "1.1" or b"keep-alive" in options)
        length = rare.get(CONTENT_LENGTH)
        self.framing = response_framing(method, known.status, known.version, length, rare.get(TRANSFER_ENCODING))
        if self.framing == UNTIL_CLOSE:
            self.keep_alive = False
        self.binds = known.status == 401 and AUTHENTICATE in rare and binds_connection(rare[AUTHENTICATE])

    # --- written anew ---

    def pieces(
        self,
        leniency: ResponseLeniency = STRICT,
        edits: HostEdits | None = None,
        *,
        minor: bool,
        private: bool = False,
    ) -> list[bytes]:
        """Status line and header lines, the framing's among them. `minor`: whether the client speaks HTTP/1.1.
        `private`: whether somebody is signed in."""
        layout, values = self._layout, self._values
        lines = layout.lines(values)
        for place, verdict in layout.rare:
            # Invariant 4: an upstream's cookie of our names never reaches the browser.
            if verdict == SET_COOKIE and is_ours(values[place]):
                lines[2 * place] = lines[2 * place + 1] = b""
        if layout.guarded:
            _guard(layout, values, lines, leniency)
        added = b"" if edits is None else edits.apply(layout.rare, lines, is_changed=self.is_changed)
        private = private and self.status >= 200
        directed = not private or layout.is_directed(values)
        if self._connection is not None:
            tokens = connection_tokens((self._connection,))
            if tokens:
                lines = without_named(lines, tokens)
                directed = directed and (not private or CACHE_DIRECTIVES.isdisjoint(tokens))
        # A 304 updates a stored response (RFC 9111 3.2), and does not revoke its directives.
        cache = b"" if directed or self.status == 304 else leniency.cache
        # Browsers do not read added lines in an interim response.
        more = added + self.ours if self.status >= 200 else b""
        return [self._known.line, *lines, more, self._framing_line(minor=minor), cache]

    def _framing_line(self, *, minor: bool) -> bytes:
        """What tells the client where the body ends; b"" where only the end of the connection can."""
        if self.framing >= 0:
            return b"\r\nContent-Length: %d" % self.framing
        if self.framing == NO_BODY:
            # RFC 9110 8.6: a HEAD or 304 response may say how long the body would be.
            length = self.rare.get(CONTENT_LENGTH)
            return (
                b"" if length is None or self.status < 200 or self.status == 204 else b"\r\nContent-Length: " + length
            )
        return b"\r\nTransfer-Encoding: chunked" if minor else b""

    def value_of(self, name: bytes) -> bytes | None:
        """The joined value of the lines with this name, in lower case. Only for names that the application's edits
        name."""
        layout, values = self._layout, self._values
        places = tuple(
            place
            for place, verdict in layout.rare
            if verdict == EDITED and layout.skeleton[2 * place][2:-2].lower() == name
        )
        return joined(values, places, b", ")

    def sent(self) -> Iterator[tuple[bytes, bytes]]:
        """The end-to-end lines: names and values. Call it before `pieces`."""
        layout = self._layout
        for name, value in zip(layout.skeleton[::2], self._values, strict=True):
            if name:
                yield name[2:-2], value

    @property
    def connection(self) -> bytes | None:
        return self._connection

    def find(self, name: bytes, *, whole: bool = False) -> bytes | None:
        """The first forwarded value under this name, in lower case, edited or not.

        `whole`: the values joined as one list (RFC 9110 5.3).
        """
        named, names = connection_tokens((self._connection or b"",)), self._layout.skeleton[::2]
        both = () if name in named else zip(names, self._values, strict=True)
        found = [value for line, value in both if line[2:-2].lower() == name]
        return b", ".join(found if whole else found[:1]) if found else None

    def take_cookies(self, names: frozenset[bytes], *, goes_on: bool) -> tuple[bytes, ...]:
        """Takes the Set-Cookie values of cookies with these names. `goes_on`: browsers receive the cookies too."""
        taken = []
        for place, verdict in self._layout.rare:
            value = self._values[place]
            if verdict == SET_COOKIE and value.partition(b"=")[0].strip(b" \t") in names:
                taken.append(value)
                if not goes_on:
                    # Treated like our own cookie, which an application cannot set.
                    self._values[place] = SESSION_COOKIE
        return tuple(taken)

    def set_cookies(self) -> list[bytes]:
        """The values of the Set-Cookie lines."""
        return [self._values[place] for place, verdict in self._layout.rare if verdict == SET_COOKIE]

    @property
    def self_delimited(self) -> bool:
        return self.framing not in {CHUNKED, UNTIL_CLOSE}


def _is_harmless(name: bytes, value: bytes) -> bool:
    """Of a guarded line, for every application; what is not is looked at the long way, where one may have said more."""
    if name.lower() == b"clear-site-data":
        return cleared(value) == value
    return not orders_a_front(name.lower()) and not ends_hsts(value)


def _guard(layout: HeaderLayout, values: list[bytes], lines: list[bytes], leniency: ResponseLeniency) -> None:
    """Removes from `lines` the values that the application may not send."""
    for place, verdict in layout.rare:
        if verdict == CLEAR_SITE_DATA and not leniency.clear_site_data:
            left = cleared(values[place])
            lines[2 * place : 2 * place + 2] = (lines[2 * place], left) if left else (b"", b"")
        elif (verdict == TRANSPORT_SECURITY and not leniency.end_hsts and ends_hsts(values[place])) or (
            verdict == FRONT_ORDER and not leniency.front_orders
        ):
            lines[2 * place : 2 * place + 2] = (b"", b"")
