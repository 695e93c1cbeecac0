"""How a file is opened."""

import os
from pathlib import Path

import pytest

from gateway.config.folder.opened import ANY, Unreadable, content_of, opened


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to would hold whoever opens it."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(Unreadable, match="this is not a file"):
            content_of(opened(str(path)), 10)


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert content_of(opened(str(tmp_path / "a")), 5) == b"12345"
    with pytest.raises(Unreadable, match="larger"):
        content_of(opened(str(tmp_path / "a")), 4)


def test_a_link_is_told_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(Unreadable, match="a link is on the way"):
        opened(str(tmp_path / "link"), ANY | os.O_NOFOLLOW)
    with pytest.raises(Unreadable, match="No such file"):
        opened(str(tmp_path / "a"), ANY | os.O_NOFOLLOW)
    with pytest.raises(Unreadable, match="null"):
        opened("a\0b")
