"""The head of a request to an application: the client's lines, and the lines that only the gateway may write."""

from collections.abc import Mapping
from typing import Final

from gateway.access.outcome import Prepared
from gateway.proxy.lane import Lane
from gateway.proxy.memo import Memo
from gateway.proxy.request import Request
from gateway.wire.framing import CHUNKED
from gateway.wire.headers import TRACEPARENT, TRACESTATE
from gateway.wire.hop_by_hop import not_named

_ACCEPT_ENCODING: Final = frozenset({b"accept-encoding"})


def framing_line(framing: int) -> bytes:
    """The end of a head before a body."""
    return (
        b"\r\nTransfer-Encoding: chunked\r\n\r\n" if framing == CHUNKED else b"\r\nContent-Length: %d\r\n\r\n" % framing
    )


def _as_it_is(request: Request) -> bytes:
    """The forwarded lines of a request whose response body may be changed: asks for no compression."""
    lines = not_named(request.lines, _ACCEPT_ENCODING)
    return b"\r\n".join((request.host.line, *lines, b"Accept-Encoding: identity"))


def middle_of(request: Request, memo: Memo, prepared: Prepared) -> bytes:
    """The head for upstream from Host to the request id's name. The same as long as the client's lines and what is
    prepared are."""
    lane = request.lane
    assert isinstance(lane, Lane)
    parts = [_as_it_is(request) if lane.plain_bodies else request.passed()]
    rest = request.cookie_rest
    if rest or prepared.cookies:
        # Our cookies come first: a client's `$Version=1` or unclosed quote must not change how a server reads them.
        parts += (b"\r\nCookie: ", prepared.cookies, b"; " if rest and prepared.cookies else b"", rest)
    parts += (memo.forwarded, prepared.headers)
    if memo.trusted and request.rare:
        parts += _trace(request.rare)
    parts.append(b"\r\nX-Request-Id: ")
    return b"".join(parts)


def _trace(rare: Mapping[int, bytes]) -> tuple[bytes, ...]:
    """From a listed proxy only: a stranger's trace ids would join unrelated traces."""
    parent = rare.get(TRACEPARENT)
    if parent is None:
        return ()
    state = rare.get(TRACESTATE)
    return (b"\r\ntraceparent: ", parent) + (() if state is None else (b"\r\ntracestate: ", state))
