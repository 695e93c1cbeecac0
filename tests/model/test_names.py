import pytest

from gateway.model.names import fold


@pytest.mark.parametrize(
    "name",
    [b"X-Remote-User", b"x-remote-user", b"X_REMOTE_USER", b"X.Remote.User", b"X~Remote!User", b"XRemoteUser",
     b'"X-Remote-User"', b"X\xe9Remote\x00User"],
)  # fmt: skip
def test_all_spellings_of_a_name_fold_to_one(name: bytes) -> None:
    assert fold(name) == b"xremoteuser"


def test_other_names_do_not() -> None:
    assert fold(b"X-Remote-User2") == b"xremoteuser2"
    assert fold(b"HTTP-X-Remote-User") == b"httpxremoteuser"
    assert fold(b"-_.") == b""


def test_folding_twice_is_folding_once() -> None:
    every = bytes(range(256))
    assert fold(fold(every)) == fold(every)
