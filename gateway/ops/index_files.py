"""An index of operators' files: one SQLite file, written by a separate process and replaced as a whole.

If the operators' files become unreadable, the last index stays, and a note beside the index tells the reason.
"""

import errno
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from gateway.model.codec import codec_of
from gateway.ops.whole_file import new_database, read_record, write_whole

# A change of the tables in any index needs a new version.
_INDEX: Final = ".v3.sqlite"
_TROUBLE: Final = ".v3.trouble"

FileStatus = tuple[int, ...]
"""The status of a file, which shows a change of the file or of a link to the file. Empty: no status available."""


@dataclass(frozen=True, slots=True)
class IndexTask:
    """An index to make.

    `name`: of the source, in the log.
    `file`: file name of the index, without the suffix.
    `content`: identifies what the index is made of; a new `content` needs a new index.
    `paths`: the operators' files.
    `question`: JSON, for the process that makes the index.
    """

    name: str
    file: str
    content: str
    paths: tuple[str, ...]
    question: object


@dataclass(frozen=True, slots=True)
class IndexStamp:
    """Describes an index, inside the index.

    `content`: of the task.
    `statuses`: of the operators' files.
    `made_at`: Unix seconds.
    `keyless`: rows without a complete key, which no query finds.
    """

    content: str
    statuses: tuple[FileStatus, ...]
    made_at: int
    rows: int
    keyless: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the present files give no index. `since`: Unix seconds."""

    since: int
    detail: str


_STAMP: Final = codec_of(IndexStamp)
_NOTE: Final = codec_of(Trouble)


class SourceChanged(Exception):
    """A file changed during the read."""


def index_file(folder: Path, file: str) -> Path:
    return folder / f"{file}{_INDEX}"


def trouble_file(folder: Path, file: str) -> Path:
    return folder / f"{file}{_TROUBLE}"


def statuses_of(paths: Iterable[str]) -> tuple[FileStatus, ...]:
    return tuple(map(_status, paths))


def _status(path: str) -> FileStatus:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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


def make_index(
    folder: Path, task: IndexTask, now: int, fill: Callable[[sqlite3.Connection], tuple[int, int]]
) -> IndexStamp:
    """Makes the index of the present files and puts the index in place.

    Raises SourceChanged, OSError, sqlite3.Error, and the errors of `fill`; the previous index then stays.

    `fill`: writes the tables, and returns the numbers of rows and of rows without a key.
    """
    before = statuses_of(task.paths)
    with new_database(index_file(folder, task.file)) as database:
        rows, keyless = fill(database)
        # An overwritten file is neither the old file nor the new file.
        if statuses_of(task.paths) != before:
            raise SourceChanged
        stamp = IndexStamp(task.content, before, now, rows, keyless)
        database.execute("CREATE TABLE stamp (record TEXT NOT NULL)")
        database.execute("INSERT INTO stamp VALUES (?)", (json.dumps(_STAMP.write(stamp)),))
    return stamp


def read_stamp(path: Path) -> IndexStamp | None:
    """Reads the stamp of an index. None: no complete index."""
    record = read_record(path, "SELECT record FROM stamp")
    try:
        return None if record is None else _STAMP.read(json.loads(record))
    except ValueError:
        return None


def read_trouble(path: Path) -> Trouble | None:
    try:
        note: Trouble = _NOTE.read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Trouble(0, "the note about this file cannot be read")
    return note


def write_trouble(path: Path, trouble: Trouble) -> None:
    """Raises OSError."""
    write_whole(path, json.dumps(_NOTE.write(trouble)).encode())


def note_trouble(path: Path, detail: str, now: int) -> None:
    """Writes the note of trouble, with the time of the first failure. Raises OSError. `detail`: empty: remove the
    note.
    """
    before = read_trouble(path)
    if detail:
        write_trouble(path, Trouble(now if before is None else before.since, detail))
    elif before is not None:
        path.unlink(missing_ok=True)
