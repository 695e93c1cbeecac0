"""Where WebSocket frames end, however the bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.frames import FrameCounter, close_frame
from tests.proxy.websocket_ends import close_of, frame

PAYLOADS = st.one_of(st.binary(max_size=200), st.sampled_from([b"", b"x" * 125, b"x" * 126, b"z" * 65_536]))
DATA = st.builds(
    lambda payload, opcode, first: (payload, opcode, first),
    PAYLOADS,
    st.sampled_from([0, 1, 2, 3, 7]),
    st.sampled_from([0x80, 0x00, 0xC0, 0x40, 0xF0, 0x70]),
)
CONTROL = st.builds(
    lambda payload, opcode, first: (payload, opcode, first),
    st.binary(max_size=125),
    st.sampled_from([9, 10, 11, 15]),
    st.sampled_from([0x80, 0xF0]),
)
FRAMES = st.lists(st.one_of(DATA, CONTROL), min_size=1, max_size=4)


def counted(counter: FrameCounter, pieces: list[bytes]) -> bytes:
    """What goes on of a stream that comes so, as a tunnel asks."""
    gone, held = b"", b""
    for piece in pieces:
        held += piece
        while held:
            end = counter.feed(held)
            gone, held = gone + held[:end], held[end:]
            if not end or counter.closed or counter.fault:
                break
        if counter.closed and not counter.left:
            break
    return gone


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[begin:end] for begin, end in zip([0, *at], [*at, len(data)], strict=True)]


@given(FRAMES, st.lists(st.integers(0, 1 << 20), max_size=8), st.booleans())
def test_any_split_of_the_bytes_gives_the_same_count(
    frames: list[tuple[bytes, int, int]], cuts: list[int], masks: bool
) -> None:
    stream = b"".join(frame(payload, opcode, masked=masks, first=first) for payload, opcode, first in frames)
    counter = FrameCounter(masks=masks)
    assert counted(counter, split(stream, cuts)) == stream
    assert (counter.left, counter.fault, counter.closed) == (0, "", False)
    assert counter.spoke is any(opcode < 8 for _, opcode, _ in frames)


@given(FRAMES, st.integers(1, 1 << 20), st.booleans())
def test_in_the_midst_of_a_frame_its_rest_is_known(
    frames: list[tuple[bytes, int, int]], missing: int, masks: bool
) -> None:
    payload, opcode, first = frames[-1]
    whole = frame(payload, opcode, masked=masks, first=first)
    head = len(whole) - len(payload) - (4 if masks else 0)
    missing = min(missing, len(whole) - head)
    stream = b"".join(frame(p, o, masked=masks, first=f) for p, o, f in frames[:-1]) + whole[: len(whole) - missing]
    counter = FrameCounter(masks=masks)
    counted(counter, [stream])
    assert counter.left == missing


@given(FRAMES, st.binary(max_size=300), st.lists(st.integers(0, 1 << 20), max_size=8))
def test_after_a_close_frame_nothing_goes_on(
    frames: list[tuple[bytes, int, int]], behind: bytes, cuts: list[int]
) -> None:
    stream = b"".join(frame(payload, opcode, first=first) for payload, opcode, first in frames)
    end = close_frame(1000, b"done")
    counter = FrameCounter(masks=False)
    assert counted(counter, split(stream + end + behind, cuts)) == stream + end
    assert counter.closed
    assert counter.feed(b"\x81\x00") == 0


@given(st.binary(max_size=4000), st.lists(st.integers(0, 1 << 20), max_size=8), st.booleans())
def test_any_bytes_at_all_come_to_the_same_however_they_are_cut(data: bytes, cuts: list[int], masks: bool) -> None:
    whole, cut = FrameCounter(masks=masks), FrameCounter(masks=masks)
    assert counted(whole, [data]) == counted(cut, split(data, cuts))
    assert (whole.left, whole.fault, whole.closed) == (cut.left, cut.fault, cut.closed)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x82\x7f\x80" + bytes(7), "length"),
        (b"\x82\x7f" + b"\xff" * 8, "length"),
        (b"\x89\x7e\x00\x05hello", "control"),
        (b"\x88\x7f" + bytes(7) + b"\x02\x03\xe8", "control"),
        (b"\x09\x00", "control"),
        (b"\x08\x02\x03\xe8", "control"),
        (b"\x81\x80\x01\x02\x03\x04", "mask"),
        (b"HTTP/1.1 400 Bad Request\r\n", "control"),
    ],
)
def test_what_is_no_frame_of_a_server_does_not_go_on(data: bytes, fault: str) -> None:
    before = frame(b"good")
    counter = FrameCounter(masks=False)
    assert counter.feed(before + data) == len(before)
    assert counter.fault == fault
    assert counter.left == 0
    assert counter.feed(frame(b"good")) == 0


@pytest.mark.parametrize(
    "data", [b"\x81\x00", b"\x81\x05hello", b"GET / HTTP/1.1\r\n", b"\x88\x02\x03\xe8", b"\x82\x7f\x80"]
)
def test_a_client_that_does_not_mask_sends_no_frame(data: bytes) -> None:
    counter = FrameCounter(masks=True)
    assert counter.feed(data) == 0
    assert counter.fault == "mask"


def test_the_longest_length_is_counted() -> None:
    counter = FrameCounter(masks=False)
    assert counter.feed(b"\x82\x7f\x7f" + b"\xff" * 7 + b"begun") == 15
    assert counter.left == (1 << 63) - 1 - 5


def test_frames_by_the_thousand_are_counted_some_at_a_time() -> None:
    data = b"\x81\x00" * 5000
    counter = FrameCounter(masks=False)
    assert 0 < counter.feed(data) < len(data)
    assert counter.left == 0


@pytest.mark.parametrize("mask", [b"", b"\x00\x00\x00\x00", b"\x0a\xff\x37\x01"])
def test_a_close_frame_says_its_status_and_reason(mask: bytes) -> None:
    said = close_frame(1008, b"signed out", mask)
    assert close_of(said) == (1008, b"signed out")
    counter = FrameCounter(masks=bool(mask))
    assert counter.feed(said) == len(said)
    assert counter.closed
