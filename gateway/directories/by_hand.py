"""Queries one directory outside a running gateway: for `ecluse explain`, `ecluse directory test` and `ecluse check`.

Uses the running gateway's index if the index matches the file; else makes a temporary index. Queries a server over a
separate connection.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from gateway.directories.index import DirectoryIndex, index_path, row_of
from gateway.directories.indexing import make_index
from gateway.directories.kinds import server_reader
from gateway.directories.source import DirectoryAway, ServerReader
from gateway.directories.tables import SEVERAL, TableRow, open_table, rows_of
from gateway.identity.directories import DirectoryFault, as_given, finding_of, is_value, joined_key
from gateway.identity.mandates import WrongTerm, term_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, DirectoryFinding, FileSource
from gateway.model.errors import GatewayError
from gateway.ops.index_files import read_stamp, statuses_of


class QueryResult(NamedTuple):
    """The answer to one query.

    `read_at`: when the file was read, or the server queried; Unix seconds.
    `made_here`: whether the answer was made for this query alone, without the running gateway's index.
    """

    finding: DirectoryFinding
    faults: tuple[DirectoryFault, ...]
    read_at: int
    made_here: bool


def ask(directory: Directory, key: str, state_folder: Path) -> QueryResult:
    """Looks up one key. Raises GatewayError, of a code of `model.directory_codes`."""
    now = int(time.time())
    if not isinstance(directory.source, FileSource):
        with _reader(directory) as reader:
            return QueryResult(*reader.finding(key, now), now, made_here=True)
    path = index_path(state_folder, directory)
    try:
        stamp = read_stamp(path)
        if stamp is not None and stamp.statuses == statuses_of((directory.file.path,)):
            return _query_index(directory, key, path, stamp.made_at, made_here=False)
        with tempfile.TemporaryDirectory(prefix="ecluse-") as folder:
            made = make_index(directory, Path(folder), now)
            return _query_index(directory, key, index_path(Path(folder), directory), made.made_at, made_here=True)
    except (OSError, sqlite3.Error) as error:
        raise GatewayError(directory_codes.FILE, f"{directory.file.path}: {error}") from None


def look(directory: Directory) -> None:
    """Checks that the server answers and accepts the gateway. Raises GatewayError, of a code of
    `model.directory_codes`.
    """
    with _reader(directory) as reader:
        reader.look()


@contextmanager
def _reader(directory: Directory) -> Iterator[ServerReader]:
    with closing(server_reader(directory)) as reader:
        try:
            yield reader
        except DirectoryAway as why:
            raise GatewayError(why.code, why.detail) from None


def _query_index(directory: Directory, key: str, path: Path, read_at: int, *, made_here: bool) -> QueryResult:
    with closing(DirectoryIndex(path, directory)) as index:
        return QueryResult(*finding_of(directory, index.rows(key), read_at), read_at, made_here)


class Looked(NamedTuple):
    """The result of checking a whole file.

    `keyless`: rows that lack a part of the key.
    `faults`: the first faults, with their lines.
    """

    rows: int
    keyless: int
    faults: tuple[str, ...]


_MOST_FAULTS = 20


def look_through(directory: Directory) -> Looked:
    """Checks every row of a file. Raises GatewayError(directory_codes.FILE)."""
    rows = keyless = 0
    faults: list[str] = []
    seen: set[int] = set()
    by_column: dict[str, list[int]] = {}
    for at, given in enumerate(directory.gives):
        if given.terms is None:
            by_column.setdefault(given.column, []).append(at)
    with BufferedReader(open_table(directory.file)) as content:
        for row in rows_of(directory, content):
            rows += 1
            if "" in row.key:
                keyless += 1
            elif len(faults) < _MOST_FAULTS:
                faults += _wrong_in(directory, by_column, row.line, row.cells)
                faults += _again(directory, row, seen)
    return Looked(rows, keyless, tuple(faults[:_MOST_FAULTS]))


def _again(directory: Directory, row: TableRow, seen: set[int]) -> list[str]:
    """Reports a second row of the same person. `seen`: hashes, because a million keys would take too much memory."""
    if directory.rows == "many":
        return []
    key = hash(joined_key(row.key))
    if key in seen:
        return [f"line {row.line}: a second row of the same person, whose attributes are now all unknown (rows: many?)"]
    seen.add(key)
    return []


def _wrong_in(directory: Directory, by_column: dict[str, list[int]], line: int, cells: Sequence[str]) -> list[str]:
    """Reports the faults of one row, by the rules of a look-up."""
    found = []
    for column, cell in zip(directory.columns, cells, strict=True):
        for at in by_column.get(column, ()) if cell else ():
            given = directory.gives[at]
            texts = [as_given(given, text) for text in cell.split(given.split or SEVERAL)]
            if not all(is_value(given, text) for text in texts if text):
                found.append(f"line {line}: column {column} has a value that is not a {given.type}")
    for given in directory.gives:
        if given.terms is not None:
            try:
                term_of(given.terms, row_of(directory.columns, cells))
            except WrongTerm as error:
                found.append(f"line {line}: {error}")
    return found
