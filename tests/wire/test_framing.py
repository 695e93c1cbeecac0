"""HR03, HR04, HS06, HS07, PC15, PC17, K180, K184, K186: where a message ends, with the real C parser before our own
checks, as the data plane has them."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import upstream_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.wire.framing import (
    CHUNKED,
    METHODS,
    NO_BODY,
    REQUEST_LINE,
    UNTIL_CLOSE,
    expects_continue,
    request_framing,
    request_line_fault,
    response_framing,
)


class Head:
    """What the C parser made of a head."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def all(self, name: bytes) -> bytes | None:
        values = [value for field, value in self.fields if field.lower() == name]
        return b", ".join(values) if values else None


def read(head: bytes) -> int:
    """What follows this head; GatewayError, or httptools' own error where the parser refuses by itself."""
    line = head.partition(b"\r\n")[0]
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise request_line_fault(line)
    method, _, minor = match.groups()
    found = Head()
    try:
        httptools.HttpRequestParser(found).feed_data(head)
    except httptools.HttpParserUpgrade:
        pass
    return request_framing(
        method,
        "1." + minor.decode(),
        sum(name.lower() == b"host" for name, _ in found.fields),
        found.all(b"content-length"),
        found.all(b"transfer-encoding"),
        found.all(b"upgrade"),
        found.all(b"expect"),
    )


def fault(head: bytes) -> Code | str:
    try:
        return f"accepted: {read(head)}"
    except GatewayError as error:
        return error.code
    except httptools.HttpParserError:
        return "parser"


# --- the request line ---


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"GET / HTTP/1.1", (b"GET", b"/", b"1")),
        (b"OPTIONS /a?b=|{}^ HTTP/1.0", (b"OPTIONS", b"/a?b=|{}^", b"0")),
        # Other forms are canonical_target's to refuse.
        (b"GET http://app/ HTTP/1.1", (b"GET", b"http://app/", b"1")),
        (b"OPTIONS * HTTP/1.1", (b"OPTIONS", b"*", b"1")),
        (b"GET /a#b HTTP/1.1", (b"GET", b"/a#b", b"1")),
    ],
)
def test_a_request_line(line: bytes, parts: tuple[bytes, bytes, bytes]) -> None:
    match = REQUEST_LINE.fullmatch(line)
    assert match is not None
    assert match.groups() == parts


LINES = [
    # PC15
    (b"get / HTTP/1.1", wire_codes.METHOD),
    (b"Get / HTTP/1.1", wire_codes.METHOD),
    (b"GETT / HTTP/1.1", wire_codes.METHOD),
    (b"FOO / HTTP/1.1", wire_codes.METHOD),
    (b"M-SEARCH / HTTP/1.1", wire_codes.METHOD),
    (b"TRACE / HTTP/1.1", wire_codes.METHOD),
    (b"CONNECT app:443 HTTP/1.1", wire_codes.METHOD),
    (b"PROPFIND / HTTP/1.1", wire_codes.METHOD),
    (b"MOVE /public HTTP/1.1", wire_codes.METHOD),
    (b"GET  / HTTP/1.1", wire_codes.SYNTAX),
    (b"GET /  HTTP/1.1", wire_codes.SYNTAX),
    (b"GET / HTTP/1.1 ", wire_codes.SYNTAX),
    (b" GET / HTTP/1.1", wire_codes.SYNTAX),
    (b"GET\t/\tHTTP/1.1", wire_codes.SYNTAX),
    (b"G\0T / HTTP/1.1", wire_codes.SYNTAX),
    (b'GE"T / HTTP/1.1\r\n', wire_codes.SYNTAX),
    (b"GET /a b HTTP/1.1", wire_codes.SYNTAX),
    # PC17
    (b"GET /", wire_codes.VERSION),
    (b"GET / HTTP/0.9", wire_codes.VERSION),
    (b"GET / HTTP/1.2", wire_codes.VERSION),
    (b"GET / HTTP/1.32", wire_codes.VERSION),
    (b"GET / HTTP/2.0", wire_codes.VERSION),
    (b"GET / HTTP/01.1", wire_codes.VERSION),
    (b"GET / http/1.1", wire_codes.VERSION),
    (b"GET / RTSP/1.0", wire_codes.VERSION),
    (b"OPTIONS rtsp://app RTSP/1.0", wire_codes.VERSION),
    (b"SOURCE / ICE/1.0", wire_codes.VERSION),
    (b"PRI * HTTP/2.0", wire_codes.VERSION),
    (b"GET /\xe9 HTTP/1.1", wire_codes.TARGET),
    (b"GET /\x01 HTTP/1.1", wire_codes.TARGET),
    (b"GET /\x7f HTTP/1.1", wire_codes.TARGET),
    (b"GET / HTTP/1.1\n", wire_codes.SYNTAX),
    (b"GET / HTTP/1.1\r", wire_codes.SYNTAX),
    (b"GET /\rHTTP/1.1", wire_codes.SYNTAX),
    (b"\r\nGET / HTTP/1.1", wire_codes.SYNTAX),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", wire_codes.SYNTAX),
    (b"", wire_codes.SYNTAX),
]


