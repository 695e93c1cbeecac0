"""What `ecluse check` reads of a table: all of it, without waiting, and with the lines that are wrong."""

import os
from pathlib import Path

import pytest

from gateway.directories.by_hand import look_through
from gateway.model.errors import GatewayError
from tests.directories.samples import LILLE, TABLE, directory


def test_a_second_row_and_a_wrong_value_are_told_with_their_lines(tmp_path: Path) -> None:
    table = tmp_path / "communes.csv"
    table.write_text(TABLE + f"{LILLE},0590009X,Lille\n,1,2\n")
    looked = look_through(directory(table))
    assert (looked.rows, looked.keyless) == (4, 1)
    assert [why.split(":")[0] for why in looked.faults] == ["line 4"]
    assert look_through(directory(table, rows="many")).faults == ()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("pipe", "no regular file"), (".", "cannot be read"), ("gone", "cannot be read")):
        with pytest.raises(GatewayError, match=said):
            look_through(directory(tmp_path / name))
    with pytest.raises(GatewayError, match="no regular file"):
        look_through(directory("/dev/zero"))
