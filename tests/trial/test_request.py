import pytest

from gateway.config.schema.scalars import Wrong
from gateway.trial.request import WrittenRequest, parse_request


@pytest.mark.parametrize(
    ("text", "authority", "target"),
    [
        ("GET https://permis.example/", b"permis.example", b"/"),
        ("GET https://permis.example", b"permis.example", b"/"),
        ("GET  http://permis.example:8080/a?b=c", b"permis.example:8080", b"/a?b=c"),
        ("GET https://permis.example/a#part", b"permis.example", b"/a"),
        ("GET https://permis.example/été 1", b"permis.example", b"/%C3%A9t%C3%A9%201"),
        ("GET https://permis.example/a%2fb;c=d", b"permis.example", b"/a%2fb;c=d"),
    ],
)
def test_a_request_as_it_comes_over_the_wire(text: str, authority: bytes, target: bytes) -> None:
    assert parse_request(text) == WrittenRequest(text, "GET", authority, target)


@pytest.mark.parametrize("text", ["", "GET", "GET /admin", "https://permis.example/", "GET ftp://permis.example/"])
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(Wrong, match="a request is a method and a whole address"):
        parse_request(text)
