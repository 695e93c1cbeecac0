"""The folder of kept posts: what has room in it, and that nothing leads out of it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.stores.posts import folder as module
from gateway.stores.posts.folder import FolderBounds, Occupant, PostFolder

NOW = 1_800_000_000
BOUNDS = FolderBounds(per_person=10_000, in_all=50_000)


def one(number: int, *, person: int = 0, seat: int = 0, client: int = 0, size: int = 100, life: int = 60) -> Occupant:
    parts = (f"{part:016x}" for part in (person, seat, client))
    return Occupant(f"{number:032x}", *parts, size, NOW + life)


@pytest.fixture
def folder(tmp_path: Path) -> PostFolder:
    return PostFolder(str(tmp_path / "posts"))


def put(folder: PostFolder, occupant: Occupant, bounds: FolderBounds = BOUNDS, now: int = NOW) -> None:
    os.close(folder.take_room(occupant, bounds, now))


def names(folder: PostFolder) -> list[str]:
    return [name for name in os.listdir(folder._path) if name != ".lock"]


def refusal(folder: PostFolder, occupant: Occupant, bounds: FolderBounds = BOUNDS) -> str:
    with pytest.raises(GatewayError) as refused:
        put(folder, occupant, bounds)
    assert refused.value.code is kept_post_codes.NOT_KEPT
    return refused.value.detail


def test_a_file_is_private_and_so_is_the_folder(folder: PostFolder) -> None:
    put(folder, one(1))
    assert os.stat(folder._path).st_mode & 0o777 == 0o700
    assert os.stat(f"{folder._path}/{one(1).name}").st_mode & 0o777 == 0o600


def test_a_folder_that_is_open_to_others_keeps_nothing(folder: PostFolder) -> None:
    os.mkdir(folder._path)
    os.chmod(folder._path, 0o755)
    assert "chmod 700" in refusal(folder, one(1))


@pytest.mark.parametrize(
    ("most", "others"),
    [
        ("MOST_OF_ONE", {"seat": True, "client": True}),
        ("MOST_OF_ONE", {"person": True, "client": True}),
        ("MOST_OF_CLIENT", {"person": True, "seat": True}),
        ("MOST", {"person": True, "seat": True, "client": True}),
    ],
    ids=["person", "session", "address", "all"],
)
def test_each_count_has_its_bound(
    folder: PostFolder, most: str, others: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not the same for all of them is another one each time."""
    monkeypatch.setattr(module, most, 3)
    for number in range(3):
        put(folder, one(number, **dict.fromkeys(others, number)))
    assert "are kept already" in refusal(folder, one(3, **dict.fromkeys(others, 3)))
    assert len(names(folder)) == 3


def test_each_persons_bytes_and_everybodys_have_theirs(folder: PostFolder) -> None:
    put(folder, one(1, size=6_000))
    assert "of this person" in refusal(folder, one(2, size=4_001))
    put(folder, one(2, size=4_000))
    for number in range(3, 7):
        put(folder, one(number, person=number, seat=number, size=10_000))
    assert "of everybody" in refusal(folder, one(9, person=9, seat=9, size=1))


def test_what_is_too_old_counts_no_more_and_is_deleted(folder: PostFolder) -> None:
    put(folder, one(1, size=10_000, life=10))
    put(folder, one(2, size=10_000), now=NOW + 10)
    assert names(folder) == [one(2).name.replace("-100-", "-10000-")]
    assert folder.purge(NOW + 60) == 0
    assert names(folder) == []


def test_where_there_is_no_folder_nothing_is_purged_and_none_made(folder: PostFolder) -> None:
    assert folder.purge(NOW) == 0
    assert not os.path.exists(folder._path)


def test_a_disk_that_is_nearly_full_keeps_nothing(folder: PostFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEFT_FREE", 1 << 60)
    assert "nearly full" in refusal(folder, one(1))
    assert names(folder) == []


def test_many_at_once_take_no_more_room_than_there_is(folder: PostFolder) -> None:
    def take(number: int) -> bool:
        try:
            put(folder, one(number, size=1_000))
        except GatewayError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(40))) == 10


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".lock", "a/b", "", one(1).name + "\n", "0" * 300])
def test_no_name_leads_elsewhere(folder: PostFolder, tmp_path: Path, name: str) -> None:
    put(folder, one(1))
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(GatewayError) as refused:
        folder.open(name)
    assert refused.value.code is kept_post_codes.GONE
    folder.remove(name)
    assert (tmp_path / "secret").exists()
    assert os.path.exists(f"{folder._path}/.lock")


def test_no_link_is_followed(folder: PostFolder, tmp_path: Path) -> None:
    put(folder, one(1))
    secret, target, linked = tmp_path / "secret", one(2).name, one(3).name
    secret.write_text("secret")
    os.symlink(secret, f"{folder._path}/{target}")
    with pytest.raises(GatewayError):
        folder.open(target)
    assert refusal(folder, one(2))
    os.mkfifo(f"{folder._path}/{linked}")
    with pytest.raises(GatewayError):
        folder.open(linked)
    folder.purge(NOW + 60)
    assert secret.read_text() == "secret"
    assert names(folder) == []


def test_a_folder_that_is_a_link_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    os.symlink(tmp_path / "elsewhere", tmp_path / "posts")
    refusal(PostFolder(str(tmp_path / "posts")), one(1))
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_file_that_is_not_ours_is_left(folder: PostFolder) -> None:
    put(folder, one(1))
    Path(folder._path, "README").write_text("here")
    assert folder.purge(NOW + 10_000) == 0
    assert names(folder) == ["README"]
