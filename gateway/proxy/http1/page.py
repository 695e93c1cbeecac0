"""A page as the bytes of a response: a refusal of the data plane's own, or what the portal says."""

from http import HTTPStatus
from typing import Final

from gateway.model.ports import Page

_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


def page_response(page: Page, *, date: bytes, hsts: bytes, keep: bool, minor: bool, head_only: bool) -> bytes:
    """`date`: the line for now; `hsts`: with its CRLF before it, b"" for none. `keep`: whether the connection is kept;
    `minor`: whether the client speaks HTTP/1.1; `head_only`: it asked by HEAD."""
    lines = [b"HTTP/1.1 %d %b\r\n" % (page.status, _PHRASES.get(page.status, b"Refused")), date]
    lines += [b"\r\n%b: %b" % header for header in page.headers]
    # RFC 9110 8.6: never in a 204
    lines += [b"" if page.status == 204 else b"\r\nContent-Length: %d" % len(page.body), hsts]
    if not keep:
        lines.append(b"\r\nConnection: close")
    elif not minor:
        lines.append(b"\r\nConnection: keep-alive")
    lines.append(b"\r\n\r\n")
    if not head_only:
        lines.append(page.body)
    return b"".join(lines)
