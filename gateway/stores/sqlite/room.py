"""Disk space reserved for ends: blocks behind the end of the write-ahead log that other programs cannot take.

SQLite appends commits to the log. On a full disk a sign-out still finds these blocks; other writes are refused earlier.
After SQLite has copied the log into the database, SQLite uses the blocks again.
"""

import ctypes
import errno
import os
import sqlite3
from pathlib import Path

# Bytes. An end takes some 60,000. Simultaneous ends share commits.
KEPT = 8 << 20
# Extra bytes of each reservation: few commits then reserve again.
_AHEAD = 1 << 20
# fallocate(2): the blocks are the file's, and its size stays as it is.
_KEEP_SIZE = 1
_BLOCK = 512
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class RoomForEnds:
    """Reserves the space for one process, in the writer's thread. `path`: of the database."""

    def __init__(self, path: Path) -> None:
        self._log = f"{path}-wal"
        self._file = (0, 0)
        self._until = 0
        self._can = True

    def keep(self) -> bool:
        """Whether there is room for ends, and so for other writes. Also true on file systems that cannot reserve room
        (NFS, ZFS), where only a refused write shows a full disk."""
        try:
            found = os.stat(self._log)
        except OSError:
            # The next question to the database reports the fault.
            return True
        if self._file != (found.st_dev, found.st_ino):
            self._file, self._until, self._can = (found.st_dev, found.st_ino), 0, True
        # The block count alone is no proof: XFS counts blocks that it reserved by itself and gives back.
        behind = min(found.st_blocks * _BLOCK, self._until) - found.st_size
        return not self._can or behind >= KEPT or self._set_aside(found.st_size)

    def _set_aside(self, size: int) -> bool:
        length = KEPT + _AHEAD
        try:
            failed = _allocate(self._log, size, length)
        except OSError:
            return True
        if failed in _NO_ROOM:
            return False
        self._can = not failed
        self._until = size + length
        return True


def full() -> sqlite3.OperationalError:
    return sqlite3.OperationalError("the disk is full but for the room that is kept for sign-outs")


def _allocate(path: str, offset: int, length: int) -> int:
    """Returns 0, or the number of the error. SQLite holds no locks on the log, so opening and closing the log here is
    safe."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        if _LIBC.fallocate(descriptor, _KEEP_SIZE, offset, length):
            return ctypes.get_errno()
        return 0
    finally:
        os.close(descriptor)


_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
