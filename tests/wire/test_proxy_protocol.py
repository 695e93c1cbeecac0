"""PROXY protocol v2: one reading of a header, or none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import GatewayError
from gateway.wire.proxy_protocol import HEAD_BYTES, ToldClient, announcement, client_of, rest_of

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FOUR = bytes((192, 0, 2, 7, 10, 0, 0, 1)) + b"\x30\x39\x01\xbb"
SIX = bytes.fromhex("20010db8000000000000000000000007") + bytes(15) + b"\x01" + b"\x30\x39\x01\xbb"
TLS = b"\x20\x00\x05\x01\x00\x00\x00\x00"


def header(command: int, family: int, rest: bytes, length: int | None = None) -> bytes:
    return SIGNATURE + bytes((command, family)) + (len(rest) if length is None else length).to_bytes(2, "big") + rest


def read(raw: bytes) -> ToldClient | None:
    head = raw[:HEAD_BYTES]
    rest = raw[HEAD_BYTES : HEAD_BYTES + rest_of(head)]
    return client_of(head, rest)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (header(0x21, 0x11, FOUR), ToldClient("192.0.2.7")),
        (header(0x21, 0x21, SIX), ToldClient("2001:db8::7")),
        (header(0x21, 0x21, bytes(10) + b"\xff\xff" + FOUR[:4] + SIX[16:]), ToldClient("192.0.2.7")),
        (header(0x21, 0x11, FOUR + b"\x02\x00\x01a" + TLS), ToldClient("192.0.2.7", secure=True)),
        (header(0x21, 0x11, FOUR + TLS.replace(b"\x05\x01", b"\x05\x00")), ToldClient("192.0.2.7")),
        (header(0x20, 0x00, b""), None),
        (header(0x20, 0x11, FOUR), None),
    ],
)
def test_whose_connection_it_is(raw: bytes, told: ToldClient | None) -> None:
    assert read(raw) == told


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n",
        b"\x16\x03\x01" + bytes(30),
        b"\r" + header(0x21, 0x11, FOUR),
        header(0x21, 0x11, FOUR).replace(b"QUIT", b"quit"),
        header(0x11, 0x11, FOUR),
        header(0x22, 0x11, FOUR),
        header(0x21, 0x00, b""),
        header(0x21, 0x12, FOUR),
        header(0x21, 0x31, bytes(216)),
        header(0x21, 0x11, FOUR[:-1]),
        header(0x21, 0x21, FOUR),
        header(0x21, 0x11, FOUR, length=5000),
        header(0x21, 0x11, bytes(4) + FOUR[4:]),
        header(0x21, 0x11, bytes((224, 0, 0, 1)) + FOUR[4:]),
        header(0x21, 0x21, bytes(16) + SIX[16:]),
        header(0x21, 0x11, FOUR + b"\x02"),
        header(0x21, 0x11, FOUR + b"\x02\x00\x09a"),
        header(0x21, 0x11, FOUR + b"\x20\x00\x05\x01"),
    ],
)
def test_what_is_refused(raw: bytes) -> None:
    with pytest.raises(GatewayError, match=r"listen\.proxy_header"):
        read(raw)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_header_or_refused(rest: bytes) -> None:
    for raw in (rest, SIGNATURE + rest, header(0x21, 0x11, rest)):
        if len(raw) < HEAD_BYTES:
            continue
        with suppress(GatewayError):
            found = read(raw)
            assert found is None or found.peer


@pytest.mark.parametrize(
    ("client", "server", "told"),
    [
        ("192.0.2.7", "10.0.0.1", ToldClient("192.0.2.7")),
        ("2001:db8::7", "::1", ToldClient("2001:db8::7")),
        ("192.0.2.7", "::1", ToldClient("192.0.2.7")),
        ("2001:db8::7", "10.0.0.1", ToldClient("2001:db8::7")),
        ("192.0.2.7", "", ToldClient("192.0.2.7")),
        ("", "10.0.0.1", None),
        ("unknown", "10.0.0.1", None),
    ],
)
def test_what_we_say_is_read_back(client: str, server: str, told: ToldClient | None) -> None:
    said = announcement(client, server)
    assert read(said) == told
    assert len(said) == HEAD_BYTES + rest_of(said[:HEAD_BYTES])
