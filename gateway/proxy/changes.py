"""From the head before to this one: what of its lines has changed, where that needs no parser to tell.

A client's next head mostly is its last one with a few other values. Where the C parser has taken the whole of the one
before, the same bytes with other text in the place of some values are as well-formed as they were, and have the same
names: a value without CR, LF, NUL and other controls is opaque to HTTP/1.1 (RFC 9110 5.5). Lines whose value says
where a message or a connection ends, or whom it is for, are not of these: of Content-Length, the number is read by us.
"""

import re
from itertools import compress
from operator import ne
from typing import Final

# RFC 9110 5.5: field-content, and the blanks behind it.
_VALUE: Final = re.compile(rb"[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*+")

# More lines than any head that is remembered has.
_PLACES: Final = range(1024)

Change = tuple[int, bytes]


def changes(before: list[bytes], now: list[bytes], beginnings: tuple[bytes, ...]) -> list[Change] | None:
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
