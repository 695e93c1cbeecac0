"""An application's head on its way to the browser."""

from contextlib import suppress
from itertools import product

import pytest

from gateway.model.errors import GatewayError
from gateway.proxy.http1.response_head import ResponseHead, ResponseHeads
from gateway.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE
from gateway.wire.response_guard import STRICT, ResponseLeniency
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway


async def head_for(lines: bytes, *, client: bytes = b"HTTP/1.1") -> bytes:
    """What a browser gets as the head of an answer with these lines and a body of two bytes."""
    sent = b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok"
    async with application(sent) as app, gateway(app) as gate:
        return (await gate.once(b"GET /public/a " + client + b"\r\nHost: permis.localhost\r\n\r\n")).head


@pytest.mark.parametrize(
    "lines",
    [
        b"Server: Apache/1.3\r\nX-A: two  blanks\r\nDate: x\r\n",
        b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n",
        b"WWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Digest realm=\"b\"\r\n",
        b"X-Latin: \xe9\r\nlocation: http://elsewhere.example/\r\n",
        b"X_Under_score: 1\r\nX.Dot: 1\r\n",
    ],
)  # fmt: skip
async def test_end_to_end_lines_go_on_in_their_order(lines: bytes) -> None:
    got = await head_for(lines)
    assert got == b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: keep-alive\r\n", b"Keep-Alive: timeout=5\r\n", b"Proxy-Connection: keep-alive\r\n",
        b"Trailer: X-T\r\n", b"TE: x\r\n", b"Upgrade: h2c\r\n", b"Proxy-Authenticate: Basic\r\n",
        b"Connection: X-Hop\r\nX-Hop: 1\r\n", b"connection: close, X-Hop\r\nx-hop: 1\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("more", [b"", b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"])
async def test_hop_by_hop_lines_do_not(line: bytes, more: bytes) -> None:
    assert await head_for(more + line) == b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: 2\r\n\r\n"


async def test_a_line_that_is_repeated_is_read_also_where_all_names_are_known() -> None:
    known = b"Connection: keep-alive\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok"
    usual = b"HTTP/1.1 200 OK\r\n" + known
    twice = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok"
    async with application(usual, usual, twice, usual) as app, gateway(app) as gate:
        client = await gate.client()
        hops = [(await client.ask(ask(b"GET /public/a"))).values(b"X-Hop") for _ in range(4)]
        assert hops == [[b"1"], [b"1"], [], [b"1"]]


async def test_http_1_0_is_told_what_becomes_of_its_connection() -> None:
    assert (await head_for(b"Connection: keep-alive\r\n", client=b"HTTP/1.0")).endswith(
        b"\r\nConnection: close\r\n\r\n"
    )


# --- alone ---


def read(head: bytes, method: bytes = b"GET") -> ResponseHead:
    response = ResponseHead(ResponseHeads())
    response.read(head, method)
    return response


@pytest.mark.parametrize(
    ("method", "head", "framing", "keep_alive"),
    [
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 7, True),
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED, True),
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n", CHUNKED, False),
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\n", UNTIL_CLOSE, False),
        (b"GET", b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n", 7, False),
        (b"GET", b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: Keep-Alive\r\n\r\n", 7, True),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", NO_BODY, True),
        (b"HEAD", b"HTTP/1.1 200 OK\r\n\r\n", NO_BODY, True),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", NO_BODY, True),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", NO_BODY, True),
        (b"GET", b"HTTP/1.1 103 Early Hints\r\n\r\n", NO_BODY, True),
    ],
)
def test_framing_and_keep_alive(method: bytes, head: bytes, framing: int, keep_alive: bool) -> None:
    response = read(head, method)
    assert (response.framing, response.keep_alive) == (framing, keep_alive)


@pytest.mark.parametrize("status", [b"600", b"999", b"099", b"20", b"2000", b"2x0"])
def test_a_status_is_one_of_the_five_classes(status: bytes) -> None:
    for lines in (b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b""):
        with pytest.raises(GatewayError):
            read(b"HTTP/1.1 " + status + b" X\r\n" + lines + b"\r\n")


