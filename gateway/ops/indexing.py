"""Opens the files of operators that a separate process reads into an index."""

import errno
import os
import stat
from collections.abc import Iterable
from io import FileIO

FileStatus = tuple[int, ...]
"""The status of a file, which shows a change of the file or of a link to the file. Empty: no status available."""


def status_of(path: str) -> FileStatus:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def statuses_of(paths: Iterable[str]) -> tuple[FileStatus, ...]:
    return tuple(status_of(path) for path in paths)


def open_source(path: str, largest: int) -> FileIO:
    """Opens a regular file of at most `largest` bytes, without waiting. Raises OSError."""
    file = FileIO(path, opener=_without_waiting)
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
        file.close()
        raise OSError(errno.EINVAL, f"no regular file of at most {largest >> 20} MB")
    return file


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe without a writer at once."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
