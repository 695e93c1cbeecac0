"""What is made of a file: an SQLite file of its own, replaced whole, of which a reader opens the rows of one key.

The folder is the gateway's own, as that of the sessions is. A file that can no longer be read leaves its last index
where it is, with a note beside it (`Trouble`) that says since when.
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

_SUFFIX: Final = ".v1.sqlite"
_TROUBLE: Final = ".v1.trouble"
_UNFINISHED: Final = ".new"
# Between the cells of a row: no cell holds a control character but SEVERAL.
_BETWEEN: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class IndexStamp:
    """Of which file an index was made. `content`: of its bytes (SHA-256, hex). `stat`: by which a change is seen
    without reading it. `read_at`: Unix seconds. `keyless`: rows that lack a part of their key, and are never found."""

    content: str
    stat: tuple[int, ...]
    read_at: int
    rows: int
    keyless: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the file cannot be read as it is now. `since`: Unix seconds."""

    since: int
    detail: str


def index_path(folder: Path, directory: Directory) -> Path:
    return folder / f"{directory.name}.{directory.fingerprint}{_SUFFIX}"


def trouble_path(folder: Path, directory: Directory) -> Path:
    return folder / f"{directory.name}.{directory.fingerprint}{_TROUBLE}"


def write_index(path: Path, directory: Directory, rows: Iterable[TableRow]) -> tuple[int, int]:
    """Beside `path`, without its stamp: `stamp_index` puts it in place. The numbers of rows, and of those without a
    key. Raises OSError, sqlite3.Error, and what making the rows raises: then there is no file."""
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
    """A new empty file. OSError."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{directory.name}.", suffix=_UNFINISHED)
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
    """None where there is no index, or none that is whole."""
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
    """Removes what was made for directories that are no more, and what a process left that was killed. OSError."""
    kept = {path.name for one in directories for path in (index_path(folder, one), trouble_path(folder, one))}
    for path in folder.iterdir():
        if path.name not in kept and path.name.endswith((_SUFFIX, _TROUBLE, _UNFINISHED)):
            path.unlink(missing_ok=True)


class DirectoryIndex:
    """One open index; of one thread. Raises sqlite3.Error where it cannot be opened, or read."""

    def __init__(self, path: Path, directory: Directory) -> None:
        self._columns = directory.columns
        self._database = _opened(path)

    def rows(self, key: str) -> list[DirectoryRow]:
        """All rows of a key, as `identity.directories.key_of` writes it; one more than is allowed where there are more
        than MOST_ROWS."""
        found = self._database.execute("SELECT cells FROM entry WHERE key = ? LIMIT ?", (key, MOST_ROWS + 1))
        return [self._row(cells) for (cells,) in found]

    def _row(self, cells: str) -> DirectoryRow:
        return row_of(self._columns, cells.split(_BETWEEN))

    def close(self) -> None:
        self._database.close()


def row_of(columns: Sequence[str], cells: Sequence[str]) -> DirectoryRow:
    return {name: tuple(cell.split(SEVERAL)) for name, cell in zip(columns, cells, strict=True) if cell}


def _opened(path: Path) -> sqlite3.Connection:
    """For reading, without locks: the file is only ever replaced as a whole."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
