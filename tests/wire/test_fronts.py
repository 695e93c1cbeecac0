"""What a front says of a request, and the head that is written down again from it."""

import pytest

from gateway.model.errors import GatewayError
from gateway.wire.fronts import FRONTS

NGINX = FRONTS["nginx"]
ASKED = [b"Host: permis.example", b"X-Original-Method: PUT", b"X-Original-URI: /a%20b?x=1"]


def test_the_head_of_the_browser() -> None:
    lines = [
        *ASKED, b"Connection: upgrade", b"Upgrade: websocket", b"X-Ecluse-Front: s", b"Content-Length: 0", b"TE: x",
        b"Keep-Alive: 5", b"X-Forwarded-For: 192.0.2.1", b"Cookie: a=b", b"Cookie: c=d", b"X-Own: 1",
    ]  # fmt: skip
    assert NGINX.original(lines) == (
        b"PUT /a%20b?x=1 HTTP/1.1\r\nHost: permis.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"X-Forwarded-For: 192.0.2.1\r\nCookie: a=b\r\nCookie: c=d\r\nX-Own: 1\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (ASKED[1:], "no host line"),
        ([ASKED[0], ASKED[2]], "no x-original-method line"),
        (ASKED[:2], "no x-original-uri line"),
        ([*ASKED[:2], b"X-Original-URI: "], "no x-original-uri line"),
        ([*ASKED, b"x-original-uri: /other"], "two x-original-uri lines"),
        ([*ASKED, b"HOST: other"], "two host lines"),
        ([*ASKED, b"Connection: close, X-Own"], "Connection names header lines"),
    ],
)
def test_a_question_that_is_not_whole(lines: list[bytes], why: str) -> None:
    with pytest.raises(GatewayError) as raised:
        NGINX.original(lines)
    assert (raised.value.code.id, raised.value.detail) == ("front.question", why)


def test_what_would_reach_the_application_by_it() -> None:
    injected = {b"xremoteuser": b"X-Remote-User"}
    assert NGINX.unwritten([b"x-REMOTE-user", b"Forwarded", b"X-Real-IP", b"Te", b"X-Forwarded-Host"], injected) == []
    # Another spelling is another line, which its configuration does not name.
    forged = [b"X-Remote--User", b"XRealIP", b"Remote-User", b"X-Script-Name", b"Cookie2", b"Content.Length"]
    assert NGINX.unwritten(forged, injected) == forged
