"""A body under seal: it opens as it was sealed, whole and in its order, or not at all."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.stores.posts.sealed_stream import CHUNK, SEALED_CHUNK, TAG, SealedStream, plain_size

KEY = bytes(range(32))
PIECES = [bytes([number]) * CHUNK for number in range(3)] + [b"end"]


def sealed(pieces: list[bytes], key: bytes = KEY, bound_to: bytes = b"file") -> list[bytes]:
    stream = SealedStream(key, bound_to)
    return [stream.seal(piece, last=number == len(pieces)) for number, piece in enumerate(pieces, 1)]


def opened(chunks: list[bytes], key: bytes = KEY, bound_to: bytes = b"file") -> bytes:
    stream = SealedStream(key, bound_to)
    return b"".join(stream.open(chunk, last=number == len(chunks)) for number, chunk in enumerate(chunks, 1))


def test_it_opens_as_it_was() -> None:
    assert opened(sealed(PIECES)) == b"".join(PIECES)
    assert opened(sealed([b""])) == b""


CHUNKS = sealed(PIECES)
ALTERED = {
    "cut after a chunk": CHUNKS[:-1],
    "the first left out": CHUNKS[1:],
    "two exchanged": [CHUNKS[1], CHUNKS[0], *CHUNKS[2:]],
    "one doubled": [CHUNKS[0], CHUNKS[0], *CHUNKS[1:]],
    "more behind the last": [*CHUNKS, CHUNKS[-1]],
    "a bit": [bytes([CHUNKS[0][0] ^ 1]) + CHUNKS[0][1:], *CHUNKS[1:]],
    "a bit of the tag": [*CHUNKS[:-1], CHUNKS[-1][:-1] + bytes([CHUNKS[-1][-1] ^ 1])],
    "cut within a chunk": [*CHUNKS[:-1], CHUNKS[-1][:-1]],
}


@pytest.mark.parametrize("chunks", ALTERED.values(), ids=ALTERED)
def test_nothing_else_opens(chunks: list[bytes]) -> None:
    with pytest.raises(GatewayError) as refused:
        opened(chunks)
    assert refused.value.code is kept_post_codes.GONE


@pytest.mark.parametrize("other", [{"key": os.urandom(32)}, {"bound_to": b"another file"}])
def test_nor_under_another_key_nor_in_another_file(other: dict[str, bytes]) -> None:
    with pytest.raises(GatewayError):
        opened(CHUNKS, **other)


@given(st.integers(0, 5 * CHUNK))
def test_the_size_of_a_file_tells_that_of_its_body(size: int) -> None:
    body = bytes(size)
    chunks = sealed([body[start : start + CHUNK] for start in range(0, size, CHUNK)] or [b""])
    assert plain_size(sum(map(len, chunks))) == size


@pytest.mark.parametrize("size", [0, 1, TAG - 1, SEALED_CHUNK + 1])
def test_no_body_has_a_file_of_this_size(size: int) -> None:
    with pytest.raises(GatewayError):
        plain_size(size)
