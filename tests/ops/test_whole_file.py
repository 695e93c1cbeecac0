import errno
import os
from pathlib import Path

import pytest

from gateway.ops.whole_file import forget_unfinished, prepare_folder, replaced, write_whole


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_on_disk_before_it_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"old")
    synced: list[bytes] = []

    def fsync(descriptor: int) -> None:
        synced.append(os.pread(descriptor, 100, 0))
        assert path.read_bytes() == b"old"

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"new")
    assert (path.read_bytes(), synced, names(tmp_path)) == (b"new", [b"new"], {"note"})
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_file_and_no_unfinished_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"old")
    with pytest.raises(NotADirectoryError), replaced(path) as new:
        (new / "none").touch()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        write_whole(path, b"new")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", {"note"})


def test_a_folder_keeps_the_wanted_files_and_those_without_a_version(tmp_path: Path) -> None:
    others = ("b.v1.sqlite", "a.v0.sqlite", "a.v12.sqlite", "a.v1.trouble")
    for name in ("a.v1.sqlite", *others, "README", "a.vx.sqlite"):
        (tmp_path / name).touch()
    prepare_folder(tmp_path, [tmp_path / "a.v1.sqlite"])
    assert names(tmp_path) == {"a.v1.sqlite", "README", "a.vx.sqlite"}
    prepare_folder(tmp_path, [])
    assert names(tmp_path) == {"README", "a.vx.sqlite"}


def test_an_unfinished_file_is_removed_once_no_process_writes_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.v1.sqlite"
    for name in ("a.v1.sqlite.x.new", "a.v1.sqlite.y.new", "b.v1.sqlite.x.new"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "a.v1.sqlite.x.new", (0, 0))
    prepare_folder(tmp_path, [path])
    assert names(tmp_path) == {"a.v1.sqlite.y.new", "b.v1.sqlite.x.new"}
    forget_unfinished(path)
    assert names(tmp_path) == {"b.v1.sqlite.x.new"}


def test_a_folder_is_made_for_wanted_files_alone(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "made", [])
    assert names(tmp_path) == set()
    prepare_folder(tmp_path / "made", [tmp_path / "made" / "a.v1.sqlite"])
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
