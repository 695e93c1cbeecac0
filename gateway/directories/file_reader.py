"""Reads the index of a CSV or JSON file, for a worker."""

import os
import sqlite3
from pathlib import Path

from gateway.directories.index import DirectoryIndex, index_path, read_trouble, trouble_path
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.identity.directories import finding_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory


class FileReader:
    """Looks people up in the index of one directory. Opens a replaced index again. For use by one thread."""

    def __init__(self, folder: Path, directory: Directory) -> None:
        self._folder = folder
        self._directory = directory
        self._path = index_path(folder, directory)
        # Kept as texts, so that a look-up creates no path objects.
        self._index_file = str(self._path)
        self._trouble_file = str(trouble_path(folder, directory))
        self._open: tuple[tuple[int, int], DirectoryIndex] | None = None

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        directory = self._directory
        since = self._trouble_since(now)
        try:
            rows = self._index().rows(key)
        except OSError as error:
            raise DirectoryAway(directory_codes.FILE, f"its file has not been read yet: {error.strerror}") from None
        except (sqlite3.Error, ValueError) as error:
            self.close()
            why = f"what was made of its file cannot be read: {type(error).__name__}"
            raise DirectoryAway(directory_codes.FILE, why) from None
        return finding_of(directory, rows, since)

    def _trouble_since(self, now: int) -> int:
        """Returns `now` if the index matches the file, else when the trouble began (Unix seconds). Raises
        DirectoryAway.
        """
        if not os.path.lexists(self._trouble_file):
            return now
        trouble = read_trouble(self._folder, self._directory)
        if trouble is None:
            return now
        if self._directory.away != "last" or now - trouble.since >= self._directory.last:
            raise DirectoryAway(directory_codes.FILE, trouble.detail)
        return trouble.since

    def _index(self) -> DirectoryIndex:
        status = os.stat(self._index_file)
        seen = status.st_ino, status.st_mtime_ns
        if self._open is None or self._open[0] != seen:
            self.close()
            self._open = seen, DirectoryIndex(self._path, self._directory)
        return self._open[1]

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None