def test_a_head_leaves_nothing_for_the_next_one() -> None:
    response = ResponseHead(ResponseHeads())
    usual = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    for before in (
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: __Host-ecluse=1\r\nContent-Length: 3\r\n\r\n",
    ):
        response.read(before, b"GET")
        response.read(usual, b"GET")
        assert (response.framing, response.keep_alive, response.binds) == (2, True, False)
        response.read(before, b"GET")
        assert response.usual(usual + b"ok", len(usual)) == usual + b"ok"
        assert (response.status, response.binds) == (200, False)


@pytest.mark.parametrize(
    ("lines", "binds"),
    [
        (b"WWW-Authenticate: NTLM\r\n", True),
        (b"WWW-Authenticate: Basic\r\nWWW-Authenticate: Negotiate\r\n", True),
        (b"WWW-Authenticate: Basic\r\n", False),
    ],
)
def test_a_401_of_ntlm_binds(lines: bytes, binds: bool) -> None:
    assert read(b"HTTP/1.1 401 No\r\n" + lines + b"Content-Length: 0\r\n\r\n").binds is binds


def test_what_applications_fill_is_bounded() -> None:
    heads = ResponseHeads()
    response = ResponseHead(heads)
    for number in range(1200):
        response.read(b"HTTP/1.1 200 R%d\r\nX-%d: 1\r\nContent-Length: 0\r\n\r\n" % (number, number), b"GET")
    assert len(heads.status_lines) <= 512
    assert len(heads.layouts.known) <= 512


OK = b"HTTP/1.1 200 OK\r\n"
USUAL = OK + b"Content-Length: 2\r\n\r\nok"


ANSWERS = [
    (USUAL, USUAL),
    (OK + b"Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok", USUAL),
    # What is beyond the body, or not as usual, is read the long way.
    (USUAL + b"!", b""),
    (USUAL + USUAL, b""),
    (OK + b"Content-Length: 02\r\n\r\nok", b""),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b""),
    (b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"A: b\r\nA: c\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"Set-Cookie: __Host-ecluse=x\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"X: 1\r\nConnection: X\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"Connection:keep-alive\r\nContent-Length: 2\r\n\r\nok", b""),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 2\r\n\r\n", b""),
    (OK + b"Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok", OK + b"Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok"),
    (OK + b"Content-Length: 2\r\n\r\nno", OK + b"Content-Length: 2\r\n\r\nno"),
    (OK + b"Content-Length: 4\r\n\r\n\r\n\r\n", OK + b"Content-Length: 4\r\n\r\n\r\n\r\n"),
    (b"HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\nok"),
]


@pytest.mark.parametrize(("answer", "goes_on"), ANSWERS)
def test_only_a_usual_answer_goes_on_as_it_came(answer: bytes, goes_on: bytes) -> None:
    """Also where all its names and its status line are known already."""
    response = knowing()
    end = answer.index(b"\r\n\r\n") + 4
    for _ in range(2):
        with suppress(GatewayError):
            response.read(answer[:end], b"GET")
        assert response.usual(answer, end) == goes_on


PRIVATE = b"\r\nCache-Control: private"


def known(answer: bytes) -> ResponseHead:
    """Its head came before, with other values."""
    response = knowing()
    head = answer[: answer.index(b"\r\n\r\n") + 4]
    with suppress(GatewayError):
        response.read(head.replace(b"Date: Mon", b"Date: Sun").replace(b'"a', b'"b').replace(b"h: 1", b"h: 7"), b"GET")
    return response


DATE = b"Date: Mon, 24 Nov 2025 15:00:00 GMT\r\n"
BEGUN = OK + DATE + b'ETag: "a"\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n'


@pytest.mark.parametrize("come", [b"", b"hello", b"hello, world"])
def test_a_known_head_goes_on_with_what_has_come_of_its_body(come: bytes) -> None:
    response = known(BEGUN)
    assert response.usual(BEGUN + come, len(BEGUN)) == BEGUN.replace(b"Connection: keep-alive\r\n", b"") + come
    assert (response.status, response.left, response.keep_alive, response.binds) == (200, 12 - len(come), True, False)


NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n" + DATE + b'ETag: W/"a"\r\n\r\n'


def test_a_known_304_has_no_body_and_takes_back_nothing() -> None:
    response = known(NOT_MODIFIED)
    for _ in range(2):
        assert response.usual(NOT_MODIFIED, len(NOT_MODIFIED), PRIVATE) == NOT_MODIFIED
        assert (response.status, response.left) == (304, 0)
    assert response.usual(NOT_MODIFIED + b"x", len(NOT_MODIFIED)) == b""


