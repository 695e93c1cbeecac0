"""Addresses and texts replaced in a body: the same bytes however it is cut, and what is not sought as it came."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.filters.replacing import Replacements, Replacing
from gateway.wire.internal_addresses import InternalAddresses

ADDRESSES = InternalAddresses(
    "https://app.example", ["http://intranet:8080", "http://intranet", "https://10.0.0.1:8443"]
)
ON_A_PORT = InternalAddresses("https://app.example:8443", ["http://intranet:8080"])
TEXTS = ((b"ancien nom", b"nouveau nom"), (b"abc", b"X"), (b"abcde", b"Y"), (b"http://intranet/vieux", b"/neuf"))


def replaced(body: bytes, cuts: list[int] | None = None, what: Replacements | None = None) -> bytes:
    """`cuts`: where `body` is cut."""
    replacing = Replacing(what or Replacements(ADDRESSES, TEXTS))
    ends = [0, *sorted(min(cut, len(body)) for cut in cuts or []), len(body)]
    return b"".join([*(fed(replacing, body[one:other]) for one, other in pairwise(ends)), replacing.end()])


def fed(replacing: Replacing, data: bytes) -> bytes:
    return b"".join(replacing.feed(data))


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (b'<a href="http://intranet:8080/a">', b'<a href="https://app.example/a">'),
        (b"<a href=http://intranet>", b"<a href=https://app.example>"),
        (b'<a href="HTTP://intranet/">', b'<a href="https://app.example/">'),
        (b"url(https://10.0.0.1:8443/a.css)", b"url(https://app.example/a.css)"),
        (b"url(//intranet:8080/a)", b"url(//app.example/a)"),
        (b"'//intranet'", b"'//app.example'"),
        (b'"http:\\/\\/intranet\\/a"', b'"https:\\/\\/app.example\\/a"'),
        (b'"{\\"u\\":\\"http:\\\\/\\\\/intranet\\\\/a\\"}"', b'"{\\"u\\":\\"https:\\\\/\\\\/app.example\\\\/a\\"}"'),
        (b"?u=http%3A%2F%2Fintranet%3A8080%2Fa", b"?u=https%3A%2F%2Fapp.example%2Fa"),
        (b"?u=http%3a%2f%2fintranet&b", b"?u=https%3a%2f%2fapp.example&b"),
        (b"http%253A%252F%252Fintranet%252Fa", b"https%253A%252F%252Fapp.example%252Fa"),
        (b"http:&#x2F;&#x2F;intranet&#x2F;a", b"https:&#x2F;&#x2F;app.example&#x2F;a"),
        (b"http:&#47;&#47;intranet&#47;", b"https:&#47;&#47;app.example&#47;"),
        (b'"http:\\u002F\\u002Fintranet\\u002Fa"', b'"https:\\u002F\\u002Fapp.example\\u002Fa"'),
        (b"'http:\\x2f\\x2fintranet\\x2f'", b"'https:\\x2f\\x2fapp.example\\x2f'"),
        (b"http://intranet?a http://intranet#b", b"https://app.example?a https://app.example#b"),
        (b"http://intranet&amp;", b"https://app.example&amp;"),
        (b"See http://intranet. And http://intranet, or (http://intranet)",
         b"See https://app.example. And https://app.example, or (https://app.example)"),
        (b"http://intranet", b"https://app.example"),
        (b"http://intranet:80/", b"https://app.example/"),
        (b"ancien nom, abc, abcd, abcde", b"nouveau nom, X, Xd, Y"),
        (b"http://intranet/vieux http://intranet/autre", b"/neuf https://app.example/autre"),
    ],
)  # fmt: skip
def test_what_is_sought_is_replaced_in_the_form_that_it_has(written: bytes, becomes: bytes) -> None:
    assert replaced(written) == becomes
    for cut in range(len(written)):
        assert replaced(written, [cut]) == becomes
    assert replaced(written, [*range(len(written))]) == becomes


UNTOUCHED = [
    b"", b"intranet", b"//intranet/a", b"http://intranet.evil.example/", b"http://intranet@evil.example/",
    b"http://intranet:8080@evil.example/", b"http://intranet:81/", b"http://intranet:80800/", b"http://intranets/",
    b"http://intranet-2/", b"http://intranet_2/", b"http://intranet~", b"http://intranet%40evil.example/",
    b"http://intranet%2eevil.example", b"http://intranet%3a81/", b"http://intranet\\@evil.example/",
    b"http://intranet\\u0040evil", b"http://intranet&#46;evil", b"http://intranet&period;evil", b"http://intranet&#64;e",
    b'"http://intranet:" + port', b"http://an-intranet/", b"http://user@intranet/", b"https://intranet:8080/",
    b"http://intranet\xc3\xa9/", b"https://10.0.0.1/", b"http://110.0.0.1:8443/", b"ftp://intranet/", b"x //intranet",
    b"http:/intranet/",
    b"http://intranet;@evil", b"http:\\\\intranet/", b"http:\\//intranet/", b"http://intranet.:81/", b"ancien  nom",
    b"HTTP://INTRANET/",
]  # fmt: skip


@pytest.mark.parametrize("body", UNTOUCHED)
def test_what_is_no_such_address_is_passed_byte_for_byte(body: bytes) -> None:
    for text in (body, b'"' + body + b'"', b"<p>" + body + b" "):
        if not (text[:1] == b'"' and body.startswith(b"//intranet/")):
            assert replaced(text) == text
            assert replaced(text, [*range(len(text))]) == text


def test_a_port_of_the_public_address_is_written_as_the_rest_is() -> None:
    what = Replacements(ON_A_PORT)
    assert replaced(b'"http:\\/\\/intranet:8080\\/"', what=what) == b'"https:\\/\\/app.example:8443\\/"'
    assert replaced(b"http%3A%2F%2Fintranet%3A8080%2F", what=what) == b"https%3A%2F%2Fapp.example%3A8443%2F"


# Parts of what is sought, and what stands between them.
PARTS = [
    b"http://intranet", b"http:", b"https", b"//", b"intranet", b":8080", b"/a", b'"', b"abc", b"abcde", b"ab", b"de",
    b"ancien ", b"nom", b"\\/\\/", b"%2f%2f", b"%3A", b".", b"e", b"@", b" ", b"'", b"x" * 70, b"&#x2f;&#x2f;", b"&#",
    b"& " + b"-" * 300,
    b"\\", b"%", b"2", b"http%3A%2F%2Fintranet%3A8080", b"10.0.0.1:8443", b"\xc3", b"(", b"\0", b"/vieux",
]  # fmt: skip
BODIES = st.lists(st.sampled_from(PARTS) | st.binary(max_size=8), max_size=14).map(b"".join)


@given(BODIES, st.lists(st.integers(0, 300), max_size=8))
def test_however_a_body_is_cut_it_becomes_the_same(body: bytes, cuts: list[int]) -> None:
    whole = replaced(body)
    assert replaced(body, cuts) == whole
    assert replaced(body, [*range(len(body))]) == whole


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_a_body_without_what_is_sought_is_the_same(body: bytes, cuts: list[int]) -> None:
    if re.search(rb"intranet|10\.0\.0\.1|abc|ancien", body) is None:
        assert replaced(body, cuts) == body


@given(BODIES)
def test_without_anything_to_seek_every_byte_goes_on_at_once(body: bytes) -> None:
    replacing = Replacing(Replacements(None))
    assert fed(replacing, body) == body
    assert replacing.end() == b""


def test_what_is_held_back_is_bounded_and_a_whole_line_is_not() -> None:
    replacing = Replacing(Replacements(ADDRESSES, TEXTS))
    sent = sum(len(fed(replacing, b"x" * 65536)) for _ in range(20))
    assert 20 * 65536 - sent < 100
    replacing = Replacing(Replacements(ADDRESSES, TEXTS))
    assert fed(replacing, b'data: {"a": "http://intranet/"}\n\n') == b'data: {"a": "https://app.example/"}\n\n'
    assert fed(replacing, b"ancien n") == b""
    assert replacing.end() == b"ancien n"
