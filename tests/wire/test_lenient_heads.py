"""Heads of old servers: what is mended, and what stays for the strict reader to refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import GatewayError
from gateway.proxy.http1.response_head import ResponseHead, ResponseHeads
from gateway.wire.framing import CHUNKED, UNTIL_CLOSE
from gateway.wire.lenient_heads import AcceptedFault, head_end, longest_head, mended

ALL: frozenset[AcceptedFault] = frozenset(
    {"bare_lf", "padded_chunk", "chunked_1_0", "odd_status", "zero_padded_length", "line_without_colon", "long_headers"}
)
NONE: frozenset[AcceptedFault] = frozenset()
CLOSES = b"Connection: close\r\n"


def only(name: AcceptedFault) -> frozenset[AcceptedFault]:
    return frozenset({name})


def strictly(head: bytes) -> ResponseHead:
    read = ResponseHead(ResponseHeads())
    read.read(head, b"GET")
    return read


FAULTS: list[tuple[AcceptedFault, bytes, int, int]] = [
    ("bare_lf", b"HTTP/1.1 200 OK\nContent-Length: 2\n\n", 200, 2),
    ("bare_lf", b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n", 200, 2),
    ("chunked_1_0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, CHUNKED),
    ("odd_status", b"HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\n", 500, 2),
    ("odd_status", b"HTTP/1.0 600\r\n\r\n", 500, UNTIL_CLOSE),
    ("zero_padded_length", b"HTTP/1.1 200 OK\r\nContent-Length: 0012\r\n\r\n", 200, 12),
    ("zero_padded_length", b"HTTP/1.1 200 OK\r\ncontent-length:  000 \r\n\r\n", 200, 0),
    ("line_without_colon", b"HTTP/1.1 200 OK\r\nLotus Domino\r\nContent-Length: 2\r\n\r\n", 200, 2),
]


@pytest.mark.parametrize(("name", "head", "status", "framing"), FAULTS)
def test_each_fault_has_one_reading_where_it_is_accepted(
    name: AcceptedFault, head: bytes, status: int, framing: int
) -> None:
    read = strictly(mended(head, only(name)))
    assert (read.status, read.framing) == (status, framing)
    # Behind a fault of its framing no other response is read.
    assert name == "odd_status" or not read.keep_alive


@pytest.mark.parametrize(("name", "head", "status", "framing"), FAULTS)
def test_and_none_where_it_is_not(name: AcceptedFault, head: bytes, status: int, framing: int) -> None:
    for accepts in (NONE, ALL - {name}):
        if name == "bare_lf":
            assert head_end(head, accepts) == 0
        with pytest.raises(GatewayError, match=r"upstream\.response"):
            strictly(mended(head, accepts) if head.endswith(b"\r\n\r\n") else head)


@pytest.mark.parametrize(
    "head",
    [
        # Two lengths, also where each is mended; a length beside chunks; signs, blanks and other digits in it.
        b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\nContent-Length: 003\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +010\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 01, 01\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 00" + b"9" * 19 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 02\r\n\r\n",
        # Other codings than chunks, in HTTP/1.0 as well.
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        # Lines that somebody takes for one that says where the body ends, folds, and what is no text.
        b"HTTP/1.1 200 OK\r\nContent-Length 5\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding chunked\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n content_length\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTRANSFER ENCODING\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n folded\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno\x00header\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno\rContent-Length: 9\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: a\r\r\nContent-Length: 2\n\n",
        # Statuses of interim responses, and of none.
        b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/2.0 999 OK\r\nContent-Length: 2\r\n\r\n",
        b"ICY 200 OK\r\nContent-Length: 2\r\n\r\n",
        # Behind an interim response another has to follow on the connection, which is closed behind a fault.
        b"HTTP/1.1 100 Continue\n\n",
        b"HTTP/1.1 103 Early Hints\r\nLotus Domino\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n",
    ],
)
def test_what_is_refused_with_every_leniency(head: bytes) -> None:
    with pytest.raises(GatewayError, match=r"upstream\.response"):
        strictly(mended(head, ALL))


def test_a_head_ends_at_its_first_empty_line() -> None:
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 40\n\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n"
    assert smuggled[: head_end(smuggled, only("bare_lf"))].endswith(b"40\n\n")
    assert head_end(b"HTTP/1.1 200 OK\r\n\n", only("bare_lf")) == 18
    assert head_end(b"HTTP/1.1 200 OK\n\r", only("bare_lf")) == 0
    assert head_end(b"HTTP/1.1 200 OK\r\n\r\nx\n\n", NONE) == 19


def test_sizes_of_chunks_may_be_padded_and_so_the_connection_is_closed() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    assert mended(chunked + b"\r\n", only("padded_chunk")) == chunked + CLOSES + b"\r\n"
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    assert mended(plain, ALL) == plain


def test_only_the_name_lets_a_head_be_long() -> None:
    assert (longest_head(NONE), longest_head(ALL)) == (64 * 1024, 256 * 1024)


@given(
    st.lists(st.sampled_from([b"A", b"Content-Length", b"Transfer-Encoding", b":", b" ", b"chunked", b"0", b"1",
                              b"\r\n", b"\n", b"\r", b"\x00", b"HTTP/1.1 200 OK", b"Connection"]), max_size=20),
    st.sets(st.sampled_from(sorted(ALL))),
)  # fmt: skip
def test_a_strict_head_is_read_as_without_leniencies(parts: list[bytes], accepts: set[AcceptedFault]) -> None:
    """Whatever passes strictly passes with the same end, and to the same length."""
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(parts) + b"\r\n\r\n"
    head = head[: head_end(head, NONE)]
    try:
        before = strictly(head)
    except GatewayError:
        return
    assert head_end(head, frozenset(accepts)) == len(head)
    after = strictly(mended(head, frozenset(accepts)))
    assert (after.status, after.framing) == (before.status, before.framing)


@pytest.mark.parametrize("line", [b"a: b\r\n", b"a: b\n", b"a\r\n", b" a\r\n"])
def test_more_lines_than_anybody_sends_are_not_mended(line: bytes) -> None:
    mended(b"HTTP/1.1 200 OK\r\n" + line * 500 + b"\r\n", ALL)
    with pytest.raises(GatewayError, match="501 header lines: over 500"):
        mended(b"HTTP/1.1 200 OK\r\n" + line * 501 + b"\r\n", ALL)
