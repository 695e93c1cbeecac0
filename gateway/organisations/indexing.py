"""Makes the index of all tables of organisations. Run as a program, this module answers the question of `keeper`."""

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Final

from gateway.identity.organisation_table import organisations_in
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.model.organisations import MOST_ORGANISATIONS, ListedOrganisation, OrganisationTable
from gateway.ops.index_files import IndexStamp, SourceChanged, make_index, open_source
from gateway.ops.index_process import serve
from gateway.organisations.index import TABLES_CODEC, fill_index, task_of

_LARGEST: Final = 256 << 20


def organisations_of(table: OrganisationTable) -> Iterator[ListedOrganisation]:
    """Yields the organisations of a table. Raises GatewayError(organisation_codes.FILE), also between two rows."""
    source = table.source
    name, encoding = Path(source.path).name, "utf-8-sig" if source.encoding == "utf-8" else source.encoding
    try:
        with open_source(source.path, _LARGEST) as raw:
            lines = TextIOWrapper(BufferedReader(raw), encoding=encoding, errors="strict", newline="")
            yield from organisations_in(lines, source.delimiter)
    except GatewayError as error:
        raise GatewayError(error.code, f"{name}: {error.detail}") from None
    except OSError as error:
        raise GatewayError(organisation_codes.FILE, f"{name}: cannot be read: {error.strerror}") from None


def make_organisations(tables: Sequence[OrganisationTable], folder: Path) -> IndexStamp:
    """Writes the index of the present files and puts the index in place. Raises GatewayError, OSError,
    sqlite3.Error.
    """

    def fill(database: sqlite3.Connection) -> tuple[int, int]:
        found = [one for table in tables for one in organisations_of(table)]
        if len(found) > MOST_ORGANISATIONS:
            raise GatewayError(organisation_codes.FILE, f"more than {MOST_ORGANISATIONS} organisations in all")
        return fill_index(database, found), 0

    try:
        return make_index(folder, task_of(tuple(tables)), int(time.time()), fill)
    except SourceChanged:
        raise GatewayError(organisation_codes.FILE, "a file changed during the read") from None


if __name__ == "__main__":
    sys.exit(serve(lambda question, folder: make_organisations(TABLES_CODEC.read(question), folder)))
