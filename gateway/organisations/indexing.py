"""The separate process that writes the index of all tables of organisations: its memory is freed when the process ends.

Standard input carries the tables as one line of JSON, standard output carries the outcome as one line.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, Final

from gateway.directories.indexing import stay_within_limits
from gateway.identity.organisation_table import organisations_in
from gateway.model.codec import codec_of
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.model.organisations import MOST_ORGANISATIONS, ListedOrganisation, OrganisationTable
from gateway.ops.indexing import open_source, statuses_of
from gateway.organisations.index import write_organisations

_TABLES: Final = codec_of(tuple[OrganisationTable, ...])
_LARGEST: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class OrganisationsOutcome:
    """The result of one run.

    `detail`: why the run made no index; empty: success.
    `stats`: status of the files that were read, or tried.
    """

    rows: int = 0
    detail: str = ""
    stats: tuple[tuple[int, ...], ...] = ()


def encode_tables(tables: Sequence[OrganisationTable]) -> str:
    return json.dumps(_TABLES.write(tuple(tables)))


def decode_organisations_outcome(line: bytes) -> OrganisationsOutcome:
    """Decodes an outcome. Raises ValueError or TypeError for a malformed line."""
    told: dict[str, Any] = json.loads(line)
    return OrganisationsOutcome(**{**told, "stats": tuple(map(tuple, told["stats"]))})


def stats_of(tables: Sequence[OrganisationTable]) -> tuple[tuple[int, ...], ...]:
    return statuses_of(table.source.path for table in tables)


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
        raise GatewayError(organisation_codes.FILE, f"{name}: it cannot be read: {error.strerror}") from None


def make_organisations(tables: Sequence[OrganisationTable], folder: Path) -> OrganisationsOutcome:
    """Writes the index of the present files and puts the index in place. Raises GatewayError, OSError,
    sqlite3.Error.
    """
    before = stats_of(tables)
    found = [one for table in tables for one in organisations_of(table)]
    if len(found) > MOST_ORGANISATIONS:
        raise GatewayError(organisation_codes.FILE, f"more than {MOST_ORGANISATIONS} organisations in all")
    if stats_of(tables) != before:
        raise GatewayError(organisation_codes.FILE, "a file changed while it was read")
    return OrganisationsOutcome(write_organisations(folder, found, encode_tables(tables), before), stats=before)


def main(folder: str) -> int:
    stay_within_limits()
    tables: tuple[OrganisationTable, ...] = _TABLES.read(json.loads(sys.stdin.buffer.readline()))
    before = stats_of(tables)
    try:
        outcome = make_organisations(tables, Path(folder))
    except GatewayError as error:
        outcome = OrganisationsOutcome(detail=f"{error.code.id}: {error.detail}", stats=before)
    except (OSError, sqlite3.Error) as error:
        outcome = OrganisationsOutcome(detail=f"the state folder cannot be written: {error}", stats=before)
    except MemoryError:
        outcome = OrganisationsOutcome(detail="it takes too much memory", stats=before)
    sys.stdout.buffer.write(json.dumps(asdict(outcome)).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
