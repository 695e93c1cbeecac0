"""`ecluse organisations import FILE`: turns a public list of French communes and groupings into a table of
organisations."""

import csv
import json
import os
from argparse import Namespace
from collections.abc import Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Final

from gateway.cli.exits import Exit
from gateway.cli.saying import said_to_be_wrong
from gateway.identity.organisation_table import organisations_in
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.organisations.etalab import CREDIT, IMPORTED, Records, read_package, table_of

_NAME: Final = "decoupage-administratif"


def run(told: Namespace) -> Exit:
    return import_organisations(told.archive, told.folder / "organisations", told.as_of)


def import_organisations(archive: Path, folder: Path, as_of: str) -> Exit:
    """Writes the table, and the file that names the table: whole files or nothing."""
    try:
        day = date.fromisoformat(as_of).isoformat()
    except ValueError:
        said_to_be_wrong(f"--as-of {as_of}: write a day as 2026-01-01")
        return Exit.USAGE
    try:
        version, parts = read_package(archive)
        text = _csv(parts)
        count = sum(1 for _ in organisations_in(StringIO(text), ","))
    except GatewayError as error:
        said_to_be_wrong(error.detail)
        return Exit.FOUND
    try:
        folder.mkdir(exist_ok=True)
        _write(folder / f"{_NAME}.csv", text)
        _write(folder / f"{_NAME}.yaml", _yaml(version, day))
    except OSError as error:
        said_to_be_wrong(f"{folder}: {error.strerror}")
        return Exit.FOUND
    print(f"{folder / _NAME}.csv: {count} organisations, of {day}")
    return Exit.DONE


def _csv(parts: Mapping[str, Records]) -> str:
    """Raises GatewayError."""
    lines = StringIO(newline="")
    table = csv.DictWriter(lines, IMPORTED, restval="", lineterminator="\n")
    table.writeheader()
    try:
        table.writerows(table_of(parts))
    except (KeyError, TypeError, AttributeError) as error:
        what = f"the package does not have the form of version 6 ({type(error).__name__}: {error})"
        raise GatewayError(organisation_codes.FILE, what) from None
    return lines.getvalue()


def _yaml(version: str, day: str) -> str:
    credit = json.dumps(CREDIT.format(version=version), ensure_ascii=False)
    return (
        f"version: 1\norganisations: {_NAME}\ncsv: {{path: organisations/{_NAME}.csv}}\n"
        f"credit: {credit}\nas_of: {json.dumps(day)}\n"
    )


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
