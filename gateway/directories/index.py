"""The index of a directory's file: rows by key. A reader opens the rows of a single key."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from gateway.directories.tables import SEVERAL, TableRow
from gateway.identity.directories import MOST_ROWS, joined_key
from gateway.model.codec import codec_of
from gateway.model.directory import Directory, DirectoryRow
from gateway.ops.index_files import IndexTask, index_file, trouble_file
from gateway.ops.whole_file import open_read_only

DIRECTORY_CODEC: Final = codec_of(Directory)
# Separates the cells of a row: a cell holds no control character except SEVERAL.
_BETWEEN: Final = "\x1e"


def task_of(directory: Directory) -> IndexTask:
    paths, question = (directory.file.path,), DIRECTORY_CODEC.write(directory)
    return IndexTask(directory.name, _file(directory), directory.fingerprint, paths, question)


def index_path(folder: Path, directory: Directory) -> Path:
    return index_file(folder, _file(directory))


def trouble_path(folder: Path, directory: Directory) -> Path:
    return trouble_file(folder, _file(directory))


def _file(directory: Directory) -> str:
    return f"{directory.name}.{directory.fingerprint}"


def fill_index(database: sqlite3.Connection, rows: Iterable[TableRow]) -> tuple[int, int]:
    """Writes the rows. Returns the numbers of rows and of rows without a complete key."""
    count = keyless = 0

    def entries() -> Iterator[tuple[str, str]]:
        nonlocal count, keyless
        for row in rows:
            count += 1
            if "" in row.key:
                keyless += 1
                continue
            yield joined_key(row.key), _BETWEEN.join(row.cells)

    database.execute("PRAGMA cache_size = -65536")
    database.execute("CREATE TABLE entry (key TEXT NOT NULL, cells TEXT NOT NULL)")
    database.executemany("INSERT INTO entry VALUES (?, ?)", entries())
    database.execute("CREATE INDEX by_key ON entry (key)")
    return count, keyless


class DirectoryIndex:
    """One open index, for use by one thread. Raises sqlite3.Error if the index cannot be opened or read."""

    def __init__(self, path: Path, directory: Directory) -> None:
        self._columns = directory.columns
        self._database = open_read_only(path)

    def rows(self, key: str) -> list[DirectoryRow]:
        """Returns the rows of a key, written by `identity.directories.key_of`; at most MOST_ROWS + 1 rows, so that
        the caller sees an excess.
        """
        found = self._database.execute("SELECT cells FROM entry WHERE key = ? LIMIT ?", (key, MOST_ROWS + 1))
        return [self._row(cells) for (cells,) in found]

    def _row(self, cells: str) -> DirectoryRow:
        return row_of(self._columns, cells.split(_BETWEEN))

    def close(self) -> None:
        self._database.close()


def row_of(columns: Sequence[str], cells: Sequence[str]) -> DirectoryRow:
    return {name: tuple(cell.split(SEVERAL)) for name, cell in zip(columns, cells, strict=True) if cell}
