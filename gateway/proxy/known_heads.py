"""Heads of requests that need no parser, because they repeat a known head with other values.

A browser's next head mostly repeats an earlier head with another Referer, cookie or the like. The worker remembers
heads without such values, for all its connections: a line that many browsers share whole (`_SHARED`), of further lines
the name. Host counts by name as well: hosts with the same policy share their heads.

Why no parser is needed: the C parser has accepted the head, and a value without CR, LF, NUL and other controls is
opaque to HTTP/1.1 (RFC 9110 5.5). With other values, the head stays well-formed and keeps its names.

The parser reads a head that repeats a name, has a Connection option besides keep-alive or unusual blanks, or has a name
that is dropped or that frames the message. Content-Length is the exception: its number is read here.

A remembered head names no person, is bounded in number and size, and ends with its snapshot. Only heads that went to an
application are remembered. A stranger's head replaces only strangers' heads (gateway.access.remembered).
"""

import re
from collections.abc import Sequence
from itertools import compress
from typing import Final

from gateway.access.remembered import Newcomers, Remembered
from gateway.proxy.http1.request_heads import HeadNames, RequestLayout
from gateway.wire.headers import HeaderPolicy

_MOST: Final = 1024
_LONGEST: Final = 2048
_HOSTS: Final = (b"\r\nHost: ", b"\r\nhost: ")
_HOST_BEGINS: Final = len(_HOSTS[0])
_NO_HOST: Final = (b"", (b"",))

# Lines that are the same for many people.
_SHARED: Final = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"connection", b"dnt", b"host", b"origin",
        b"pragma", b"priority", b"save-data", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform",
        b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-user", b"sec-gpc", b"sec-purpose",
        b"upgrade-insecure-requests", b"user-agent",
    }
)  # fmt: skip

# Lines whose values are never remembered. A value is field-content without surrounding blanks, and the end of the line
# must follow: a value is split off whole or not at all.
_NAME: Final = rb"[Cc]ookie|[Rr]eferer|[Xx]-[A-Za-z0-9-]+|(?:[Cc]ontent|[Ii]f)-[A-Za-z0-9-]+|traceparent|tracestate"
OWN_NAME: Final = re.compile(_NAME)
_OWN: Final = re.compile(rb"(\r\n(?:%b): )([\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*+(?<![\t\x20]))(?=\r\n)" % _NAME)


class KnownHead:
    """A remembered head.

    `pieces`: the forwarded lines behind Host; b"" stands for the Host line and for each forwarded value.
    `goes`: by value, whether it is forwarded; the first value is the host.
    `cookie`: the index of the cookie among the values; -1: no cookie.
    `rare`: the indices of the values that the gateway reads, with their verdicts.
    `kept_alive`: whether an HTTP/1.0 connection stays open.
    `let_in`: a signed-in person sent the head.
    """

    __slots__ = ("_key", "_own", "cookie", "goes", "head", "kept_alive", "layout", "let_in", "pieces", "rare")

    def __init__(self, key: bytes, head: HeadNames, layout: RequestLayout, *, let_in: bool) -> None:
        self.let_in = let_in
        self.head, self.layout = head, layout
        self.kept_alive = bool(layout.connections)
        self._key = key
        own = [place for place, name in enumerate(head.names) if OWN_NAME.fullmatch(name) is not None]
        self._own = own = [head.host, *own]
        self.goes = [layout.goes[place] for place in own]
        self.cookie = own.index(layout.cookies[0][0]) if layout.cookies else -1
        self.rare = [(own.index(place), verdict) for place, _, verdict in layout.rare]
        self.pieces = [b"", b""]
        for place, line in enumerate(_lines_of(key)):
            if layout.goes[place]:
                self.pieces[-1] += b"\r\n" + line
                if place in own:
                    self.pieces += (b"", b"")

    def passed(self, host_line: bytes, values: Sequence[bytes]) -> bytes:
        """The forwarded head with these values, from `host_line` to the end of the last line."""
        pieces = self.pieces[:]
        pieces[0] = host_line
        pieces[2::2] = compress(values, self.goes)
        return b"".join(pieces)

    def lines(self, values: Sequence[bytes]) -> list[bytes]:
        """The lines of the head with these values, each as b"Name: value"."""
        lines = _lines_of(self._key)
        for place, value in zip(self._own, values, strict=True):
            lines[place] += value
        return lines


class KnownHeads:
    """`heads`: by the application's policy and the head without values, as `parts` returns it."""

    __slots__ = ("_remembered", "heads")

    def __init__(self, newcomers: Newcomers) -> None:
        self._remembered: Remembered[tuple[HeaderPolicy, bytes], KnownHead] = Remembered(newcomers, _MOST)
        self.heads = self._remembered.values

    def keep(
        self, head: HeadNames, layout: RequestLayout, policy: HeaderPolicy, lines: Sequence[bytes], *, person: bool
    ) -> None:
        """Remembers a head that the parser has read and that goes to an application.

        `layout`: an opaque layout under `policy`. Connection has only keep-alive.
        `lines`: each as b"Name: value".
        `person`: whether the sender is signed in.
        """
        key, (_, *values) = parts(b"\r\n%b\r\n\r\n" % b"\r\n".join(lines))
        if key and are_split(head.names, key, values):
            self._remembered.add((policy, key), KnownHead(key, head, layout, let_in=person))


def parts(block: bytes) -> tuple[bytes, Sequence[bytes]]:
    """Splits a head, from the CRLF behind its request line on: the head without values, and the values, the host first.
    Without a usual Host line, returns b"" for both."""
    at = block.find(_HOSTS[0])
    if at < 0 and (at := block.find(_HOSTS[1])) < 0:
        return _NO_HOST
    at += _HOST_BEGINS
    end = block.find(b"\r", at)
    found = _OWN.split(block[:at] + block[end:])
    values = [block[at:end], *found[2::3]]
    del found[2::3]
    return b"".join(found), values


def split(block: bytes) -> tuple[bytes, list[bytes]]:
    """Splits as `parts` does, but leaves the host in the head."""
    found = _OWN.split(block)
    values = found[2::3]
    del found[2::3]
    return b"".join(found), values


def are_split(names: Sequence[bytes], key: bytes, values: Sequence[bytes]) -> bool:
    """Whether `key` and `values` from `split` stand for the whole head with these names, and the head may be
    remembered."""
    own = sum([OWN_NAME.fullmatch(name) is not None for name in names])
    shared = sum([name.lower() in _SHARED for name in names])
    return own == len(values) and own + shared == len(names) and len(key) <= _LONGEST


def _lines_of(key: bytes) -> list[bytes]:
    return key[2:-4].split(b"\r\n")
