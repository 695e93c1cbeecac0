"""A request's body, piece by piece."""

import pytest

from gateway.model.errors import GatewayError
from gateway.proxy.http1.bodies import RequestBody
from gateway.wire.framing import CHUNKED


def test_a_counted_body_is_taken_up_to_its_end_and_no_further() -> None:
    body = RequestBody(5, 0)
    assert (body.first_piece(b"abc"), body.done) == ((b"abc", b""), False)
    assert (body.take(b"deGET /"), body.done) == ((b"de", b"GET /"), True)


def test_a_chunked_body_is_put_into_our_chunks() -> None:
    body = RequestBody(CHUNKED, 0)
    assert body.first_piece(b"3\r\nabc\r\n") == (b"", b"3\r\nabc\r\n")
    assert (body.take(b"3\r\nabc\r\n"), body.done) == ((b"3\r\nabc\r\n", b""), False)
    last = b"2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\nGET /"
    assert (body.take(last), body.done) == ((b"2\r\nde\r\n0\r\n\r\n", b"GET /"), True)


def test_or_into_none_for_who_takes_it_bare() -> None:
    body = RequestBody(CHUNKED, 0, bare=True)
    assert body.take(b"3\r\nabc\r\n") == (b"abc", b"")
    assert (body.take(b"2\r\nde\r\n0\r\n\r\nGET /"), body.done) == ((b"de", b"GET /"), True)


def test_half_a_chunk_line_is_nothing_yet() -> None:
    body = RequestBody(CHUNKED, 0)
    assert (body.take(b"3"), body.done) == ((b"", b""), False)


@pytest.mark.parametrize(("limit", "code"), [(2, "limit.body"), (3, None), (0, None)])
def test_the_limit_counts_what_is_in_the_chunks(limit: int, code: str | None) -> None:
    body, ahead = RequestBody(CHUNKED, limit), b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
    if code is None:
        assert body.take(ahead) == (b"3\r\nabc\r\n0\r\n\r\n", b"")
        return
    with pytest.raises(GatewayError) as caught:
        body.take(ahead)
    assert caught.value.code.id == code


def test_a_malformed_chunk_is_the_clients_fault() -> None:
    with pytest.raises(GatewayError) as caught:
        RequestBody(CHUNKED, 0).take(b"zz\r\n")
    assert caught.value.code.id == "wire.framing"
