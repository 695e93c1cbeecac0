"""`ecluse directory import-elus FILE`: turns a published file of the Répertoire national des élus into a table of
mandates, with a report of the people without a match, for review by a person."""

import os
from argparse import Namespace
from datetime import date
from pathlib import Path
from typing import Final

from gateway.cli.exits import Exit
from gateway.cli.saying import said_to_be_wrong
from gateway.directories.elus import REPORT, as_csv, joined
from gateway.model.errors import GatewayError

# The mandates of France are some 600,000 lines of 200 bytes.
_LARGEST: Final = 256 << 20


def import_elus(told: Namespace) -> Exit:
    try:
        until = date.fromisoformat(told.until)
    except ValueError:
        said_to_be_wrong(f"--until {told.until}: write a day as 2032-03-21")
        return Exit.USAGE
    try:
        found = joined(_text(told.file), _text(told.people), until)
        _write(told.table, as_csv(found.table, found.rows))
        _write(told.report, as_csv(REPORT, found.report))
    except GatewayError as error:
        said_to_be_wrong(error.detail)
        return Exit.FOUND
    except OSError as error:
        said_to_be_wrong(f"{error.filename}: {error.strerror}")
        return Exit.FOUND
    people = len({row[0] for row in found.rows})
    print(f"{told.table}: {len(found.rows)} mandates of {people} people, until {until}")
    print(f"{told.report}: {len(found.report)} people to check; {found.wrong} lines of the directory are incomplete")
    return Exit.DONE


def _text(path: Path) -> str:
    """The text of a file in UTF-8, or in the charset of older spreadsheets (cp1252)."""
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(0, f"it has over {_LARGEST} bytes", str(path))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _write(path: Path, text: str) -> None:
    """Writes the whole file or nothing, readable by its owner alone: the table names people."""
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        # A file of an earlier attempt may exist, with permissions for other accounts.
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    beside.replace(path)
