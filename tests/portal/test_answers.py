"""Ready answers."""

import pytest

from gateway.portal.answers import redirect, with_headers


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
