"""The meaning of an application's answer: signed in, refused, or session ended."""

from collections.abc import Iterable

from gateway.formlogin.addresses import path_of
from gateway.formlogin.spec import Charset, ResponseMark

# Bytes of a body that are searched for a marker.
SEARCHED = 64 * 1024


def is_redirect(status: int) -> bool:
    """RFC 9110 15.4: the statuses that redirect by Location."""
    return status in (301, 302, 303, 307, 308)


def meets_head(mark: ResponseMark, status: int, target: str | None) -> bool:
    """Whether status and Location are as the mark says. `target`: where the answer leads, None for nowhere or elsewhere
    than to the application."""
    if mark.status is not None and mark.status != status:
        return False
    if not mark.location:
        return True
    if target is None or not is_redirect(status):
        return False
    return mark.location == (target if "?" in mark.location else path_of(target))


def meets(mark: ResponseMark, status: int, target: str | None, body: bytes, charset: Charset) -> bool:
    return meets_head(mark, status, target) and marker_bytes(mark, charset) in body[:SEARCHED]


def meets_any(marks: Iterable[ResponseMark], status: int, target: str | None, body: bytes, charset: Charset) -> bool:
    return any(meets(mark, status, target, body, charset) for mark in marks)


def marker_bytes(mark: ResponseMark, charset: Charset) -> bytes:
    return mark.marker.encode(charset, "replace")
