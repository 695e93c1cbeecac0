"""The opening handshake: what asks for a WebSocket, and what answers it (RFC 6455 4)."""

import pytest

from gateway.model.codes import upstream_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.wire.websocket import accept_of, check_accepted, key_of, upgrade_of

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
ASKED = ((b"Sec-WebSocket-Version", b"13"), (b"Sec-WebSocket-Key", KEY))


def test_the_answer_to_the_key_of_the_specification() -> None:
    assert accept_of(KEY) == ACCEPT


@pytest.mark.parametrize(
    ("value", "connection"),
    [(b"websocket", b"Upgrade"), (b" WebSocket\t", b"keep-alive, UPGRADE"), (b"websocket", b"upgrade,close")],
)
def test_one_protocol_is_asked_for(value: bytes, connection: bytes) -> None:
    assert upgrade_of(value, connection) == b"websocket"


@pytest.mark.parametrize(
    ("value", "connection"),
    [(b"websocket", None), (b"websocket", b"close"), (b"h2c, websocket", b"Upgrade"), (b"websocket,", b"Upgrade")],
)
def test_no_protocol_is_asked_for(value: bytes, connection: bytes | None) -> None:
    with pytest.raises(GatewayError) as raised:
        upgrade_of(value, connection)
    assert raised.value.code is wire_codes.UPGRADE


def test_the_key_of_a_client() -> None:
    assert key_of(b"GET", True, ((b"sec-websocket-KEY", KEY), (b"SEC-WebSocket-Version", b"13"))) == KEY


@pytest.mark.parametrize(
    ("method", "minor", "lines", "code"),
    [
        (b"POST", True, ASKED, wire_codes.WEBSOCKET),
        (b"GET", False, ASKED, wire_codes.WEBSOCKET),
        (b"GET", True, ASKED[:1], wire_codes.WEBSOCKET),
        (b"GET", True, (*ASKED, ASKED[1]), wire_codes.WEBSOCKET),
        (b"GET", True, (ASKED[0], (b"Sec-WebSocket-Key", b"c2hvcnQ=")), wire_codes.WEBSOCKET),
        (b"GET", True, (ASKED[0], (b"Sec-WebSocket-Key", KEY[:-3] + b"R==")), wire_codes.WEBSOCKET),
        (b"GET", True, (ASKED[0], (b"Sec-WebSocket-Key", KEY[:-2])), wire_codes.WEBSOCKET),
        (b"GET", True, ASKED[1:], wire_codes.WEBSOCKET_VERSION),
        (b"GET", True, ((b"Sec-WebSocket-Version", b"7"), ASKED[1]), wire_codes.WEBSOCKET_VERSION),
        (b"GET", True, ((b"Sec-WebSocket-Version", b"13, 8"), ASKED[1]), wire_codes.WEBSOCKET_VERSION),
        (b"GET", True, (ASKED[0], ASKED[0], ASKED[1]), wire_codes.WEBSOCKET_VERSION),
    ],
)
def test_what_asks_for_no_websocket(
    method: bytes, minor: bool, lines: tuple[tuple[bytes, bytes], ...], code: Code
) -> None:
    with pytest.raises(GatewayError) as raised:
        key_of(method, minor, lines)
    assert raised.value.code is code


def test_a_server_that_takes_it() -> None:
    check_accepted(KEY, ((b"sec-websocket-accept", ACCEPT),), b"upgrade", b"WebSocket")


@pytest.mark.parametrize(
    ("lines", "connection", "upgrade"),
    [
        ((), b"upgrade", b"websocket"),
        (((b"Sec-WebSocket-Accept", KEY),), b"upgrade", b"websocket"),
        (((b"Sec-WebSocket-Accept", ACCEPT.lower()),), b"upgrade", b"websocket"),
        (((b"Sec-WebSocket-Accept", ACCEPT),) * 2, b"upgrade", b"websocket"),
        (((b"Sec-WebSocket-Accept", ACCEPT),), None, b"websocket"),
        (((b"Sec-WebSocket-Accept", ACCEPT),), b"keep-alive", b"websocket"),
        (((b"Sec-WebSocket-Accept", ACCEPT),), b"upgrade", None),
        (((b"Sec-WebSocket-Accept", ACCEPT),), b"upgrade", b"h2c"),
    ],
)
def test_what_is_not_the_answer(
    lines: tuple[tuple[bytes, bytes], ...], connection: bytes | None, upgrade: bytes | None
) -> None:
    with pytest.raises(GatewayError) as raised:
        check_accepted(KEY, lines, connection, upgrade)
    assert raised.value.code is upstream_codes.RESPONSE
