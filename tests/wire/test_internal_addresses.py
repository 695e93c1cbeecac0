"""Addresses made public: an exact origin is, and nothing else is touched."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.internal_addresses import InternalAddresses, canonical_origin

PUBLIC = "https://app.ville.example"
INTERNAL = InternalAddresses(
    PUBLIC,
    ["http://intranet:8080", "http://intranet", "https://10.0.0.1:8443", "http://[::1]:81", "http://app_1", PUBLIC],
)


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (b"http://intranet:8080/a?b#c", b"https://app.ville.example/a?b#c"),
        (b"http://intranet:8080", b"https://app.ville.example"),
        (b"http://intranet?q", b"https://app.ville.example?q"),
        (b"http://intranet#f", b"https://app.ville.example#f"),
        (b"HTTP://INTRANET:8080/A", b"https://app.ville.example/A"),
        (b"http://intranet:80/", b"https://app.ville.example/"),
        (b"http://intranet:/", b"https://app.ville.example/"),
        (b"http://intranet:08080/", b"https://app.ville.example/"),
        (b"https://10.0.0.1:8443/a", b"https://app.ville.example/a"),
        (b"http://[::1]:81/a", b"https://app.ville.example/a"),
        (b"http://app_1/a", b"https://app.ville.example/a"),
        (b"//intranet:8080/a", b"//app.ville.example/a"),
        (b"//intranet/a", b"//app.ville.example/a"),
        (b"http://intranet/\\evil.example", b"https://app.ville.example/\\evil.example"),
    ],
)
def test_an_internal_origin_becomes_the_public_one(written: bytes, becomes: bytes) -> None:
    assert INTERNAL.location(written) == becomes


UNTOUCHED = [
    b"", b"/a", b"a", b"?q", b"#f", b"https://app.ville.example/a", b"http://elsewhere.example/",
    b"http://intranet.evil.example/", b"http://intranet.", b"http://intranet./a", b"http://evil-intranet/",
    b"http://intranet@evil.example/", b"http://intranet:8080@evil.example/", b"http://user@intranet/",
    b"http://intranet:8080%40evil.example/", b"http://intranet%2eevil.example/", b"http://intranet:8081/",
    b"http://intranet:80800/", b"http://intranet:123456/", b"http://intranet:0/", b"https://intranet/",
    b"https://intranet:8080/", b"http://intranet\\@evil.example/", b"http://intranet\\evil.example/",
    b"http:\\\\intranet/", b"http:/intranet/", b"http:intranet/", b"http:///intranet/", b"///intranet/",
    b"\\\\intranet/", b"http://intranet;@evil.example/", b"http://intranet&@evil.example/",
    b"http://intranet,/", b"ftp://intranet/", b"javascript://intranet/%0aalert(1)", b"xhttp://intranet/",
    b"http://xn--intrnet-bza/", "http://intran\u00e9t/".encode(), b"http://intranet\t/",
    b"http://[::1]/", b"http://::1:81/", b"http://10.0.0.1:8443/", b"http://012.0.0.1:8443/",
    b"/redirect?to=http://intranet:8080/",
]  # fmt: skip


@pytest.mark.parametrize("value", UNTOUCHED)
def test_what_is_another_origin_is_not_touched(value: bytes) -> None:
    assert INTERNAL.location(value) == value
    assert INTERNAL.refresh(b"0;url=" + value) == b"0;url=" + value
    assert INTERNAL.link(b"<" + value + b">; rel=next") == b"<" + value + b">; rel=next"


@given(st.binary(max_size=80))
def test_whatever_a_location_holds_it_leads_where_it_led_or_to_the_public_origin(value: bytes) -> None:
    for begin in (b"", b"http://intranet:8080", b"//intranet"):
        becomes = INTERNAL.location(begin + value)
        if becomes != begin + value:
            rest = becomes.removeprefix(b"https:").removeprefix(b"//app.ville.example")
            assert not rest or rest[:1] in b"/?#"


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (b"5; url=http://intranet:8080/a", b"5; url=https://app.ville.example/a"),
        (b"0;URL='http://intranet/a'", b"0;URL='https://app.ville.example/a'"),
        (b'0, url = "http://intranet"', b'0, url = "https://app.ville.example"'),
        (b"3 http://intranet/", b"3 https://app.ville.example/"),
        (b"3;http://intranet/", b"3;https://app.ville.example/"),
        (b"3", b"3"),
        (b"3; url=/a?http://intranet/", b"3; url=/a?http://intranet/"),
    ],
)
def test_refresh(written: bytes, becomes: bytes) -> None:
    assert INTERNAL.refresh(written) == becomes


@pytest.mark.parametrize("filler", [b" ", b"\t", b"0", b"<", b"< ", b";", b"//", b"http://intranet", b"'"])
def test_a_long_value_takes_linear_time(filler: bytes) -> None:
    """64 KB are what a head may hold: where time grew with the square, this would take minutes."""
    value = b"0" + filler * (65536 // len(filler)) + b"x"
    began = time.process_time()
    for change in (INTERNAL.location, INTERNAL.refresh, INTERNAL.link, INTERNAL.cookie):
        change(value)
    assert time.process_time() - began < 1


def test_link_has_several_addresses() -> None:
    written = b'<http://intranet/a.css>; rel=preload, </b>; rel=next, <//intranet:8080/c>; title="<http://intranet>"'
    assert INTERNAL.link(written) == (
        b"<https://app.ville.example/a.css>; rel=preload, </b>; rel=next, "
        b'<//app.ville.example/c>; title="<https://app.ville.example>"'
    )


COOKIES = InternalAddresses(PUBLIC, ["http://app.interne.example:8080", "http://10.0.0.1"])


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (b"a=1", b"a=1; Secure"),
        (b"a=1; Path=/x; HttpOnly", b"a=1; Path=/x; HttpOnly; Secure"),
        (b"a=1;secure", b"a=1;secure"),
        (b"a=1; Domain=app.interne.example; Path=/", b"a=1; Path=/; Secure"),
        (b"a=1; domain = .APP.Interne.Example", b"a=1; Secure"),
        (b"a=1; Domain=interne.example; Secure", b"a=1; Secure"),
        (b"a=1; Domain=10.0.0.1; Secure", b"a=1; Secure"),
        # It holds outside as well, or it holds nowhere: whatever browsers make of it, it is not widened.
        (b"a=1; Domain=example; Secure", b"a=1; Domain=example; Secure"),
        (b"a=1; Domain=ville.example; Secure", b"a=1; Domain=ville.example; Secure"),
        (b"a=1; Domain=evil.example; Secure", b"a=1; Domain=evil.example; Secure"),
        (b"a=1; Domain=; Secure", b"a=1; Domain=; Secure"),
        (b"a=1; Domain; Secure", b"a=1; Domain; Secure"),
        (b"domain=app.interne.example; Secure", b"domain=app.interne.example; Secure"),
    ],
)
def test_cookies(written: bytes, becomes: bytes) -> None:
    assert COOKIES.cookie(written) == becomes


def test_a_cookie_without_same_site_gets_the_one_of_the_file() -> None:
    assert COOKIES.cookie(b"a=1", b"Lax") == b"a=1; Secure; SameSite=Lax"
    assert COOKIES.cookie(b"a=1; samesite=None", b"Lax") == b"a=1; samesite=None; Secure"
    plain = InternalAddresses("http://app.localhost:8080", ["http://127.0.0.1:9001"])
    assert plain.cookie(b"a=1", b"None") == b"a=1", "browsers refuse None without Secure"
    assert plain.cookie(b"a=1; Domain=127.0.0.1", b"Strict") == b"a=1; SameSite=Strict"


@given(st.binary(max_size=60))
def test_a_cookie_keeps_its_name_and_value_and_gets_no_domain(value: bytes) -> None:
    becomes = COOKIES.cookie(value)
    assert becomes.partition(b";")[0] == value.partition(b";")[0]
    assert becomes.lower().count(b"domain") <= value.lower().count(b"domain")


def test_an_origin_has_one_spelling() -> None:
    assert canonical_origin(b"http", b"A", None) == canonical_origin(b"http", b"a", b"080") == b"http://a"
    assert canonical_origin(b"https", b"a", b"80") == b"https://a:80"
