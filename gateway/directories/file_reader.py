"""Reads the index of a CSV or JSON file, for a worker."""

import os
import sqlite3
from pathlib import Path

from gateway.directories.index import DirectoryIndex, index_path, trouble_path
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.identity.directories import finding_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory
from gateway.ops.index_files import read_trouble
from gateway.ops.whole_file import Followed


class FileReader:
    """Looks people up in the index of one directory. Opens a replaced index again. For use by one thread."""

    def __init__(self, folder: Path, directory: Directory) -> None:
        self._directory = directory
        self._trouble = trouble_path(folder, directory)
        # A text: faster than a path in each look-up.
        self._trouble_file = str(self._trouble)
        self._index = Followed(index_path(folder, directory), lambda path: DirectoryIndex(path, directory))

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        directory = self._directory
        since = self._trouble_since(now)
        try:
            rows = self._index.reader().rows(key)
        except OSError as error:
            raise DirectoryAway(directory_codes.FILE, f"the file has not been indexed yet: {error.strerror}") from None
        except (sqlite3.Error, ValueError) as error:
            self.close()
            why = f"the index of the file cannot be read: {type(error).__name__}"
            raise DirectoryAway(directory_codes.FILE, why) from None
        return finding_of(directory, rows, since)

    def _trouble_since(self, now: int) -> int:
        """Returns `now` if the index matches the file, else when the trouble began (Unix seconds). Raises
        DirectoryAway.
        """
        if not os.path.lexists(self._trouble_file):
            return now
        trouble = read_trouble(self._trouble)
        if trouble is None:
            return now
        if self._directory.away != "last" or now - trouble.since >= self._directory.last:
            raise DirectoryAway(directory_codes.FILE, trouble.detail)
        return trouble.since

    def close(self) -> None:
        self._index.close()
