import pytest

from gateway.formlogin.marks import SEARCHED, is_redirect, marker_bytes, meets, meets_any, meets_head
from gateway.formlogin.spec import ResponseMark


@pytest.mark.parametrize(
    ("mark", "status", "target", "is_met"),
    [
        (ResponseMark(status=401), 401, None, True),
        (ResponseMark(status=401), 403, None, False),
        (ResponseMark(location="/login"), 302, "/login?next=/a", True),
        (ResponseMark(location="/login"), 302, "/login/", False),
        (ResponseMark(location="/login?expired=1"), 302, "/login?expired=1", True),
        (ResponseMark(location="/login?expired=1"), 302, "/login", False),
        (ResponseMark(location="/login"), 302, None, False),
        (ResponseMark(location="/login"), 200, "/login", False),
        (ResponseMark(status=303, location="/login"), 302, "/login", False),
        (ResponseMark(marker="x"), 200, None, True),
    ],
)
def test_status_and_location_are_as_the_mark_says(
    mark: ResponseMark, status: int, target: str | None, is_met: bool
) -> None:
    assert meets_head(mark, status, target) is is_met


def test_a_marker_stands_letter_by_letter_in_the_part_that_is_searched() -> None:
    mark = ResponseMark(marker="Session expirée")
    assert meets(mark, 200, None, "<p>Session expirée</p>".encode(), "utf-8")
    assert meets(mark, 200, None, "<p>Session expirée</p>".encode("cp1252"), "cp1252")
    assert not meets(mark, 200, None, "<p>session expirée</p>".encode(), "utf-8")
    assert not meets(mark, 200, None, b" " * SEARCHED + "Session expirée".encode(), "utf-8")
    assert meets_any([ResponseMark(status=500), mark], 200, None, "Session expirée".encode(), "utf-8")
    assert not meets_any([], 200, None, b"", "utf-8")
    assert marker_bytes(mark, "cp1252") == b"Session expir\xe9e"


def test_what_leads_elsewhere() -> None:
    assert [status for status in range(200, 600) if is_redirect(status)] == [301, 302, 303, 307, 308]
