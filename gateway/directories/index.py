"""The index of a directory's file: one SQLite file, replaced as a whole. A reader opens the rows of a single key.

The folder belongs to the gateway, like the folder of the sessions. If a file becomes unreadable, its last index stays,
with a note beside (`Trouble`) of when the trouble began.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gateway.directories.tables import SEVERAL, TableRow
from gateway.identity.directories import MOST_ROWS, joined_key
from gateway.model.directory import Directory, DirectoryRow
from gateway.ops.unfinished_files import UNFINISHED, forget_unfinished_files

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

    Raises OSError, sqlite3.Error, and the errors of the iterator `rows`; no file is left then.
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

    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; BEGIN;"
                "CREATE TABLE stamp (record TEXT NOT NULL);"
                "CREATE TABLE entry (key TEXT NOT NULL, cells TEXT NOT NULL);"
            )
            database.executemany("INSERT INTO entry VALUES (?, ?)", entries())
            database.execute("CREATE INDEX by_key ON entry (key)")
            database.execute("COMMIT")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return count, keyless


def unfinished(folder: Path, directory: Directory) -> Path:
    """Creates an empty file. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{directory.name}.", suffix=UNFINISHED)
    os.close(descriptor)
    return Path(name)


def stamp_index(path: Path, stamp: IndexStamp) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO stamp VALUES (?)", (json.dumps(asdict(stamp)),))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_stamp(path: Path) -> IndexStamp | None:
    """Reads the stamp of an index. None: the index is missing or incomplete."""
    try:
        with closing(_opened(path)) as database:
            (record,) = database.execute("SELECT record FROM stamp").fetchone()
        told = json.loads(record)
        return IndexStamp(**{**told, "stat": tuple(told["stat"])})
    except (sqlite3.Error, ValueError, TypeError, LookupError):
        return None


def write_trouble(folder: Path, directory: Directory, trouble: Trouble) -> None:
    path = trouble_path(folder, directory)
    new = unfinished(folder, directory)
    new.write_text(json.dumps(asdict(trouble)), encoding="utf-8")
    os.replace(new, path)


def read_trouble(folder: Path, directory: Directory) -> Trouble | None:
    try:
        return Trouble(**json.loads(trouble_path(folder, directory).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return Trouble(0, "the note about this file cannot be read")


def forget_others(folder: Path, directories: Iterable[Directory]) -> None:
    """Removes the files of former directories, and the unfinished files that killed processes left. Raises OSError."""
    kept = {path.name for one in directories for path in (index_path(folder, one), trouble_path(folder, one))}
    for path in folder.iterdir():
        if path.name not in kept and path.name.endswith((_SUFFIX, _TROUBLE)):
            path.unlink(missing_ok=True)
    forget_unfinished_files(folder)


class DirectoryIndex:
    """One open index, for use by one thread. Raises sqlite3.Error if the index cannot be opened or read."""

    def __init__(self, path: Path, directory: Directory) -> None:
        self._columns = directory.columns
        self._database = _opened(path)

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


def _opened(path: Path) -> sqlite3.Connection:
    """Opens the file read-only, without locks: writers only ever replace the file as a whole."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
