"""A page of ours as the bytes of a response."""

import pytest

from gateway.model.ports import Page
from gateway.proxy.http1.page import page_response


def written(page: Page) -> bytes:
    return page_response(page, date=b"Date: now", hsts=b"", keep=True, minor=True, head_only=False)


def test_a_page_says_how_long_it_is() -> None:
    page = Page(200, ((b"X-Said", b"so"),), b"<p>")
    assert written(page) == b"HTTP/1.1 200 OK\r\nDate: now\r\nX-Said: so\r\nContent-Length: 3\r\n\r\n<p>"


@pytest.mark.parametrize("headers", [(), ((b"X-Said", b"so"),)])
def test_rfc9110_8_6_a_204_has_no_length(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    response = written(Page(204, headers, b""))
    assert response.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Content-Length" not in response
    assert response.endswith(b"\r\n\r\n")