def test_a_304_of_http_1_0_is_read_each_time() -> None:
    """It ends its connection."""
    old = NOT_MODIFIED.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert known(old).usual(old, len(old)) == b""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"h: 12", b"h: 012"), (b"h: 12", b"h: +12"), (b"h: 12", b"h: 12 "), (b"h: 12", b"h: 12, 12"),
        (b"h: 12", b"h: "),
        (b"h: 12", b"h:12"), (b"h: 12", b"h: 12\r\nContent-Length: 12"), (b"h: 12", b"h: 1234567890123456789"),
        (b"Content-Length: 12\r\n", b""), (b"Content-Length: 12", b"Transfer-Encoding: chunked"),
        (b"Content-Length", b"content-length"), (b"Mon, ", b"Mon,\0"), (b"Mon, ", b"Mon,  "), (b"Mon, ", b"\r\nA: "),
        (b'"a"', b'"\x01"'), (b'"a"', b'"a'), (b'"a"', b'"a"\r\n b'), (b'"a"', b'"\r\nSet-Cookie: a="'),
        (b"keep-alive", b"close"), (b"keep-alive", b"ETag"), (b"200 OK", b"204 OK"), (b"HTTP/1.1", b"HTTP/1.0"),
        (b"200 OK", b"304 OK"), (b"ETag", b"Set-Cookie"), (b"\r\n\r\n", b"\r\nX-Lang: fr\r\n\r\n"),
    ],
)  # fmt: skip
def test_every_other_head_is_the_parser_s(old: bytes, new: bytes) -> None:
    response, other = known(BEGUN), BEGUN.replace(old, new)
    assert response.usual(other, other.index(b"\r\n\r\n") + 4) == b""


@pytest.mark.parametrize(
    "line",
    [
        b"Set-Cookie: a=SECRET",
        b"Location: /SECRET",
        b"X-User: SECRET",
        b"Content-Disposition: SECRET",
        b'ETag: "SECRET"',
    ],
)
def test_values_of_people_are_not_remembered(line: bytes) -> None:
    heads = ResponseHeads()
    response = ResponseHead(heads)
    for _ in range(2):
        response.read(OK + line + b"\r\nContent-Length: 2\r\n\r\n", b"GET")
        response.usual(OK + line + b"\r\nContent-Length: 2\r\n\r\nok", len(OK + line) + 23)
    assert b"SECRET" not in b"".join(heads.known.heads)


@pytest.mark.parametrize(
    "length", [b"content-length: 2", b"CONTENT-LENGTH: 2", b"Content-Length:2", b"Content-Length:  2"]
)
def test_a_length_in_another_spelling_is_never_taken_for_none(length: bytes) -> None:
    """Else the body, which comes later, would be another response."""
    response, head = knowing(), OK + length + b"\r\n\r\n"
    for _ in range(2):
        response.read(head, b"GET")
        assert response.usual(head, len(head)) == b""
        assert response.usual(head + b"ok", len(head)) == head + b"ok"
        assert response.left == 0


def test_heads_that_are_never_alike_are_looked_up_seldom_and_do_not_pile_up() -> None:
    heads = ResponseHeads()
    response = ResponseHead(heads)

    def come(line: bytes) -> None:
        head = OK + line + b"\r\nContent-Length: 2\r\n\r\n"
        if not response.usual(head + b"ok", len(head)):
            response.read(head, b"GET")

    for number in range(10_000):
        come(b"Expires: %d" % number)
    assert len(heads.known.heads) <= 1024
    for number in range(40):
        come(b"Server: %d" % (number % 2))
    assert response._unknown == 0


@pytest.mark.parametrize(
    "lines", [b"", b"Connection: keep-alive\r\n", b"X-Other: 1\r\nConnection: keep-alive\r\nLast-Modified: now\r\n"]
)
def test_an_answer_to_a_person_that_tells_caches_nothing_tells_them_it_is_private(lines: bytes) -> None:
    """The short way and the long one, and as often as it comes; nothing of it is left for an answer to nobody."""
    response = knowing()
    answer = OK + lines + b"Content-Length: 2\r\n\r\nok"
    end = len(answer) - 2
    response.read(answer[:end], b"GET")
    plain = answer.replace(b"Connection: keep-alive\r\n", b"")
    for cache in (PRIVATE, b"", PRIVATE, PRIVATE, b""):
        whole = response.usual(answer, end, cache)
        assert sorted(whole.split(b"\r\n")) == sorted(plain.split(b"\r\n") + ([PRIVATE[2:]] if cache else []))
        assert whole.endswith(b"\r\n\r\nok")
    for private in (True, False):
        response.read(answer[:end], b"GET")
        assert (PRIVATE in response.pieces(minor=True, private=private)) is private


