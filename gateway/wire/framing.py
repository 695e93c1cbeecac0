"""Where a message ends (RFC 9112 6.3), and the faults that the C parser accepts and we refuse.

llhttp itself refuses Content-Length beside Transfer-Encoding, two Content-Length, bare LF, obs-fold, NUL and odd chunk
sizes. The checks below cover faults that llhttp is known to accept.
"""

import re
from functools import cache
from typing import Final

from gateway.model.codes import upstream_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError

# No CONNECT, no TRACE.
METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
# Methods that an application's file may add: WebDAV (RFC 4918) and its relatives, which reach further than the path in
# the request line (wire/webdav.py).
NAMED_METHODS: Final = frozenset(
    b"ACL CHECKOUT COPY LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE PROPFIND PROPPATCH REPORT SEARCH UNLOCK".split()
)
ALL_METHODS: Final = METHODS | NAMED_METHODS
ALLOWED: Final = b", ".join(sorted(METHODS))

# The content after a head: a Content-Length, or one of these constants.
NO_BODY: Final = -1
CHUNKED: Final = -2
UNTIL_CLOSE: Final = -3
# For a request: no content has to be read.
NO_CONTENT: Final = frozenset({NO_BODY, 0})

# RFC 9112 3, without the CRLF. Groups: method, target, minor version. llhttp also accepts `GET  /`, `GET /` without a
# version, `HTTP/2.0` and `GET / RTSP/1.0`, and does not say so.
_LINE: Final = rb"(%b) ([\x21-\x7e]++) HTTP/1\.([01])"
REQUEST_LINE: Final = re.compile(_LINE % b"|".join(sorted(METHODS)))
_ANY_LINE: Final = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]++) ([^ \r\n]++)(?: ([^ \r\n]++))?")

# RFC 9112 6.2, with a single spelling for a number. 18 digits fit into every counter.
_LENGTH: Final = re.compile(rb"(?:0|[1-9][0-9]{0,17}+)[ \t]*+")


@cache
def request_line_of(named: tuple[str, ...]) -> re.Pattern[bytes]:
    """REQUEST_LINE for an application whose file adds the methods `named`."""
    return re.compile(_LINE % b"|".join(sorted(METHODS | {name.encode("ascii") for name in named})))


def request_line_fault(line: bytes, named: tuple[str, ...] = ()) -> GatewayError:
    """The error for a first line that does not match REQUEST_LINE, with the methods `named`."""
    match = _ANY_LINE.fullmatch(line)
    if match is None:
        return GatewayError(wire_codes.SYNTAX, f"no request line: {line.partition(b'?')[0][:40]!r}")
    method, target, version = match.groups()
    if version not in {b"HTTP/1.1", b"HTTP/1.0"}:
        return GatewayError(wire_codes.VERSION, f"{version or b'no version'!r:.40}")
    if method not in METHODS and method.decode("ascii") not in named:
        return GatewayError(wire_codes.METHOD, repr(method[:20]))
    return GatewayError(wire_codes.TARGET, f"a byte that is not allowed here: {target.partition(b'?')[0][:120]!r}")


def request_framing(
    method: bytes,
    version: str,
    hosts: int,
    content_length: bytes | None,
    transfer_encoding: bytes | None,
    upgrade: bytes | None,
    expect: bytes | None,
) -> int:
    """The content after the head of a request: a length, or one of the constants above. Raises GatewayError, with a
    code for each fault. A header that came several times is joined by b", "; an absent header is None.

    `version`: "1.1" or "1.0".
    `hosts`: the number of Host lines.
    """
    if method not in ALL_METHODS:
        raise GatewayError(wire_codes.METHOD, repr(method[:20]))
    if version not in {"1.1", "1.0"}:
        raise GatewayError(wire_codes.VERSION, version)
    # RFC 9112 3.2: exactly one Host. HTTP/1.0 may omit Host, but the gateway could not find the application.
    if hosts != 1:
        raise GatewayError(wire_codes.HOST, f"{hosts} Host headers")
    # RFC 9110 10.1.1
    if expect is not None and expect.strip(b" \t").lower() != b"100-continue":
        raise GatewayError(wire_codes.EXPECT, repr(expect[:40]))
    framing = _framing(version, content_length, transfer_encoding, wire_codes.FRAMING)
    # Readers would differ on whether the next bytes are content or the new protocol.
    if upgrade is not None and framing not in NO_CONTENT:
        raise GatewayError(wire_codes.UPGRADE, "Upgrade with a body")
    return framing


def expects_continue(version: str, expect: bytes | None, framing: int) -> bool:
    """Whether the client waits for a 100 before it sends content. HTTP/1.0 has no 100 (RFC 9110 10.1.1)."""
    return expect is not None and version == "1.1" and framing not in NO_CONTENT


def response_framing(
    request_method: bytes, status: int, version: str, content_length: bytes | None, transfer_encoding: bytes | None
) -> int:
    """The content after the head of an upstream's response. `version`: from the parser, "1.1" or "1.0".

    llhttp also accepts `HTTP/2.0`, and statuses from 000 to 999. Raises GatewayError, with a code for each fault.
    """
    if version not in {"1.1", "1.0"} or not 100 <= status <= 599:
        raise GatewayError(upstream_codes.RESPONSE, f"HTTP/{version} {status}")
    framing = _framing(version, content_length, transfer_encoding, upstream_codes.RESPONSE)
    # RFC 9112 6.3 (1)
    if request_method == b"HEAD" or status in {204, 304} or status < 200:
        return NO_BODY
    # RFC 9112 6.3 (8)
    return UNTIL_CLOSE if framing == NO_BODY else framing


def _framing(version: str, content_length: bytes | None, transfer_encoding: bytes | None, fault: Code) -> int:
    if transfer_encoding is not None:
        # RFC 9112 6.1: never beside a length, never in HTTP/1.0. No client uses other codings than chunked.
        if version == "1.0" or content_length is not None or transfer_encoding.strip(b" \t").lower() != b"chunked":
            raise GatewayError(fault, f"Transfer-Encoding {transfer_encoding[:40]!r} in HTTP/{version}")
        return CHUNKED
    if content_length is None:
        return NO_BODY
    if _LENGTH.fullmatch(content_length) is None:
        raise GatewayError(fault, f"Content-Length {content_length[:40]!r}")
    return int(content_length)
