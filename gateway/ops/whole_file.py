"""Replaces files as a whole: a reader sees the complete old file or the complete new file.

A process first writes `NAME.RANDOM.new` beside the file. The name of an index contains the version of the format, as in
`NAME.v1.sqlite`: a release with a new format uses a new name.
"""

import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

_UNFINISHED: Final = ".new"
_VERSIONED: Final = re.compile(r"\.v[0-9]+\.(?:sqlite|trouble)\Z")
# Seconds. Every process that writes such a file is killed long before.
_LEFT_AFTER: Final = 3600.0


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yields an empty file beside `path`, readable for this account alone. After the block, writes the file to disk and
    renames the file to `path`. If the block raises, removes the new file and leaves the old file. Raises OSError.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=_UNFINISHED)
    try:
        yield Path(name)
        os.fsync(descriptor)
        os.replace(name, path)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            os.unlink(name)


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a small file. Raises OSError."""
    with replaced(path) as new:
        new.write_bytes(content)


@contextmanager
def new_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Yields an empty SQLite database in one transaction, which replaces `path` after the block. Raises OSError,
    sqlite3.Error.
    """
    with replaced(path) as new, closing(sqlite3.connect(new, isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        yield database
        database.execute("COMMIT")


def open_read_only(path: Path) -> sqlite3.Connection:
    """Opens an SQLite file without locks, which is safe because writers only replace the file as a whole. Raises
    sqlite3.Error.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def read_record(path: Path, query: str, values: tuple[str, ...] = ()) -> str | None:
    """Returns the text in the first column of the first row found. None: no row, or no readable file."""
    try:
        with closing(open_read_only(path)) as database:
            row = database.execute(query, values).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


class _Closable(Protocol):
    def close(self) -> None: ...


_Reader = TypeVar("_Reader", bound=_Closable)


class Followed(Generic[_Reader]):
    """Holds a reader of a file, and opens a new reader after a replacement of the file. For use by one thread."""

    def __init__(self, path: Path, opened: Callable[[Path], _Reader]) -> None:
        # A text: os.stat is faster than for a path.
        self._path = str(path)
        self._opened = opened
        self._reader: _Reader | None = None
        self._seen = 0, 0

    def reader(self) -> _Reader:
        """Raises OSError, and the errors of opening the reader."""
        status = os.stat(self._path)
        seen = status.st_ino, status.st_mtime_ns
        if self._reader is None or seen != self._seen:
            self.close()
            self._reader, self._seen = self._opened(Path(self._path)), seen
        return self._reader

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None


def prepare_folder(folder: Path, wanted: Collection[Path]) -> None:
    """Removes every versioned file except `wanted`, and the unfinished files of killed processes. Creates the folder if
    a file is wanted. Raises OSError.
    """
    if wanted:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    elif not folder.exists():
        return
    names = {path.name for path in wanted}
    for path in folder.iterdir():
        if path.name.endswith(_UNFINISHED):
            is_left = _is_left(path)
        else:
            is_left = path.name not in names and _VERSIONED.search(path.name) is not None
        if is_left:
            path.unlink(missing_ok=True)


def _is_left(unfinished: Path) -> bool:
    try:
        return time.time() - unfinished.stat().st_mtime > _LEFT_AFTER
    except FileNotFoundError:
        # The process has renamed the file.
        return False


def forget_unfinished(path: Path) -> None:
    """Removes the unfinished files of a process that was killed while replacing `path`."""
    for unfinished in path.parent.glob(f"{path.name}.*{_UNFINISHED}"):
        unfinished.unlink(missing_ok=True)
