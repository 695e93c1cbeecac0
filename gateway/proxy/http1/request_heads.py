"""Request heads by their header names: the treatment of each line is decided once for heads with the same names."""

from collections.abc import Sequence
from itertools import compress
from typing import Final

from gateway.access.remembered import Newcomers, Remembered
from gateway.model.codes import limit_codes, wire_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.header_layout import Names, memorable
from gateway.wire.headers import (
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    FORWARDED_AS_READ,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    HOST,
    READ_AND_SENT,
    TRACEPARENT,
    TRACESTATE,
    UNSEEN,
    HeaderPolicy,
)

# Browsers of one kind send the same names in a few orders.
_HEADS: Final = 256
# The layouts: for the names of each head, a layout per policy.
_LAYOUTS: Final = 1024

# What is ours to read, where another value does not make the head another request. Of Content-Length, the number is
# read by us.
_OPAQUE: Final = frozenset(
    {HOST, CONNECTION, COOKIE, CONTENT_LENGTH, FORWARDED_FOR, FORWARDED_PROTO, TRACEPARENT, TRACESTATE}
)

LinePosition = tuple[int, int]
"""The index of a line, and where in it the value begins."""


class RequestLayout:
    """The treatment of each line of a head with these names, under one application's policy. Lines are b"Name: value".

    `goes`: for each line, whether the line is forwarded.
    `respelled`: forwarded lines with another spelling: b"Name: " of each.
    `cookies`, `connections`, `rare`: the lines that the gateway reads; `rare` with the verdict.
    `dropped`: names of lines that are dropped unread.
    `opaque`: whether other values, except of Connection, leave the head well-formed: no name repeats, and only
    Content-Length frames the message.
    `let_in`: as in HeadNames.
    """

    __slots__ = ("connections", "cookies", "dropped", "goes", "let_in", "opaque", "rare", "respelled")

    def __init__(self, names: Names, policy: HeaderPolicy) -> None:
        self.let_in = False
        verdicts = [policy.table.get(name, UNSEEN) or policy.learn(name) for name in names]
        at = [(place, len(name) + 2) for place, name in enumerate(names)]
        self.cookies = [at[place] for place, verdict in enumerate(verdicts) if verdict == COOKIE]
        self.connections = [at[place] for place, verdict in enumerate(verdicts) if verdict == CONNECTION]
        self.rare = [
            (*at[place], verdict)
            for place, verdict in enumerate(verdicts)
            if isinstance(verdict, int) and verdict not in {HOST, CONNECTION, COOKIE}
        ]
        self.dropped = [name for name, verdict in zip(names, verdicts, strict=True) if verdict is None]
        self.goes = [
            isinstance(verdict, bytes) or verdict in READ_AND_SENT or verdict in FORWARDED_AS_READ
            for verdict in verdicts
        ]
        self.respelled = [
            (place, begins, FORWARDED_AS_READ[verdict][2:])
            for place, begins, verdict in self.rare
            if verdict in FORWARDED_AS_READ
        ]
        read = {verdict for verdict in verdicts if isinstance(verdict, int)}
        once = len({name.lower() for name in names}) == len(names)
        self.opaque = once and read <= _OPAQUE and not self.dropped

    def lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """The forwarded lines."""
        if self.respelled:
            lines = list(lines)
            for place, begins, name in self.respelled:
                lines[place] = name + lines[place][begins:]
        return [*compress(lines, self.goes)]

    def read_rare(self, lines: Sequence[bytes]) -> dict[int, bytes]:
        """By verdict; what came several times is joined."""
        read: dict[int, bytes] = {}
        for place, begins, verdict in self.rare:
            value = lines[place][begins:]
            read[verdict] = read[verdict] + b", " + value if verdict in read else value
        return read


class HeadNames:
    """Header names in their order, and the position of the one Host line.

    `let_in`: a signed-in person sent a head with these names (gateway.access.remembered).
    """

    __slots__ = ("host", "let_in", "names")

    def __init__(self, names: Names) -> None:
        """Raises GatewayError."""
        self.names = names
        self.let_in = False
        lower = [name.lower() for name in names]
        # RFC 9112 3.2: exactly one.
        if lower.count(b"host") != 1:
            raise GatewayError(wire_codes.HOST, f"{lower.count(b'host')} Host headers")
        # RFC 9110 11.6.2: not a list. Two readers could choose different lines.
        if lower.count(b"authorization") > 1:
            raise GatewayError(wire_codes.HEADER, "two Authorization headers")
        self.host = lower.index(b"host")


class RequestHeads:
    """Parsed heads by their names, and their layouts. Layouts are remembered separately from heads: otherwise a
    stranger could make thousands of heads hold a layout for each application.
    """

    __slots__ = ("_layouts", "_most_lines", "_remembered", "by_names", "layouts")

    def __init__(self, newcomers: Newcomers, most_lines: int) -> None:
        """`most_lines`: the limit of lines in one head."""
        self._most_lines = most_lines
        self._remembered: Remembered[Names, HeadNames] = Remembered(newcomers, _HEADS)
        self.by_names = self._remembered.values
        self._layouts: Remembered[tuple[HeadNames, HeaderPolicy], RequestLayout] = Remembered(newcomers, _LAYOUTS)
        self.layouts = self._layouts.values

    def learn(self, names: Names) -> HeadNames:
        """The slow half of a look-up in `by_names`. Raises GatewayError."""
        # The limit on bytes is checked on arrival. The number of lines is checked here, once for the heads with the
        # same names.
        if len(names) > self._most_lines:
            raise GatewayError(limit_codes.HEADERS, f"over {self._most_lines} header lines")
        head = HeadNames(names)
        if memorable(names):
            self._remembered.add(names, head)
        return head

    def learn_layout(self, head: HeadNames, policy: HeaderPolicy) -> RequestLayout:
        """The slow half of a look-up in `layouts`."""
        layout = RequestLayout(head.names, policy)
        if memorable(head.names):
            self._layouts.add((head, policy), layout)
        return layout
