"""Makes the index of one directory's file. Run as a program, this module answers the question of `keeper`."""

import sqlite3
import sys
import time
from io import BufferedReader
from pathlib import Path
from typing import Final

from gateway.directories.index import DIRECTORY_CODEC, fill_index, task_of
from gateway.directories.tables import open_table, rows_of, wrong
from gateway.model.directory import Directory
from gateway.ops import index_files
from gateway.ops.index_files import IndexStamp, SourceChanged
from gateway.ops.index_process import serve

_PIECE: Final = 1 << 20


def make_index(directory: Directory, folder: Path, now: int) -> IndexStamp:
    """Writes the index of the present file and puts the index in place. Raises GatewayError(directory_codes.FILE),
    OSError, sqlite3.Error.
    """

    def fill(database: sqlite3.Connection) -> tuple[int, int]:
        with BufferedReader(open_table(directory.file), _PIECE) as content:
            return fill_index(database, rows_of(directory, content))

    try:
        return index_files.make_index(folder, task_of(directory), now, fill)
    except SourceChanged:
        raise wrong(directory.file, "the file changed during the read") from None


if __name__ == "__main__":
    sys.exit(serve(lambda question, folder: make_index(DIRECTORY_CODEC.read(question), folder, int(time.time()))))
