"""A page as the answer to a request: a refusal of the data plane's own, or what the portal says."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from gateway.model.ports import Page

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


def answer(client: "ClientConnection", page: Page, *, close: bool = False) -> None:
    """To a request whose head was read."""
    if client.transport.is_closing():
        return
    client.skip_body()
    request = client.request
    request.lane.statuses[page.status // 100] += 1
    keep = request.keep_alive and client.body_done and not close and not client.plane.draining
    _write(client, page, keep=keep, minor=request.line.minor, head_only=request.line.method == b"HEAD")


def answer_unread(client: "ClientConnection", page: Page, *, head_only: bool) -> None:
    """To what could not be read. What follows it is thrown away for a moment, so that this is not lost in a reset."""
    if client.transport.is_closing():
        return
    client.body_done = False
    _write(client, page, keep=False, minor=True, head_only=head_only)


def _write(client: "ClientConnection", page: Page, *, keep: bool, minor: bool, head_only: bool) -> None:
    lines = [b"HTTP/1.1 %d %b\r\n" % (page.status, _PHRASES.get(page.status, b"Refused")), client.plane.date_line()]
    lines += [b"\r\n%b: %b" % header for header in page.headers]
    lines.append(b"\r\nContent-Length: %d" % len(page.body))
    if client.memo.scheme == "https":
        lines.append(client.plane.hsts_line)
    if not keep:
        lines.append(b"\r\nConnection: close")
    elif not minor:
        lines.append(b"\r\nConnection: keep-alive")
    lines.append(b"\r\n\r\n")
    if not head_only:
        lines.append(page.body)
    client.keep = keep
    client.status = page.status
    client.answering = True
    client.transport.write(b"".join(lines))
    client.answered()
