"""A secret is in no text that a log or a traceback could hold."""

from gateway.model.forward_auth import ForwardAuth


def test_it_shows_no_secret() -> None:
    assert "hidden" not in repr(ForwardAuth(b"hidden"))
