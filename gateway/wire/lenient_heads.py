"""Repairs response heads that break RFC 9112, before further code reads the head. Repairs only the faults that the
application's file names. The strict reader refuses a head with further faults.
"""

import re
from typing import Final, Literal

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError

AcceptedFault = Literal[
    "bare_lf", "padded_chunk", "chunked_1_0", "odd_status", "zero_padded_length", "line_without_colon", "long_headers"
]

# Faults after which another reader on the way may see a different end of the response.
OF_FRAMING: Final[frozenset[AcceptedFault]] = frozenset(
    {"bare_lf", "padded_chunk", "chunked_1_0", "zero_padded_length", "line_without_colon"}
)

HEAD_BYTES: Final = 64 * 1024
LONG_HEAD_BYTES: Final = 256 * 1024
# The most lines of a head: lines are examined one by one, and some beside every other line.
HEAD_LINES: Final = 500

# RFC 9112 2.2: a recipient may take a single LF for the end of a line, and ignores a CR before it.
_END: Final = re.compile(rb"\n\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
# RFC 9110 15: a status outside 100 to 599 counts as a server error (500).
_ODD_STATUS: Final = re.compile(rb"(HTTP/1\.[01]) [6-9][0-9]{2}(?= |\Z)")
_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1")
_PADDED_LENGTH: Final = re.compile(rb"(?i:(content-length:[ \t]*+))0([0-9]{1,40}+)[ \t]*+")
_CHUNKED: Final = re.compile(rb"(?i:transfer-encoding):[ \t]*+(?i:chunked)[ \t]*+")
# A fold of the line before begins with a blank.
_NO_HEADER: Final = re.compile(rb"[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*+")
_NO_LETTER: Final = re.compile(rb"[^a-z]")
_FRAMING_NAMES: Final = (b"contentlength", b"transferencoding")


def longest_head(accepts: frozenset[AcceptedFault]) -> int:
    return LONG_HEAD_BYTES if "long_headers" in accepts else HEAD_BYTES


def check_lines(number: int) -> None:
    """Raises GatewayError(upstream_codes.RESPONSE) for more header lines than are looked at."""
    if number > HEAD_LINES:
        raise GatewayError(upstream_codes.RESPONSE, f"{number} header lines: over {HEAD_LINES}")


def head_end(data: bytes, accepts: frozenset[AcceptedFault]) -> int:
    """The end of the head; 0 while the head is incomplete."""
    if "bare_lf" in accepts:
        found = _END.search(data)
        return 0 if found is None else found.end()
    at = data.find(b"\r\n\r\n")
    return 0 if at < 0 else at + 4


def mended(head: bytes, accepts: frozenset[AcceptedFault]) -> bytes:
    """The head without the accepted faults. `head` ends with its empty line. If a fault concerned the framing, the
    result has
    `Connection: close`: bytes after this response are not read.

    Raises GatewayError(upstream_codes.RESPONSE) for an interim response with such a fault, since another response must
    follow, and for too many lines.
    """
    ends = _LINE_END if "bare_lf" in accepts else None
    lines = (head.split(b"\r\n") if ends is None else ends.split(head))[:-2]
    check_lines(len(lines) - 1)
    status, fields = lines[0], lines[1:]
    closes = ends is not None and head.count(b"\n") != head.count(b"\r\n")
    if "odd_status" in accepts:
        status = _ODD_STATUS.sub(rb"\1 500", status)
    if "line_without_colon" in accepts:
        kept = [line for line in fields if not _is_no_header(line)]
        closes = closes or len(kept) < len(fields)
        fields = kept
    if "zero_padded_length" in accepts:
        plain = [_PADDED_LENGTH.sub(_plain_length, line) if _PADDED_LENGTH.fullmatch(line) else line for line in fields]
        closes = closes or plain != fields
        fields = plain
    if any(map(_CHUNKED.fullmatch, fields)):
        if "chunked_1_0" in accepts and status.startswith(b"HTTP/1.0 "):
            status, closes = b"HTTP/1.1" + status[8:], True
        # Whether a size is padded shows only when the head has gone on.
        closes = closes or "padded_chunk" in accepts
    if closes:
        if _INTERIM.match(status):
            raise GatewayError(upstream_codes.RESPONSE, "an interim response with a fault that closes its connection")
        fields = [*fields, b"Connection: close"]
    return b"\r\n".join((status, *fields, b"", b""))


def _is_no_header(line: bytes) -> bool:
    """Whether a line has no colon, and cannot be mistaken for a line about the body's length."""
    if b":" in line or _NO_HEADER.fullmatch(line) is None:
        return False
    letters = _NO_LETTER.sub(b"", line.lower())
    return not any(name in letters for name in _FRAMING_NAMES)


def _plain_length(found: re.Match[bytes]) -> bytes:
    return found[1] + b"%d" % int(found[2])
