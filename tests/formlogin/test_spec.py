from dataclasses import replace

from gateway.formlogin.spec import ApplicationSession, ResponseMark
from tests.formlogin.forms import FORM


def test_no_secret_and_no_cookie_is_in_a_representation() -> None:
    assert "s3cret" not in repr(FORM)
    assert "abc" not in repr(ApplicationSession("f1", "helene", b"GRRSESSID=abc"))


def test_bodies_are_searched_where_a_marker_says_that_a_session_has_ended() -> None:
    assert not FORM.has_expiry_marker
    assert not replace(FORM, expired=(ResponseMark(401),)).has_expiry_marker
    assert replace(FORM, expired=(ResponseMark(401), ResponseMark(marker="expir"))).has_expiry_marker