@pytest.mark.parametrize("line", [b"Cache-Control: max-age=60", b"cache-control: no-cache", b"CACHE-CONTROL: public"])
def test_what_tells_caches_something_is_left_as_it_is(line: bytes) -> None:
    response = knowing()
    answer = OK + line + b"\r\nContent-Length: 2\r\n\r\nok"
    response.read(answer[:-2], b"GET")
    assert PRIVATE not in response.pieces(minor=True, private=True)
    for _ in range(2):
        assert response.usual(answer, len(answer) - 2, PRIVATE) == answer


@pytest.mark.parametrize(
    "line",
    [b"Expires: Fri, 01 Jan 2100 00:00:00 GMT", b"Expires: 0", b"PRAGMA: no-cache", b"X-Cache-Control: public",
     b"Cache-Control:", b"cache-control: ,", b"Cache-Control: No-Transform", b"Cache-Control: immutable, no-transform"],
)  # fmt: skip
def test_what_says_not_who_may_store_it_is_a_persons_own_all_the_same(line: bytes) -> None:
    """RFC 9111 3: with Expires, or a Last-Modified beside Pragma, a shared cache stores it."""
    response = knowing()
    answer = OK + line + b"\r\nContent-Length: 2\r\n\r\nok"
    response.read(answer[:-2], b"GET")
    assert PRIVATE in response.pieces(minor=True, private=True)
    for _ in range(3):
        whole = response.usual(answer, len(answer) - 2, PRIVATE)
        assert PRIVATE in whole or not whole


def test_a_directive_that_is_of_one_connection_only_tells_nobody() -> None:
    response = read(OK + b"Cache-Control: public\r\nConnection: cache-control\r\nContent-Length: 0\r\n\r\n")
    assert PRIVATE in response.pieces(minor=True, private=True)


@pytest.mark.parametrize("status", [b"304 Not Modified", b"103 Early Hints"])
def test_what_brings_up_to_date_or_comes_before_is_left_as_it_is(status: bytes) -> None:
    response = read(b"HTTP/1.1 " + status + b"\r\nETag: a\r\n\r\n")
    assert PRIVATE not in response.pieces(minor=True, private=True)


GUARDED = [
    (b'Clear-Site-Data: "cookies"', b"", ResponseLeniency(clear_site_data=True)),
    (b'Clear-Site-Data: "cache", "cookies"', b'Clear-Site-Data: "cache"', ResponseLeniency(clear_site_data=True)),
    (b'clear-site-data: "*"', b"", ResponseLeniency(clear_site_data=True)),
    (b"Strict-Transport-Security: max-age=0", b"", ResponseLeniency(end_hsts=True)),
]


@pytest.mark.parametrize(("line", "left", "leniency"), GUARDED)
def test_what_browsers_would_forget_passes_only_where_the_file_names_it(
    line: bytes, left: bytes, leniency: ResponseLeniency
) -> None:
    harmless = b'Clear-Site-Data: "cache"' if b"lear" in line[:2] else b"Strict-Transport-Security: max-age=86400"
    response = knowing()
    answer = OK + line + b"\r\nContent-Length: 2\r\n\r\nok"
    usual = OK + harmless + b"\r\nContent-Length: 2\r\n\r\nok"
    for sent in (answer, usual, answer):
        response.read(sent[: len(sent) - 2], b"GET")
    assert response.usual(usual, len(usual) - 2) in (usual, b"")
    assert response.usual(answer, len(answer) - 2) == b""
    for told, wanted in ((STRICT, left), (leniency, line)):
        response.read(answer[:-2], b"GET")
        head = b"".join(response.pieces(told, minor=True))
        name = line.partition(b":")[0].lower()
        found = [one for one in head.split(b"\r\n") if one.lower().startswith(name)]
        assert [one.lower() for one in found] == ([wanted.lower()] if wanted else [])


