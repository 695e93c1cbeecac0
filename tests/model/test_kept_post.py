"""A kept post, and what opens it, which no log shows."""

from gateway.model.kept_post import MOST_KEPT, KeptFile


def test_the_secret_of_a_kept_file_is_not_shown() -> None:
    file = KeptFile("name", b"of-nobody-else", "k1", b"person", 3)
    assert b"of-nobody-else".decode() not in repr(file)


def test_nothing_is_kept_for_longer_than_a_day() -> None:
    assert MOST_KEPT == 24 * 3600
