"""The index of a directory's file: one SQLite file, replaced as a whole. A reader opens the rows of a single key.

The folder belongs to the gateway, like the folder of the sessions. If a file becomes unreadable, its last index stays,
with a note beside (`Trouble`) of when the trouble began.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gateway.directories.tables import SEVERAL, TableRow
from gateway.identity.directories import MOST_ROWS, joined_key
from gateway.model.codec import codec_of
from gateway.model.directory import Directory, DirectoryRow
from gateway.ops.whole_file import open_read_only, read_record, write_whole

_SUFFIX: Final = ".v1.sqlite"
_TROUBLE: Final = ".v1.trouble"
# Separates the cells of a row: a cell holds no control character except SEVERAL.
_BETWEEN: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class IndexStamp:
    """Describes the file of an index.

    `content`: SHA-256 of the file's bytes, hex.
    `stat`: file status, which shows a change without reading the file.
    `read_at`: Unix seconds.
    `keyless`: rows that lack a part of the key, and are never found.
    """

    content: str
    stat: tuple[int, ...]
    read_at: int
    rows: int
    keyless: int


_STAMP: Final = codec_of(IndexStamp)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the present file cannot be read. `since`: Unix seconds."""

    since: int
    detail: str


def index_path(folder: Path, directory: Directory) -> Path:
    return folder / f"{directory.name}.{directory.fingerprint}{_SUFFIX}"


def trouble_path(folder: Path, directory: Directory) -> Path:
    return folder / f"{directory.name}.{directory.fingerprint}{_TROUBLE}"


def write_index(path: Path, directory: Directory, rows: Iterable[TableRow]) -> tuple[int, int]:
    """Writes an index to `path`, without a stamp: `stamp_index` makes the index valid. Returns the numbers of rows and
    of rows without a key.

    Raises sqlite3.Error, and the errors of the iterator `rows`.
    """
    count = keyless = 0

    def entries() -> Iterator[tuple[str, str]]:
        nonlocal count, keyless
        for row in rows:
            count += 1
            if "" in row.key:
                keyless += 1
                continue
            yield joined_key(row.key), _BETWEEN.join(row.cells)

    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN;"
            "CREATE TABLE stamp (record TEXT NOT NULL);"
            "CREATE TABLE entry (key TEXT NOT NULL, cells TEXT NOT NULL);"
        )
        database.executemany("INSERT INTO entry VALUES (?, ?)", entries())
        database.execute("CREATE INDEX by_key ON entry (key)")
        database.execute("COMMIT")
    return count, keyless


def stamp_index(path: Path, stamp: IndexStamp) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO stamp VALUES (?)", (json.dumps(asdict(stamp)),))


def read_stamp(path: Path) -> IndexStamp | None:
    """Reads the stamp of an index. None: the index is missing or incomplete."""
    record = read_record(path, "SELECT record FROM stamp")
    try:
        return None if record is None else _STAMP.read(json.loads(record))
    except ValueError:
        return None


def write_trouble(folder: Path, directory: Directory, trouble: Trouble) -> None:
    """Raises OSError."""
    write_whole(trouble_path(folder, directory), json.dumps(asdict(trouble)).encode())


def read_trouble(folder: Path, directory: Directory) -> Trouble | None:
    try:
        return Trouble(**json.loads(trouble_path(folder, directory).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return Trouble(0, "the note about this file cannot be read")


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
