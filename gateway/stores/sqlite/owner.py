"""Elects the process that does a store's housekeeping: the process that holds the lock on a file beside the database.

The kernel releases the lock when its process ends, however it ends. The next process that asks gets the lock.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


class Ownership:
    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-owner")
        self._descriptor: int | None = None

    def taken(self) -> bool:
        """Takes the lock or keeps it. Returns whether this process has it. Raises OSError if the file cannot be
        made."""
        if self._descriptor is not None and self._is_current(self._descriptor):
            return True
        self.release()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        # If the file was removed meanwhile, the next call takes the lock.
        return self._is_current(descriptor)

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked file is still in its place. A removed file has no owner: another process makes a new
        file."""
        ours = os.fstat(descriptor)
        with suppress(FileNotFoundError):
            there = os.stat(self._path)
            return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
        return False
