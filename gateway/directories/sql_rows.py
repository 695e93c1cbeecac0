"""Builds the query of a database about a person, and reads the rows. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from gateway.directories.source import FindingAndFaults
from gateway.identity.directories import MOST_ROWS, DirectoryFault, finding_of, is_same_key, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, SqlSource

# No value may hold this character, so it makes the attribute unknown.
_NO_VALUE: Final = "\0"


class SqlQuestion:
    """Wraps the SELECT of a source in an outer SELECT, which names the columns of the directory's file and bounds the
    rows.

    As a subquery, the inner text can only be a single SELECT.

    `sign`: the first character of a numbered parameter.
    """

    def __init__(self, directory: Directory, source: SqlSource, sign: str) -> None:
        self._directory = directory
        self.columns = tuple(dict.fromkeys([*(part.column for part in directory.key), *directory.columns]))
        self._parameters = tuple(dict.fromkeys(source.select[1::2]))
        numbers = {column: f"{sign}{number}" for number, column in enumerate(self._parameters, start=1)}
        inner = "".join(numbers[piece] if at % 2 else piece for at, piece in enumerate(source.select))
        # With the table's name in front, SQLite does not read a missing column's name as a text (its quirk 8).
        named = ", ".join(f"found.{_quoted(column)}" for column in self.columns)
        most = 1 if directory.rows == "one" else MOST_ROWS
        self.text = "\n".join(("SELECT", named, "FROM (", inner, ") AS found LIMIT", str(most + 1)))

    def parameters(self, values: Mapping[str, str | None]) -> tuple[str | None, ...]:
        """`values`: of the key, by column."""
        return tuple(values[column] for column in self._parameters)

    def finding(
        self, rows: Sequence[Mapping[str, tuple[str, ...]]], values: Mapping[str, str], now: int
    ) -> FindingAndFaults:
        # The database compares by its operators and collations: LIKE, for one, reads characters of a value as
        # wildcards.
        if not all(is_same_key(row[column], value) for row in rows for column, value in values.items()):
            fault = DirectoryFault(directory_codes.KEY, "a row was found that has another key than was asked for")
            return unknown_of(self._directory, "found", now), (fault,)
        return finding_of(self._directory, rows, now)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def texts_of(cell: object) -> tuple[str, ...]:
    """Writes a cell as texts. None gives no text, a list gives several. A type without a unique text form makes the
    attribute unknown.
    """
    several = cell if isinstance(cell, list) else [cell]
    return tuple(_text(one) for one in several if one is not None)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case _:
            return _NO_VALUE
