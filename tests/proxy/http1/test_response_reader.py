"""One C parser for the heads of many connections: what one application sends shows in no other's response."""

from itertools import product

import pytest

from gateway.model.errors import GatewayError
from gateway.proxy.http1.response_head import ResponseHead, ResponseHeads
from gateway.wire.framing import CHUNKED, UNTIL_CLOSE

OK = b"HTTP/1.1 200 OK\r\n"
HEADS = (
    (OK + b"Content-Length: 2\r\n\r\n", b"GET"),
    (OK + b"Server: a\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", b"GET"),
    (OK + b"Content-Length: 9\r\n\r\n", b"HEAD"),
    (OK + b"Content-Length: 90000\r\nX-A: b\r\n\r\n", b"GET"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"GET"),
    (OK + b"\r\n", b"GET"),
    (OK + b"Set-Cookie: a=1\r\nContent-Length: 1\r\n\r\n", b"GET"),
    (OK + b"Set-Cookie: a=1\r\nSet-Cookie: b=1\r\nContent-Length: 1\r\n\r\n", b"GET"),
    (b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", b"GET"),
    (b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", b"GET"),
    (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"GET"),
    (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", b"GET"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", b"GET"),
    (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", b"GET"),
    (OK + b"Content-Length: 2\r\n X-Folded: a\r\n\r\n", b"GET"),
    (OK + b"X-A: \x01\r\n\r\n", b"GET"),
    (b"HTTP/9.9 200 OK\r\n\r\n", b"GET"),
    (b"nothing\r\n\r\n", b"GET"),
)  # fmt: skip
BODIES = (b"", b"o", b"ok", b"ok" + OK)


def found(response: ResponseHead, head: bytes, method: bytes, body: bytes) -> object:
    """What becomes of it where it comes on a connection with so much of its body: the lines that go on, in whichever
    order, and how much is still to come."""
    if method != b"HEAD" and (passed := response.usual(head + body, len(head))):
        assert passed.endswith(body)
        passed = passed[: len(passed) - len(body) - 4]
        return sorted(passed.split(b"\r\n")), response.status, response.left, response.keep_alive, response.binds
    try:
        response.read(head, method)
    except GatewayError as error:
        return error.code
    left = response.framing if response.framing in {CHUNKED, UNTIL_CLOSE} else max(response.framing, 0) - len(body)
    lines = sorted(b"".join(response.pieces(minor=True)).split(b"\r\n"))
    return lines, response.status, left, response.keep_alive, response.binds


@pytest.mark.parametrize("body", BODIES)
def test_no_connection_shows_what_another_one_read(body: bytes) -> None:
    for (before, asked), (head, method) in product(HEADS, HEADS):
        heads = ResponseHeads()
        one, other = ResponseHead(heads), ResponseHead(heads)
        for _ in range(2):
            for part in (b"", b"ok"):
                found(one, before, asked, part)
                alone = found(ResponseHead(ResponseHeads()), head, method, body)
                assert found(other, head, method, body) == alone, (before, head)


def test_what_one_connection_has_read_lasts_while_others_read() -> None:
    heads = ResponseHeads()
    one, other = ResponseHead(heads), ResponseHead(heads)
    one.read(OK + b"X-A: 1\r\nUpgrade: a\r\nConnection: X-B\r\nSet-Cookie: a=1\r\nContent-Length: 7\r\n\r\n", b"GET")
    before = list(one.sent()), dict(one.rare), one.framing, one.connection, one.set_cookies()
    for head, method in HEADS:
        found(other, head, method, b"ok")
        assert (list(one.sent()), dict(one.rare), one.framing, one.connection, one.set_cookies()) == before


def test_connections_share_the_head_that_came_last() -> None:
    """Its bytes are the larger half of what an idle connection holds."""
    heads = ResponseHeads()
    answer = OK + b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\nok"
    later = answer.replace(b"37 GMT", b"38 GMT")
    kept = [ResponseHead(heads) for _ in range(3)]
    kept[0].read(answer[:-2], b"GET")
    for each in (answer, later, later, answer):
        for response in kept:
            assert response.usual(each, len(each) - 2) == each
        assert len({id(response._last_head) for response in kept}) == 1


def test_what_an_application_announced_and_did_not_send_takes_nothing_from_the_response_of_another() -> None:
    """Of a HEAD no body comes: what the parser awaits of it is not the head of whatever is read next."""
    heads = ResponseHeads()
    one, other = ResponseHead(heads), ResponseHead(heads)
    inner = OK + b"Set-Cookie: a=1\r\nContent-Length: 99\r\n\r\n"
    body = inner + b"x" * (99 - len(inner))
    ours = OK + b"Set-Cookie: __Host-ecluse=1\r\nContent-Length: 99\r\n\r\n"
    one.read(inner, b"GET")
    assert other.usual(inner + body, len(inner)) == inner + body
    one.read(OK + b"Content-Length: %d\r\n\r\n" % len(ours), b"HEAD")
    assert other.usual(ours + body, len(ours)) == b""
