"""From a file to its index: whole or not at all, and of the file as it was."""

import errno
import json
import os
import subprocess
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from gateway.directories import indexing
from gateway.directories.index import DirectoryIndex, index_path, task_of
from gateway.directories.indexing import make_index
from gateway.directories.keeper import HELPER
from gateway.directories.tables import LARGEST
from gateway.identity.directories import MOST_ROWS, joined_key
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.ops import index_files
from gateway.ops.index_files import IndexStamp, read_stamp, statuses_of
from gateway.ops.index_process import NoIndex, decode_result
from gateway.ops.whole_file import prepare_folder
from tests.directories.samples import LILLE, TABLE, directory
from tests.patience import PATIENCE


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "communes.csv"
    path.write_text(TABLE)
    (tmp_path / "made").mkdir()
    return path


def test_what_was_made_of_a_file_finds_the_rows_of_a_key(table: Path) -> None:
    one, folder = directory(table), table.parent / "made"
    stamp = make_index(one, folder, 7)
    assert (stamp.rows, stamp.keyless, stamp.made_at, stamp.statuses) == (2, 0, 7, statuses_of([str(table)]))
    assert read_stamp(index_path(folder, one)) == stamp
    with closing(DirectoryIndex(index_path(folder, one), one)) as index:
        assert index.rows(joined_key([LILLE])) == [{"uai": ("0590001A",), "label": ("Lille",)}]
        assert index.rows(joined_key([LILLE + " "])) == index.rows("' OR 1=1 --") == []
    assert [path.name for path in folder.iterdir()] == [index_path(folder, one).name]


def test_a_row_that_lacks_a_part_of_its_key_is_nobodys(table: Path) -> None:
    table.write_text("siret,uai,label\n,0590009X,everybody\n")
    one, folder = directory(table), table.parent / "made"
    assert make_index(one, folder, 7).keyless == 1
    with closing(DirectoryIndex(index_path(folder, one), one)) as index:
        assert index.rows("") == []


@pytest.mark.parametrize("content", ["siret,uai,label\n1,2\n", None, "folder"])
def test_what_is_wrong_leaves_the_index_before_as_it_is(table: Path, content: str | None) -> None:
    one, folder = directory(table), table.parent / "made"
    before = make_index(one, folder, 7)
    table.unlink()
    if content == "folder":
        table.mkdir()
    elif content is not None:
        table.write_text(content)
    with pytest.raises(GatewayError) as error:
        make_index(one, folder, 8)
    assert error.value.code.id == "directory.file"
    assert str(table.parent) not in error.value.detail
    assert read_stamp(index_path(folder, one)) == before
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_changes_while_it_is_read_is_neither_the_old_one_nor_the_new(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter([(), ((),)])
    monkeypatch.setattr(index_files, "statuses_of", lambda paths: next(seen))
    with pytest.raises(GatewayError, match="the file changed during the read"):
        make_index(directory(table), table.parent / "made", 7)
    assert list((table.parent / "made").iterdir()) == []


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t")
    with pytest.raises(GatewayError, match="no regular file"):
        make_index(directory(tmp_path / "t"), tmp_path, 7)


def test_what_a_process_still_writes_is_not_removed(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload looks through the folder while an index is made."""
    one, folder, fill = directory(table), table.parent / "made", indexing.fill_index

    def filled(*given: Any) -> tuple[int, int]:
        counted = fill(*given)
        prepare_folder(folder, [index_path(folder, one)])
        return counted

    monkeypatch.setattr(indexing, "fill_index", filled)
    assert make_index(one, folder, 7).rows == 2
    assert read_stamp(index_path(folder, one)) is not None


def test_the_process_makes_the_index_or_says_what_is_wrong(table: Path) -> None:
    one, folder = directory(table), table.parent / "made"
    assert _told(one, folder) == read_stamp(index_path(folder, one))
    table.write_text("siret\n")
    result = _told(one, folder)
    assert isinstance(result, NoIndex)
    assert result.detail.startswith("directory.file: communes.csv: 0 columns are called uai")


def _told(one: Directory, folder: Path) -> IndexStamp | NoIndex:
    question = json.dumps(task_of(one).question).encode() + b"\n"
    command = [*HELPER, str(folder)]
    return decode_result(
        subprocess.run(command, input=question, capture_output=True, check=True, timeout=PATIENCE).stdout
    )


def test_a_disk_that_fails_during_the_read_is_a_fault_of_the_file(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(FileIO):
        def readinto(self, buffer: Any) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(indexing, "open_table", lambda source: Failing(source.path))
    with pytest.raises(GatewayError, match=r"communes\.csv: cannot be read: Input/output error"):
        make_index(directory(table), table.parent / "made", 7)


def test_a_file_beyond_its_bound_is_not_read(table: Path) -> None:
    with table.open("r+b") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(GatewayError, match="no regular file of at most 4096 MB"):
        make_index(directory(table), table.parent / "made", 7)


def test_of_a_key_with_too_many_rows_no_more_are_read_than_show_it(table: Path) -> None:
    table.write_text("siret,uai,label\n" + f"{LILLE},1,2\n" * (MOST_ROWS + 9))
    one, folder = directory(table, rows="many"), table.parent / "made"
    make_index(one, folder, 7)
    with closing(DirectoryIndex(index_path(folder, one), one)) as index:
        assert len(index.rows(joined_key([LILLE]))) == MOST_ROWS + 1
