"""A content coding undone: the same however it is cut, bounded at each step, and never half a text."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.filters.codings import STEP, Undone, is_undone

TEXT = "<p>Hélène Lebœuf, http://intranet/</p>".encode() * 3000


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def raw(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return coder.compress(data) + coder.flush()


CODED = [(b"gzip", zipped), (b" X-GZIP ", zipped), (b"deflate", zlib.compress), (b"Deflate", raw)]


def undo(encoding: bytes, *pieces: bytes) -> bytes:
    undone, made = Undone(encoding), []
    for piece in pieces:
        undone.feed(piece)
        while undone.waits:
            made.append(undone.step())
            assert len(made[-1]) <= STEP
    undone.end()
    return b"".join(made)


@pytest.mark.parametrize(("encoding", "code"), CODED)
@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_it_is_the_same_however_it_is_cut(encoding, code, data, cuts) -> None:
    coded = code(data)
    at = sorted({0, *(min(cut, len(coded)) for cut in cuts), len(coded)})
    assert undo(encoding, *(coded[one:other] for one, other in pairwise(at))) == data


@pytest.mark.parametrize(("encoding", "code"), CODED)
def test_much_comes_in_steps(encoding, code) -> None:
    assert undo(encoding, code(TEXT)) == TEXT
    assert undo(encoding, *(bytes([byte]) for byte in code(TEXT))) == TEXT


def test_no_more_is_read_of_what_is_compressed_than_a_step_needs() -> None:
    undone = Undone(b"gzip")
    undone.feed(zipped(TEXT))
    assert len(undone.step()) == STEP
    assert undone.waits


def test_members_follow_each_other() -> None:
    coded = zipped(b"one, ") + zipped(b"") + zipped(b"two")
    assert undo(b"gzip", coded) == undo(b"gzip", *(bytes([byte]) for byte in coded)) == b"one, two"


def test_nothing_at_all_is_nothing() -> None:
    assert undo(b"gzip") == undo(b"deflate") == undo(b"gzip", zipped(b"")) == b""


@pytest.mark.parametrize(
    ("encoding", "coded", "why"),
    [
        (b"gzip", b"<p>plain</p>", "this is no gzip"),
        (b"deflate", b"<p>plain</p>", "this is no deflate"),
        (b"gzip", zlib.compress(TEXT), "this is no gzip"),
        (b"gzip", zipped(TEXT)[:-9], "it breaks off"),
        (b"gzip", zipped(TEXT)[:5], "it breaks off"),
        (b"gzip", zipped(TEXT) + b"\x1f", "it breaks off"),
        (b"deflate", zlib.compress(TEXT)[:-1], "it breaks off"),
        (b"deflate", b"x", "it breaks off"),
        (b"gzip", zipped(TEXT) + b"more", "bytes follow its end"),
        (b"deflate", zlib.compress(TEXT) + b"\0", "bytes follow its end"),
        (b"gzip", zipped(TEXT)[:-8] + b"\0" * 8, "this is no gzip"),
        (b"gzip", zipped(bytes(8 << 20)), "over 250 times as many"),
    ],
)
def test_what_cannot_be_undone_has_one_code(encoding: bytes, coded: bytes, why: str) -> None:
    with pytest.raises(GatewayError, match=why) as told:
        undo(encoding, coded)
    assert told.value.code is upstream_codes.RESPONSE


def test_a_bomb_ends_long_before_it_is_whole() -> None:
    undone, made = Undone(b"gzip"), 0
    coded = zipped(bytes(8 << 20))
    undone.feed(coded)

    def all_steps() -> None:
        nonlocal made
        while undone.waits:
            made += len(undone.step())

    with pytest.raises(GatewayError):
        all_steps()
    assert made < (1 << 20) + 250 * len(coded)


@pytest.mark.parametrize("encoding", [None, b"", b"identity", b"br", b"zstd", b"gzip, gzip", b"gzip, br", b"compress"])
def test_other_codings_are_left_alone(encoding: bytes | None) -> None:
    assert not is_undone(encoding)


@pytest.mark.parametrize("encoding", [b"gzip, identity", b"identity,x-gzip", b"gzip,", b",, DEFLATE ,Identity"])
def test_codings_are_one_list_in_which_identity_is_none(encoding: bytes) -> None:
    """RFC 9110 5.3 and 5.6.1.2: an empty part of a list counts for nothing."""
    assert is_undone(encoding)
    assert undo(encoding, zlib.compress(TEXT) if b"DEFLATE" in encoding else zipped(TEXT)) == TEXT
