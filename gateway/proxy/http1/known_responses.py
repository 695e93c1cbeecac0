"""Response heads that need no parser: a head that differs from an earlier head only in date, entity tag and length.

The connections of a worker share these heads. A head is remembered if the head is forwarded unchanged except for the
connection line, and if its header names carry no personal data: the values of a page are never kept, and a response
that sets a cookie is always parsed. A head that the C parser accepted stays valid with another date, tag or length:
date and tag are opaque to HTTP/1.1 (RFC 9110 5.5), and the length is read here.
"""

import re
from typing import Final

from gateway.proxy.http1.header_layout import Names

_MOST: Final = 1024
_LONGEST: Final = 2048

_SHARED: Final = frozenset(
    {
        b"accept-ranges", b"access-control-allow-credentials", b"access-control-allow-origin", b"cache-control",
        b"connection", b"content-encoding", b"content-language", b"content-length", b"content-type",
        b"cross-origin-opener-policy", b"cross-origin-resource-policy", b"date", b"etag", b"expires", b"last-modified",
        b"permissions-policy", b"pragma", b"referrer-policy", b"server", b"strict-transport-security", b"vary",
        b"x-content-type-options", b"x-frame-options", b"x-powered-by", b"x-xss-protection",
    }
)  # fmt: skip

_DATE: Final = re.compile(rb"[A-Za-z0-9 ,:]{29}")
_DATE_LENGTH: Final = len(b"Sun, 06 Nov 1994 08:49:37 GMT")
# RFC 9110 8.8.3
_TAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e]*+"')
# RFC 9112 6.2, with a single spelling for a number, as in wire/framing.py.
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]{0,17}")
_NONE: Final = b"", 0


class KnownResponse:
    """`connected`: the head has a connection line, which is cut.
    `directed`: the head directs caches.
    `last`: the last whole head, shared by the connections that received the head.
    """

    __slots__ = ("connected", "directed", "last", "status")

    def __init__(self, head: bytes, status: int, *, connected: bool, directed: bool) -> None:
        self.last = head
        self.status = status
        self.connected = connected
        self.directed = directed


class KnownResponses:
    """`heads`: by the bytes of the head without the three values, as `parts` returns them."""

    __slots__ = ("_date", "heads")

    def __init__(self) -> None:
        self.heads: dict[bytes, KnownResponse] = {}
        # The last Date that was checked.
        self._date = b""

    def keep(self, head: bytes, names: Names, read: KnownResponse) -> None:
        """Remembers a parsed head that is forwarded unchanged except for at most one connection line.
        `names`: of the lines, without repetition.
        """
        if not all(name.lower() in _SHARED for name in names):
            return
        key, length = self.parts(head)
        # A length in a different spelling is not found: a body that arrives later would be read as the next response. A
        # 304 has neither length nor body.
        if key and (length < 0) is (read.status == 304) and len(key) <= _LONGEST:
            if len(self.heads) >= _MOST:
                # Forgets the oldest. A head in use returns with its next response.
                del self.heads[next(iter(self.heads))]
            self.heads[key] = read

    def parts(self, head: bytes) -> tuple[bytes, int]:
        """The head without the three values, and the length. The length is -1 if absent. The head is b"" if one of the
        values is in an unusual form.
        """
        at = head.find(b"\r\nDate: ") + 8
        if at >= 8:
            date = head[at : at + _DATE_LENGTH]
            if date != self._date:
                if _DATE.fullmatch(date) is None:
                    return _NONE
                self._date = date
            head = head[:at] + head[at + _DATE_LENGTH :]
        at = head.find(b"\r\nETag: ") + 8
        if at >= 8:
            behind = head.find(b"\r", at)
            if _TAG.fullmatch(head, at, behind) is None:
                return _NONE
            head = head[:at] + head[behind:]
        at = head.find(b"\r\nContent-Length: ") + 18
        if at < 18:
            return head, -1
        behind = head.find(b"\r", at)
        length = head[at:behind]
        if _LENGTH.fullmatch(length) is None:
            return _NONE
        return head[:at] + head[behind:], int(length)