@pytest.mark.parametrize(("line", "code"), LINES, ids=[repr(line) for line, _ in LINES])
def test_no_request_line(line: bytes, code: Code) -> None:
    assert REQUEST_LINE.fullmatch(line) is None
    assert request_line_fault(line).code is code


@pytest.mark.parametrize("line", [b"GET  /?code=SECRET HTTP/1.1", b"GET /\xe9?code=SECRET HTTP/1.1"])
def test_the_log_gets_no_values(line: bytes) -> None:
    assert "SECRET" not in str(request_line_fault(line))


def test_every_method_is_known_to_the_parser() -> None:
    for method in METHODS:
        assert read(b"%b / HTTP/1.1\r\nHost: a\r\n\r\n" % method) == NO_BODY


# --- requests ---

POST = b"POST / HTTP/1.1\r\nHost: app\r\n"


def post(*lines: bytes) -> bytes:
    return POST + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


FOLLOWS = [
    (b"GET / HTTP/1.1\r\nHost: app\r\n\r\n", NO_BODY),
    (b"GET / HTTP/1.0\r\nHost: app\r\n\r\n", NO_BODY),
    (post(), NO_BODY),
    (post(b"Content-Length: 0"), 0),
    (post(b"content-length: 5"), 5),
    (post(b"Content-Length: 5 \t"), 5),
    (post(b"Content-Length: 999999999999999999"), 999999999999999999),
    (b"GET / HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\n", 10),
    (b"POST / HTTP/1.0\r\nHost: app\r\nContent-Length: 5\r\n\r\n", 5),
    (post(b"Transfer-Encoding: chunked"), CHUNKED),
    (post(b"Transfer-Encoding: Chunked "), CHUNKED),
    (post(b"Content-Length: 5", b"Expect: 100-continue"), 5),
    (post(b"Content-Length: 5", b"Expect: 100-Continue "), 5),
    (b"GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", NO_BODY),
    (post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 0"), 0),
    # A name with an underscore frames nothing; the header table drops it.
    (post(b"Content_Length: 5"), NO_BODY),
    (post(b"Transfer_Encoding: chunked"), NO_BODY),
]


@pytest.mark.parametrize(("head", "framing"), FOLLOWS, ids=[repr(head) for head, _ in FOLLOWS])
def test_what_follows_a_request(head: bytes, framing: int) -> None:
    assert read(head) == framing


# "parser": llhttp refuses by itself. If it ceases to, this says so.
FAULTS = [
    # PC13
    (b"GET / HTTP/1.1\r\n\r\n", wire_codes.HOST),
    (b"GET / HTTP/1.0\r\n\r\n", wire_codes.HOST),
    (b"GET / HTTP/1.1\r\nHost: app\r\nHost: app\r\n\r\n", wire_codes.HOST),
    (b"GET / HTTP/1.1\r\nHost: app\r\nhost: evil\r\n\r\n", wire_codes.HOST),
    (b"GET / HTTP/1.1\r\nHo.st: app\r\n\r\n", wire_codes.HOST),
    # HR03
    (post(b"Content-Length: 5", b"Transfer-Encoding: chunked"), "parser"),
    (post(b"Transfer-Encoding: chunked", b"Content-Length: 5"), "parser"),
    (post(b"Content-Length: 5", b"Transfer-Encoding: identity"), "parser"),
    (post(b"Content-Length: 5", b"Transfer-Encoding:"), "parser"),
    (post(b"Content-Length: 5", b"Content-Length: 6"), "parser"),
    (post(b"Content-Length: 5", b"Content-Length: 5"), "parser"),
    (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), "parser"),
    (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), "parser"),
    (post(b"Transfer-Encoding: xchunked"), "parser"),
    (post(b"Transfer-Encoding: chunked, identity"), "parser"),
    (post(b"Transfer-Encoding: chunked,"), "parser"),
    (post(b"Transfer-Encoding: chunked\t"), "parser"),
    (post(b'Transfer-Encoding: "chunked"'), "parser"),
    (post(b"Transfer-Encoding: chunked;q=1"), "parser"),
    (post(b"Transfer-Encoding:\x0bchunked"), "parser"),
    (post("Transfer-Encoding: chun\u212aed".encode()), "parser"),
    (post(b"Transfer-Encoding:"), "parser"),
    (post(b" Transfer-Encoding: chunked"), "parser"),
    (post(b"Transfer-Encoding : chunked"), "parser"),
    (post(b"X: X\rTransfer-Encoding: chunked"), "parser"),
    (post(b"X: X\nTransfer-Encoding: chunked"), "parser"),
    # What llhttp lets pass.
    (post(b"Transfer-Encoding: gzip, chunked"), wire_codes.FRAMING),
    (post(b"Transfer-Encoding: cow, chunked"), wire_codes.FRAMING),
    (post(b"Transfer-Encoding: ,chunked"), wire_codes.FRAMING),
    (post(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"), wire_codes.FRAMING),
    (b"POST / HTTP/1.0\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n", wire_codes.FRAMING),
    # HR04
    (post(b"Content-Length: +1"), "parser"),
    (post(b"Content-Length: -1"), "parser"),
    (post(b"Content-Length: 0x10"), "parser"),
    (post(b"Content-Length: 1_0"), "parser"),
    (post(b"Content-Length: 010"), wire_codes.FRAMING),
    (post(b"Content-Length: 00"), wire_codes.FRAMING),
    (post(b"Content-Length: 1, 1"), "parser"),
    (post(b"Content-Length:"), "parser"),
    (post(b"Content-Length: 1Z"), "parser"),
    (post(b"Content-Length: 1" + b"0" * 23), "parser"),
    (post(b"Content-Length: 18446744073709551615"), wire_codes.FRAMING),
    (post(b"Content-Length: 1000000000000000000"), wire_codes.FRAMING),
    (post("Content-Length: ١".encode()), "parser"),
    (post(b"Content-Length : 5"), "parser"),
    # HS06
    (b"POST / HTTP/1.1\r\n X-Remote-User: a\r\nHost: app\r\n\r\n", "parser"),
    (post(b"X-Remote-User : a"), "parser"),
    (post(b"X-Remote-User\t: a"), "parser"),
    (post(b": a"), "parser"),
    (post(b"X-Remote-User"), "parser"),
    (post(b"X\0: a"), "parser"),
    (post(b"X\x85: a"), "parser"),
    (post(b"X\xa0: a"), "parser"),
    (post("X\u2010Remote\u2010User: a".encode()), "parser"),
    # HS07
    (post(b"X: a", b" b"), "parser"),
    (post(b"X: a", b"\tb"), "parser"),
    (post(b"X: a\rb"), "parser"),
    (post(b"X: a\nb"), "parser"),
    (post(b"X: a\0"), "parser"),
    # K184
    (post(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 5"), wire_codes.UPGRADE),
    (post(b"Connection: Upgrade", b"Upgrade: h2c", b"Transfer-Encoding: chunked"), wire_codes.UPGRADE),
    (post(b"Upgrade: h2c", b"Content-Length: 5"), wire_codes.UPGRADE),
    # Expect
    (post(b"Expect: 200-ok"), wire_codes.EXPECT),
    (post(b"Expect:"), wire_codes.EXPECT),
    (post(b"Expect: 100-continue, x"), wire_codes.EXPECT),
    (post(b"Expect: 100-continue", b"Expect: 100-continue"), wire_codes.EXPECT),
]


@pytest.mark.parametrize(("head", "expected"), FAULTS, ids=[repr(head) for head, _ in FAULTS])
def test_a_request_that_is_refused(head: bytes, expected: Code | str) -> None:
    assert fault(head) == expected


# What is checked here does not lean on the parser.
@pytest.mark.parametrize(
    ("length", "encoding"),
    [
        (b"5", b"chunked"),
        (b"", None),
        (b"+1", None),
        (b"-1", None),
        (b"1_0", None),
        (b"0x10", None),
        (b"1, 1", None),
        (b"5, 6", None),
        (b" 5", None),
        (b"5\n", None),
        (b"1\xb2", None),
        (b"9" * 5000, None),
        (None, b""),
        (None, b"identity"),
        (None, b"chunked, chunked"),
        (None, b"chunked\x0b"),
        (None, b"\xa0chunked"),
    ],
)
def test_a_length_of_another_form(length: bytes | None, encoding: bytes | None) -> None:
    with pytest.raises(GatewayError) as caught:
        request_framing(b"POST", "1.1", 1, length, encoding, None, None)
    assert caught.value.code is wire_codes.FRAMING
    with pytest.raises(GatewayError) as caught:
        response_framing(b"GET", 200, "1.1", length, encoding)
    assert caught.value.code is upstream_codes.RESPONSE


@pytest.mark.parametrize(("method", "version", "code"), [
    (b"FOO", "1.1", wire_codes.METHOD),
    (b"CONNECT", "1.1", wire_codes.METHOD),
    (b"get", "1.1", wire_codes.METHOD),
    (b"GET", "2.0", wire_codes.VERSION),
    (b"GET", "0.9", wire_codes.VERSION),
])  # fmt: skip
def test_a_method_and_version_of_another_form(method: bytes, version: str, code: Code) -> None:
    with pytest.raises(GatewayError) as caught:
        request_framing(method, version, 1, None, None, None, None)
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("version", "expect", "framing", "waits"),
    [
        ("1.1", b"100-continue", 5, True),
        ("1.1", b"100-continue", CHUNKED, True),
        ("1.1", b"100-continue", 0, False),
        ("1.1", b"100-continue", NO_BODY, False),
        ("1.0", b"100-continue", 5, False),
        ("1.1", None, 5, False),
    ],
)
def test_who_waits_for_a_100(version: str, expect: bytes | None, framing: int, waits: bool) -> None:
    assert expects_continue(version, expect, framing) is waits


@given(st.binary(max_size=25), st.sampled_from([b"Content-Length", b"Transfer-Encoding", b"Upgrade", b"Expect", b"X"]))
def test_any_value_is_framed_or_refused(value: bytes, name: bytes) -> None:
    assert isinstance(fault(post(b"%b: %b" % (name, value))), (Code, str))


# --- responses ---


@pytest.mark.parametrize(
    ("method", "status", "version", "length", "encoding", "framing"),
    [
        (b"GET", 200, "1.1", b"5", None, 5),
        (b"GET", 200, "1.1", b"0", None, 0),
        (b"GET", 200, "1.1", None, b"chunked", CHUNKED),
        (b"GET", 200, "1.1", None, None, UNTIL_CLOSE),
        (b"GET", 200, "1.0", None, None, UNTIL_CLOSE),
        (b"GET", 200, "1.0", b"5", None, 5),
        (b"GET", 205, "1.1", b"0", None, 0),
        (b"POST", 404, "1.1", None, None, UNTIL_CLOSE),
        # No body, whatever is said of its length.
        (b"HEAD", 200, "1.1", b"5", None, NO_BODY),
        (b"HEAD", 200, "1.1", None, b"chunked", NO_BODY),
        (b"HEAD", 200, "1.0", None, None, NO_BODY),
        (b"GET", 204, "1.1", None, None, NO_BODY),
        (b"GET", 204, "1.1", b"5", None, NO_BODY),
        (b"GET", 304, "1.1", b"5", None, NO_BODY),
        (b"GET", 100, "1.1", None, None, NO_BODY),
        (b"GET", 103, "1.1", None, None, NO_BODY),
        (b"GET", 101, "1.1", None, None, NO_BODY),
    ],
)
def test_what_follows_a_response(
    method: bytes, status: int, version: str, length: bytes | None, encoding: bytes | None, framing: int
) -> None:
    assert response_framing(method, status, version, length, encoding) == framing


@pytest.mark.parametrize(
    ("status", "version", "length", "encoding"),
    [
        (200, "1.1", b"5", b"chunked"),
        (200, "1.1", None, b"gzip, chunked"),
        (200, "1.1", None, b"identity"),
        (200, "1.0", None, b"chunked"),
        (204, "1.1", b"5", b"chunked"),
        (200, "1.1", b"5, 5", None),
        (200, "2.0", None, None),
        (200, "0.9", None, None),
        (0, "1.1", None, None),
        (99, "1.1", None, None),
        (600, "1.1", None, None),
        (999, "1.1", None, None),
    ],
)
def test_a_response_that_is_refused(status: int, version: str, length: bytes | None, encoding: bytes | None) -> None:
    with pytest.raises(GatewayError) as caught:
        response_framing(b"GET", status, version, length, encoding)
    assert caught.value.code is upstream_codes.RESPONSE
