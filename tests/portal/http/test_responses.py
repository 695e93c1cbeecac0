"""Ready answers."""

import pytest

from gateway.model.ports import Page
from gateway.portal.http.responses import redirect, with_cookies, with_headers


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("https://app.example/a?b=c&d=%0d%0a#e", b"https://app.example/a?b=c&d=%0d%0a#e"),
        ("https://app.example/\r\nSet-Cookie: a=b", b"https://app.example/%0D%0ASet-Cookie:%20a=b"),
        ("https://app.example/é", b"https://app.example/%C3%A9"),
        ("https://[::1]:8080/", b"https://[::1]:8080/"),
        ('https://app.example/"<>\\', b"https://app.example/%22%3C%3E%5C"),
    ],
)
def test_a_location_cannot_end_its_header(location: str, sent: bytes) -> None:
    assert (b"Location", sent) in redirect(location).headers


def test_a_redirect_makes_every_method_a_get_and_is_kept_by_nobody() -> None:
    page = redirect("https://app.example/")
    assert (page.status, page.body) == (303, b"")
    assert (b"Cache-Control", b"no-store") in page.headers


def test_headers_are_added() -> None:
    page = with_headers(redirect("https://app.example/"), {b"Allow": b"GET"})
    assert page.headers[-2:] == ((b"Location", b"https://app.example/"), (b"Allow", b"GET"))


def test_cookies_are_added_each_on_its_line() -> None:
    assert with_cookies(Page(200, ((b"A", b"b"),), b"."), ["c=d; Path=/", "e=f"]) == Page(
        200, ((b"A", b"b"), (b"Set-Cookie", b"c=d; Path=/"), (b"Set-Cookie", b"e=f")), b"."
    )


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\0"])
def test_no_header_is_sent_that_would_end_before_its_line_does(end: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        with_cookies(Page(200, (), b""), [f"a=b{end}X-Other: c"])
    with pytest.raises(ValueError, match="line break"):
        with_cookies(Page(200, ((b"X-A", f"b{end}c".encode()),), b""), [])
