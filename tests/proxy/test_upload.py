"""A request's body, piece by piece."""

import pytest

from gateway.model.errors import GatewayError
from gateway.proxy.upload import Upload
from gateway.wire.framing import CHUNKED


class Reader:
    """A client connection as far as an upload sees it."""

    def __init__(self, ahead: bytes = b"") -> None:
        self.ahead = ahead
        self.read = 0

    def body_read(self) -> None:
        self.read += 1


def upload(reader: Reader, framing: int, limit: int = 0, *, bare: bool = False) -> Upload:
    return Upload(reader, framing, limit, bare=bare)  # type: ignore[arg-type]


def test_a_counted_body_is_taken_up_to_its_end_and_no_further() -> None:
    reader = Reader(b"abc")
    body = upload(reader, 5)
    assert (body.first_piece(), reader.ahead, reader.read) == (b"abc", b"", 0)
    reader.ahead = b"deGET /"
    assert (body.take(), reader.ahead, reader.read) == (b"de", b"GET /", 1)


def test_a_chunked_body_is_put_into_our_chunks() -> None:
    reader = Reader(b"3\r\nabc\r\n")
    body = upload(reader, CHUNKED)
    assert (body.first_piece(), reader.ahead) == (b"", b"3\r\nabc\r\n")
    assert body.take() == b"3\r\nabc\r\n"
    reader.ahead = b"2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\nGET /"
    assert (body.take(), reader.ahead, reader.read) == (b"2\r\nde\r\n0\r\n\r\n", b"GET /", 1)


def test_or_into_none_for_who_takes_it_bare() -> None:
    reader = Reader(b"3\r\nabc\r\n")
    body = upload(reader, CHUNKED, bare=True)
    assert body.take() == b"abc"
    reader.ahead = b"2\r\nde\r\n0\r\n\r\nGET /"
    assert (body.take(), reader.ahead, reader.read) == (b"de", b"GET /", 1)


def test_half_a_chunk_line_is_nothing_yet() -> None:
    reader = Reader(b"3")
    assert (upload(reader, CHUNKED).take(), reader.read) == (b"", 0)


@pytest.mark.parametrize(("limit", "code"), [(2, "limit.body"), (3, None), (0, None)])
def test_the_limit_counts_what_is_in_the_chunks(limit: int, code: str | None) -> None:
    reader = Reader(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    body = upload(reader, CHUNKED, limit)
    if code is None:
        assert body.take() == b"3\r\nabc\r\n0\r\n\r\n"
        return
    with pytest.raises(GatewayError) as caught:
        body.take()
    assert caught.value.code.id == code


def test_a_malformed_chunk_is_the_clients_fault() -> None:
    with pytest.raises(GatewayError) as caught:
        upload(Reader(b"zz\r\n"), CHUNKED).take()
    assert caught.value.code.id == "wire.framing"
