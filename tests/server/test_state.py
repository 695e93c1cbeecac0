import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.server.faults import CannotServe
from gateway.server.state import make_state_folder, shared, unwritable
from tests.other_account import NOBODY, not_root
from tests.server.test_fixed import GATEWAY


def test_it_is_made_for_its_owner_alone_and_nothing_stays_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "lib/ecluse"
    make_state_folder(replace(GATEWAY, state_folder=str(folder)))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []
    make_state_folder(replace(GATEWAY, state_folder=str(folder)))


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o770, 0o710, 0o701, 0o1777, 0o2750])
def test_one_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(CannotServe, match=rf"{folder} is open to other accounts: mode {mode:o} \(chmod 700 {folder}; "):
        make_state_folder(replace(GATEWAY, state_folder=str(folder)))
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    make_state_folder(replace(GATEWAY, state_folder=str(folder)))


@pytest.mark.parametrize("path", ["file", "file/below", "/proc/ecluse", "/proc/self"])
def test_one_that_cannot_be_written_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / path)
    with pytest.raises(CannotServe, match=f"the state folder {folder} cannot be written: "):
        make_state_folder(replace(GATEWAY, state_folder=folder))


def test_one_of_another_account_says_whose_it_has_to_be(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    own = rf"Permission denied \(it has to belong to .*, uid {os.geteuid() or NOBODY}\)$"
    with not_root(), pytest.raises(CannotServe, match=own):
        make_state_folder(replace(GATEWAY, state_folder=str(tmp_path / "state")))
    tmp_path.chmod(0o700)


def test_a_store_in_memory_needs_none(tmp_path: Path) -> None:
    make_state_folder(replace(GATEWAY, store="memory", state_folder=str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


def test_what_would_keep_a_start_from_it_is_told_without_one(tmp_path: Path) -> None:
    """`ecluse check` asks, as the account that serves."""
    folder = tmp_path / "state"
    assert unwritable(folder) == ""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert shared(str(folder)).startswith(f"is open to other accounts: mode 755 (chmod 700 {folder}; ")
    assert unwritable(folder) == ""
    folder.chmod(0o700)
    assert unwritable(folder) == ""
    (folder / "file").write_text("")
    assert unwritable(folder / "file") == "it is not a folder"
    assert unwritable(folder / "file/below") == f"{folder}/file is not a folder"
    folder.chmod(0o000)
    with not_root():
        # That it may be there cannot be seen from outside.
        assert unwritable(folder / "below").startswith("it may not create a folder in /")
    folder.chmod(0o700)
