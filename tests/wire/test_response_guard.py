"""What an application may not have browsers forget."""

from collections.abc import Callable

import pytest

from gateway.wire.response_guard import cleared, directs_caches, ends_hsts
from tests.growth import is_linear


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b'"cookies"', b""),
        (b'"*"', b""),
        (b'"cache", "cookies", "storage"', b'"cache", "storage"'),
        (b' "storage" ,\t"cookies"', b'"storage"'),
        (b'"cache"', b'"cache"'),
        (b'"executionContexts", "clientHints"', b'"executionContexts", "clientHints"'),
        # What is no word of today may be one of tomorrow.
        (b'"cookies:partitioned"', b""),
        (b"cookies", b""),
        (b'"COOKIES"', b""),
        (b'"coo\\kies"', b""),
        (b"", b""),
    ],
)
def test_of_what_is_cleared_cookies_are_left_out(value: bytes, left: bytes) -> None:
    assert cleared(value) == left
    assert cleared(left) == left


@pytest.mark.parametrize(
    "value",
    [b"max-age=0", b"MAX-AGE=0; includeSubDomains", b'max-age="0"', b"includeSubDomains; max-age = 000",
     b"; max-age=0 ;", b"max-age=31536000, max-age=0", b"max-age=", b'max-age=""', b"max-age=1", b'max-age="60"',
     b"max-age=0999", b'max-age \t= "  0 "  ', b"a;\tmax-age=   "],
)  # fmt: skip
def test_what_ends_https_alone(value: bytes) -> None:
    assert ends_hsts(value)


@pytest.mark.parametrize(
    "value",
    [b"max-age=31536000; includeSubDomains; preload", b"max-age=1000", b'max-age="86400"', b"", b"x-max-age=0",
     b"max-age=  x", b'max-age="" 0', b"max-age=0 0"],
)  # fmt: skip
def test_what_does_not(value: bytes) -> None:
    assert not ends_hsts(value)


@pytest.mark.parametrize(
    "value",
    [
        b"private",
        b"no-transform, MAX-AGE=5",
        b"no-transform,public",
        b"no-store",
        b"x , No-Cache\t",
        b'no-cache="set-cookie", max-age=60',
        b'max-age="60"',
        b'x="a",s-maxage = 5',
        b'x="a\\",b", public',
    ],
)
def test_what_tells_caches_something(value: bytes) -> None:
    assert directs_caches(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" , ,",
        b"no-transform",
        b"\tNo-Transform , immutable",
        b"no-chache",
        b"privat=1",
        b"no-cachex",
        # Of the fields that they name, or of what is stored already
        b'no-cache="set-cookie, set-cookie2"',
        b'Private="x"',
        b"no-cache=Set-Cookie",
        b"must-revalidate",
        b"proxy-revalidate, must-understand",
        b'x="a, public"',
        b'x="a, public',
        b'x="a, public, b"',
        b'no-cache="a\\", public, b"',
        b'x="a, public, \\',
    ],
)
def test_what_says_not_who_may_store(value: bytes) -> None:
    assert not directs_caches(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "begin", "more", "end"),
    [
        (ends_hsts, b"max-age=", b" ", b"x"),
        (ends_hsts, b"max-age=", b"0", b"x"),
        (ends_hsts, b"", b";max-age=", b"x"),
        (directs_caches, b"", b'\\"', b"\\"),
        (directs_caches, b'"', b'\\"', b"\\"),
        (directs_caches, b"private", b" ", b"x"),
    ],
)
def test_an_application_chooses_how_long_a_value_is_and_not_how_long_it_is_read(
    read: Callable[[bytes], bool], begin: bytes, more: bytes, end: bytes
) -> None:
    assert is_linear(lambda size: lambda: read(begin + more * size + end), small=1000, large=100_000)
