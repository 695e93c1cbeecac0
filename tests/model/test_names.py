import pytest

from gateway.model.names import LenientName, fold
from tests.growth import is_linear


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


@pytest.mark.parametrize(
    "other",
    [
        "user_id", "USER_ID", "user.id", "user id", "user[id", " user_id", "user_id[", "user_id[x]", "user_id[x",
        "user_id[]y", "user_id ", "user_id.",
        # Rack 2 and qs skip brackets; Rack 2 reads one that closes nothing as the end.
        "[user_id]", "[user_id", "]user_id", "user_id]", "user[]id", "user]id",
        # Spring, Zope, Rails.
        "user_id.x", "user_id.y", "!user_id", "user_id:int", "user_id(1i)",
    ],
)  # fmt: skip
def test_a_parameter_that_some_server_reads_as_this_one(other: str) -> None:
    assert LenientName("user_id").may_be(other)


@pytest.mark.parametrize("other", ["", "user", "userid", "user_ids", "user_id_x", "x_user_id", "x[user_id]", "id", "_"])
def test_and_others_that_none_does(other: str) -> None:
    assert not LenientName("user_id").may_be(other)


def test_a_part_of_a_parameter_may_be_overwritten_by_the_whole_and_by_other_parts() -> None:
    part = LenientName("data[User][password]")
    for other in ("data", "data[User]=x", "data[User]x[password]", "data[Other]", "data[User][password", "Data.x"):
        assert part.may_be(other)
    assert not part.may_be("dat")
    assert not part.may_be("password")


def test_a_name_of_brackets_alone_may_be_any() -> None:
    assert LenientName("[]").may_be("x")


@pytest.mark.parametrize("odd", ["[", "]", ".", " ", "_", ":", "a[", "x.", "!"])
def test_a_long_name_takes_no_more_than_its_length(odd: str) -> None:
    wanted = LenientName("user_id")
    assert is_linear(lambda size: lambda: wanted.may_be(odd * size), small=1_000, large=100_000)
