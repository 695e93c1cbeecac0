"""Whether this node accepts new requests. A server in front asks on the listener that carries its traffic.

Only a server in front that speaks for itself gets the answer: for other clients the path does not exist.
"""

from collections.abc import Iterable
from typing import Final

from gateway.config.snapshot import Snapshot
from gateway.model.codes import route_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.ports import Page
from gateway.proxy.admission import CountedConnection
from gateway.proxy.memo import Memo

NO_HOST_OF_OURS: Final[frozenset[Code]] = frozenset(
    {wire_codes.HOST, route_codes.HOST_UNKNOWN, route_codes.HOST_UNREAD, route_codes.APP_CLOSED}
)
"""Refusals of a head whose Host names no served host: a health check may have any Host, or no Host."""

_PATH: Final = b"/_ecluse/ready"
_QUESTIONS: Final = frozenset(
    b"%b %b HTTP/1.%b" % (method, _PATH, minor) for method in (b"GET", b"HEAD") for minor in (b"0", b"1")
)
# A server in front writes at least one of these headers into a request that it passes on.
_CLIENT: Final = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})

_HEADERS: Final = ((b"Content-Type", b"text/plain"), (b"Cache-Control", b"no-store"))
_READY: Final = Page(200, _HEADERS, b"ready\n")
_NOT_READY: Final = Page(503, _HEADERS, b"not ready\n")


def asks_readiness(line: bytes, lines: Iterable[bytes]) -> bool:
    """Whether a request asks for readiness on behalf of nobody. `line`: the request line as it was sent; `lines`: the
    header lines as they were sent, each as b"Name:value"."""
    if line not in _QUESTIONS:
        return False
    names = [each.partition(b":")[0].strip().lower() for each in lines]
    return _CLIENT.isdisjoint(names) and names.count(b"host") <= 1


def may_ask(counted: CountedConnection, memo: Memo, snapshot: Snapshot) -> bool:
    """Whether a server in front speaks for itself: with PROXY protocol by LOCAL, else by its listed address."""
    return counted.is_front or (not counted.is_told and memo.is_trusted(snapshot))


def readiness(*, is_ready: bool) -> Page:
    return _READY if is_ready else _NOT_READY