@pytest.mark.parametrize(
    "name",
    [b"X-Accel-Redirect", b"x-accel-redirect", b"X-Accel-Expires", b"X-Accel-Charset", b"X-Accel-Limit-Rate",
     b"X-Sendfile", b"X-SENDFILE-TEMPORARY", b"X-Sendfile2", b"X-LIGHTTPD-send-file", b"X-REPROXY-URL",
     b"X-Reproxy-File", b"X-LiteSpeed-Location", b"X-LITESPEED-Cache-Control", b"Surrogate-Control", b"surrogate-key",
     b"Edge-Control", b"CDN-Cache-Control", b"Cloudflare-CDN-Cache-Control", b"X-Envoy-Immediate-Health-Check-Fail",
     b"x-envoy-degraded"],
)  # fmt: skip
def test_what_orders_a_front_passes_only_where_the_file_names_it(name: bytes) -> None:
    response = knowing()
    answer = OK + name + b": /internal/secret\r\nContent-Length: 2\r\n\r\nok"
    for _ in range(2):
        assert response.usual(answer, len(answer) - 2) == b""
        for leniency in (STRICT, ResponseLeniency(front_orders=True)):
            response.read(answer[:-2], b"GET")
            head = b"".join(response.pieces(leniency, minor=True))
            assert (b"\r\n" + name + b": /internal/secret" in head) is leniency.front_orders
            assert (b"secret" in head) is leniency.front_orders


def test_how_a_response_is_handed_on_passes_in_any_case() -> None:
    response = knowing()
    response.read(OK + b"X-Accel-Buffering: no\r\nContent-Length: 2\r\n\r\n", b"GET")
    assert b"\r\nX-Accel-Buffering: no" in b"".join(response.pieces(minor=True))


def test_a_line_that_keeps_https_takes_the_short_way() -> None:
    response = knowing()
    answer = OK + b"Strict-Transport-Security: max-age=31536000\r\nContent-Length: 2\r\n\r\nok"
    response.read(answer[:-2], b"GET")
    assert response.usual(answer, len(answer) - 2) == answer


def knowing() -> ResponseHead:
    """Every name and status line of the answers."""
    response = ResponseHead(ResponseHeads())
    for answer in (OK + b"A: b\r\nContent-Length: 2\r\n\r\n", *(answer for answer, _ in ANSWERS)):
        with suppress(GatewayError):
            response.read(answer[: answer.index(b"\r\n\r\n") + 4], b"GET")
    return response


def test_whatever_came_before_an_answer_is_taken_for_what_it_is() -> None:
    for (first, first_goes_on), (second, second_goes_on) in product(ANSWERS, ANSWERS):
        response = knowing()
        order = (first, first_goes_on), (first, first_goes_on), (second, second_goes_on), (first, first_goes_on)
        for answer, goes_on in order:
            assert response.usual(answer, answer.index(b"\r\n\r\n") + 4) == goes_on, (first, second)
            assert not goes_on or response.status == int(answer[9:12])


@pytest.mark.parametrize(
    ("answer", "parsed"), [(USUAL, 0), (OK + b"Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok", 3)]
)
def test_an_answer_with_the_head_of_the_one_before_is_not_parsed_again_but_for_a_cookie(
    answer: bytes, parsed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what sets a cookie, nothing is kept."""
    read_whole, read = ResponseHead._read_whole, []

    def counting(response: ResponseHead, data: bytes, end: int) -> bool:
        read.append(data)
        return read_whole(response, data, end)

    monkeypatch.setattr(ResponseHead, "_read_whole", counting)
    response = knowing()
    for _ in range(3):
        assert response.usual(answer, answer.index(b"\r\n\r\n") + 4) == answer
    assert len(read) == parsed
    assert b"a=1" not in response._last_head


@pytest.mark.parametrize("line", [b"Set-Cookie: a=1\r\n", b"Connection: x\r\n", b"X: 1\r\n"])
async def test_a_head_of_more_lines_than_anybody_sends_is_refused(line: bytes) -> None:
    """Content-Length is one of them."""
    assert (await head_for(line * 499)).startswith(b"HTTP/1.1 200 ")
    assert (await head_for(line * 500)).startswith(b"HTTP/1.1 502 ")
