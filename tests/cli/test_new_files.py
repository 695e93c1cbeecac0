"""First files: each whole, none over another, all or none."""

import os
from pathlib import Path

import pytest

from gateway.cli.new_files import NewFile, created
from gateway.cli.questions import NotWritten


def make(*files: NewFile, fails: bool = False) -> None:
    with created(files):
        assert all(file.path.exists() for file in files)
        if fails:
            raise KeyboardInterrupt


def test_they_are_made_with_their_modes_and_the_owner_of_their_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 4321, 4322)
    before = os.umask(0o077)
    try:
        make(NewFile(tmp_path / "a", b"a"), NewFile(tmp_path / "b", b"b", secret=True))
    finally:
        os.umask(before)
    shown, secret, above = (path.stat() for path in (tmp_path / "a", tmp_path / "b", tmp_path))
    assert (oct(shown.st_mode), oct(secret.st_mode)) == ("0o100644", "0o100600")
    assert (secret.st_uid, secret.st_gid) == (above.st_uid, above.st_gid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_one_that_is_there_keeps_its_content_and_the_others_go(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(NotWritten, match="is there already; nothing is written"):
        make(NewFile(tmp_path / "a", b"a"), NewFile(tmp_path / "b", b"b"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"b": "mine"}


def test_what_fails_in_between_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(NewFile(tmp_path / "a", b"a"), fails=True)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="No such file or directory; nothing is written"):
        make(NewFile(tmp_path / "x/a", b"a"))
