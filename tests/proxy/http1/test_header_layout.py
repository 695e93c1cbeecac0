"""Heads by the names of their lines."""

from collections.abc import Callable

import pytest
from httptools import HttpParserUpgrade, HttpRequestParser
from hypothesis import given
from hypothesis import strategies as some

from gateway.model.names import fold
from gateway.proxy.http1.header_layout import HeaderLayout, HeaderLayouts, HeaderLines, joined, memorable
from gateway.wire.headers import CONTENT_LENGTH, EXPECT, HeaderPolicy, ResponsePolicy

POLICY = HeaderPolicy.compile(frozenset({b"xremoteuser"}))
NAMES = (b"Host", b"Accept", b"X_Remote_User", b"Cookie", b"Content-Length", b"connection", b"Authorization")


def test_a_layout_says_where_everything_is() -> None:
    layout = HeaderLayout(NAMES, POLICY)
    assert (layout.cookies, layout.connections, layout.dropped) == ((3,), (5,), (b"X_Remote_User",))
    values = [b"h", b"*/*", b"admin", b"a=1", b"3", b"close", b"Basic x"]
    rare: dict[int, bytes] = {}
    layout.read_rare(values, rare)
    assert rare[CONTENT_LENGTH] == b"3"
    assert b"".join(layout.lines(values)) == b"\r\nAccept: */*\r\nAuthorization: Basic x"


def test_lines_of_one_request_are_not_those_of_the_next() -> None:
    layout = HeaderLayout((b"Host", b"Accept"), POLICY)
    first = layout.lines([b"h", b"1"])
    assert layout.lines([b"h", b"2"]) == [b"", b"", b"\r\nAccept: ", b"2"]
    assert first == [b"", b"", b"\r\nAccept: ", b"1"]
    assert layout.skeleton == [b"", b"", b"\r\nAccept: ", b""]


@pytest.mark.parametrize(
    ("names", "length", "sets"),
    [
        ((b"Content-Length",), b"Content-Length", b""),
        ((b"Server", b"Content-Length"), b"Content-Length", b""),
        ((b"Content-Length", b"Set-Cookie"), b"Content-Length", b"Set-Cookie"),
        ((b"set-cookie", b"Server", b"content-length"), b"content-length", b"set-cookie"),
        ((b"Content-Length", b"Set-Cookie", b"set-cookie"), b"", b""),
        ((b"Content-Length", b"WWW-Authenticate"), b"", b""),
        ((b"Content-Length", b"Transfer-Encoding"), b"", b""),
        ((b"Content-Length", b"Keep-Alive"), b"", b""),
        ((b"Server",), b"", b""),
    ],
)
def test_a_usual_answer_has_nothing_rare_but_its_length_and_a_cookie(
    names: tuple[bytes, ...], length: bytes, sets: bytes
) -> None:
    layout = HeaderLayout(names, ResponsePolicy())
    assert (layout.length, layout.sets) == (length, sets)


def test_a_rare_line_that_comes_twice_is_joined() -> None:
    rare: dict[int, bytes] = {}
    HeaderLayout((b"Expect", b"A", b"expect"), POLICY).read_rare([b"a", b"x", b"b"], rare)
    assert rare == {EXPECT: b"a, b"}
    assert joined([b"a", b"b", b"c"], (0, 2), b"; ") == b"a; c"
    assert (joined([b"a"], (0,), b"; "), joined([b"a"], (), b"; ")) == (b"a", None)


def test_what_is_remembered_is_small() -> None:
    layouts = HeaderLayouts(POLICY, 8)
    for number in range(30):
        layouts.learn((b"X-%d" % number,))
    assert len(layouts.known) <= 8
    assert not memorable((b"a",) * 49)
    assert not memorable((b"a" * 65,))
    assert memorable(())


def test_every_line_is_collected_in_order() -> None:
    head = b"GET / HTTP/1.1\r\nA: 1\r\nB: 2 \r\nA: 3\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    parser: Callable[[HeaderLines], HttpRequestParser] = HttpRequestParser
    lines = HeaderLines(head, parser, HttpParserUpgrade)
    assert list(zip(lines.names, lines.values, strict=True))[:4] == [
        (b"A", b"1"),
        (b"B", b"2"),
        (b"A", b"3"),
        (b"Upgrade", b"x"),
    ]


TOKEN = some.binary(min_size=1, max_size=12).map(lambda raw: bytes(b"aZ0-_.~X"[byte % 8] for byte in raw))


@given(
    some.lists(
        some.one_of(TOKEN, some.sampled_from([b"X-Remote-User", b"x.remote.user", b"Cookie", b"Host", b"TE"])),
        max_size=12,
    )
)
def test_no_layout_lets_an_injected_name_through(names: list[bytes]) -> None:
    lines = HeaderLayout(tuple(names), POLICY).lines([b"value"] * len(names))
    kept = [line[2:-2] for line in lines[::2] if line]
    assert not any(b"_" in name or fold(name) == b"xremoteuser" for name in kept)
    assert [value for name, value in zip(lines[::2], lines[1::2], strict=True) if not name] == [b""] * (
        len(names) - len(kept)
    )
