"""From the head before to this one: what of its lines has changed, where that needs no parser to tell.

A client's next head mostly is its last one with a few other values. Where the C parser has taken the whole of the one
before, the same bytes with other text in the place of some values are as well-formed as they were, and have the same
names: a value without CR, LF, NUL and other controls is opaque to HTTP/1.1 (RFC 9110 5.5). Lines whose value says
where a message or a connection ends, or whom it is for, are not of these: of Content-Length, the number is read by us.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import compress
from operator import ne
from typing import Final

from gateway.proxy.http1.header_layout import HeaderLayout

# A connection keeps the header lines of its last request, if they are no longer than this.
_REMEMBERED: Final = 2048

# RFC 9110 5.5: field-content, and the blanks behind it.
_VALUE: Final = re.compile(rb"[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*+")

# More lines than any head that is remembered has.
_PLACES: Final = range(1024)

ChangedValue = tuple[int, bytes]
NOTHING: Final[Sequence[ChangedValue]] = ()


class PreviousHead:
    """The head before on this connection, as far as the next may be like it.

    `number`: of the RequestTables that it was read under; -1, which is none's, where the next may not be like it.
    `block`: its header lines as they came. `ours`: see HeaderLayout. `kept_alive`: whether HTTP/1.0 was to be kept
    alive.
    """

    __slots__ = ("_alike", "_lines", "_layout", "block", "kept_alive", "number", "ours")

    def __init__(self) -> None:
        self.number = -1
        self.block = b""
        self.ours: Mapping[int, int] = {}
        self.kept_alive = False
        self._layout: HeaderLayout | None = None
        self._alike = True
        self._lines: list[bytes] = []

    def forget(self) -> None:
        self.number = -1

    def keep(self, block: bytes, number: int, layout: HeaderLayout, *, kept_alive: bool) -> None:
        """What the parser has read, where none but the layout's changeable lines could make the next one another
        request."""
        if len(block) > _REMEMBERED:
            return
        self.number, self.block, self.kept_alive = number, block, kept_alive
        # Where pages and images take turns, the next head is seldom like the last one.
        self._alike = self._layout is layout or self._layout is None
        self._layout, self._lines, self.ours = layout, [], layout.ours

    def delta(self, block: bytes, most: int) -> Sequence[ChangedValue] | None:
        """What is new in `block`, which then is the one before; None where the parser has to read it. `most`: bytes."""
        layout = self._layout
        if not self._alike or layout is None or len(block) > _REMEMBERED or len(block) >= most:
            return None
        lines = block.split(b"\r\n")
        found = header_delta(self._lines or self.block.split(b"\r\n"), lines, layout.beginnings)
        if found is not None:
            self.block, self._lines = block, lines
        return found


def header_delta(before: list[bytes], now: list[bytes], beginnings: tuple[bytes, ...]) -> list[ChangedValue] | None:
    """Place and new value of each line that is another one; None where the parser has to read them.

    `before`, `now`: all header lines, split at each CRLF, from behind the request line to the end of the empty line.
    The parser has read `before`. `beginnings`: b"Name: " of each of its lines whose value may change, b"" of others.
    """
    if len(now) != len(before):
        return None
    found = []
    for place in compress(_PLACES, map(ne, before, now)):
        # The two empty pieces at the end are of no line, and cannot differ.
        line, beginning = now[place], beginnings[place]
        value = line[len(beginning) :]
        if not beginning or not line.startswith(beginning) or _VALUE.fullmatch(value) is None:
            return None
        found.append((place, value.rstrip(b" \t")))
    return found
