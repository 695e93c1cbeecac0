"""Reads the rows of a CSV or JSON file, in the order of the lines. A malformed file gives no source at all."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import IO, Final, NamedTuple

from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, FileSource
from gateway.model.errors import GatewayError
from gateway.ops.index_files import open_source

MOST_ROWS: Final = 20_000_000
LARGEST: Final = 4 << 30
# Bytes. JSON is read as a whole.
LARGEST_JSON: Final = 64 << 20
_LONGEST_CELL: Final = 1 << 16
# Separates several values of one cell: a cell holds no control character.
SEVERAL: Final = "\x1f"
# A SIRET that a spreadsheet took for a number: 2,15904E+13.
_ROUNDED: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+[0-9]+")


class TableRow(NamedTuple):
    """One row.

    `line`: in CSV the row's last line; in JSON the number of the row.
    `key`: one text for each part of the key.
    `cells`: by column, in the directory's order; SEVERAL separates the values of a column.
    """

    line: int
    key: tuple[str, ...]
    cells: tuple[str, ...]


def rows_of(directory: Directory, content: IO[bytes]) -> Iterator[TableRow]:
    """Yields the rows of a file. Raises GatewayError(directory_codes.FILE), also between two rows."""
    source = directory.file
    wanted = [part.column for part in directory.key]
    given = list(directory.columns)
    try:
        rows = _csv(source, content, wanted, given) if source.form == "csv" else _json(content, wanted, given)
        for number, row in enumerate(rows):
            if number >= MOST_ROWS:
                raise wrong(source, f"more than {MOST_ROWS} rows")
            yield row
    except UnicodeDecodeError:
        old = source.form == "csv" and source.encoding == "utf-8"
        instead = " (save the file as UTF-8, or add encoding: cp1252)" if old else ""
        raise wrong(source, f"the encoding is not {source.encoding}{instead}") from None
    except OSError as error:
        raise _unreadable(source, error) from None
    except _Wrong as error:
        raise wrong(source, str(error)) from None


def open_table(source: FileSource) -> FileIO:
    """Opens a regular file of at most LARGEST bytes. Raises GatewayError(directory_codes.FILE)."""
    try:
        return open_source(source.path, LARGEST)
    except OSError as error:
        raise _unreadable(source, error) from None


def _unreadable(source: FileSource, error: OSError) -> GatewayError:
    return wrong(source, f"cannot be read: {error.strerror}")


def wrong(source: FileSource, what: str) -> GatewayError:
    return GatewayError(directory_codes.FILE, f"{Path(source.path).name}: {what}")


class _Wrong(Exception):
    pass


# --- CSV


def _csv(source: FileSource, content: IO[bytes], wanted: list[str], given: list[str]) -> Iterator[TableRow]:
    """Reads RFC 4180 with the delimiter of the directory's file; the first line names the columns."""
    encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
    text = TextIOWrapper(content, encoding=encoding, errors="strict", newline="")
    reader = csv.reader(text, delimiter=source.delimiter, strict=True)
    try:
        names = next(reader, None)
        if names is None:
            raise _Wrong("the file is empty: the first line must name the columns")
        if set(names).isdisjoint((*wanted, *given)):
            # The file is not this directory's table: the path may lead to a file of secrets by now, so the first line
            # stays out of the log.
            hint = _other_delimiter(names, (*wanted, *given))
            what = "the first line names no column of this directory: check the path and the delimiter"
            raise _Wrong(f"{what}{hint}")
        keys, cells = [_column(names, one) for one in wanted], [_column(names, one) for one in given]
        width = len(names)
        for row in reader:
            if len(row) != width:
                if not row:
                    continue
                raise _Wrong(f"line {reader.line_num}: {len(row)} cells, where the first line has {width}")
            joined = "".join(row)
            # The csv module's own limit holds for the whole process, so this module does not set the limit.
            if len(joined) > _LONGEST_CELL and max(map(len, row)) > _LONGEST_CELL:
                raise _Wrong(f"line {reader.line_num}: a cell of more than {_LONGEST_CELL} characters")
            if not joined.isprintable() and _has_control(joined):
                raise _Wrong(f"line {reader.line_num}: a control character")
            if "E+" in joined and any(_ROUNDED.fullmatch(row[at]) for at in keys):
                what = "a spreadsheet has rounded a number of the key: format the column as text, then enter it again"
                raise _Wrong(f"line {reader.line_num}: {what}")
            yield TableRow(reader.line_num, tuple([row[at] for at in keys]), tuple([row[at] for at in cells]))
    except csv.Error as error:
        raise _Wrong(f"line {reader.line_num}: {error}") from None
    finally:
        text.detach()


def _column(names: Sequence[str], name: str) -> int:
    found = names.count(name)
    if found != 1:
        known = ", ".join(names)[:300]
        raise _Wrong(f"{found} columns are called {name}, where one is needed; the first line has: {known}")
    return names.index(name)


def _other_delimiter(names: Sequence[str], columns: Sequence[str]) -> str:
    """Suggests a delimiter, if the undivided first line would name known columns when divided: spreadsheets in French
    write `;`.
    """
    for sign, written in ((";", '";"'), (",", '","'), ("\t", r'"\t"')):
        if len(names) == 1 and not set(columns).isdisjoint(names[0].split(sign)):
            return f" (add delimiter: {written})"
    return ""


def _has_control(text: str) -> bool:
    """C0, DEL and C1: separators within this module, and forbidden in a value."""
    return any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in text)


# --- JSON


def _json(content: IO[bytes], wanted: list[str], given: list[str]) -> Iterator[TableRow]:
    """Reads an array of objects. A value is a text, a whole number, true, false, null for no value, or a list of
    these.
    """
    data = content.read(LARGEST_JSON + 1)
    if len(data) > LARGEST_JSON:
        raise _Wrong(f"a JSON file has at most {LARGEST_JSON} bytes: use CSV")
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"the file is not JSON: {type(error).__name__}") from None
    if not isinstance(found, list):
        raise _Wrong("the file is not an array of objects")
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict):
            raise _Wrong(f"item {number} is not an object")
        key = tuple(_text(number, name, row.get(name)) for name in wanted)
        yield TableRow(number, key, tuple(_texts(number, name, row.get(name)) for name in given))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("an object has the same name twice")
    return found


def _texts(number: int, name: str, value: object) -> str:
    several = value if isinstance(value, list) else [value]
    return SEVERAL.join(text for one in several if (text := _text(number, name, one)))


def _text(number: int, name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < 1 << 63:
            return str(value)
        case str() if len(value) <= _LONGEST_CELL and not _has_control(value) and _is_unicode(value):
            return value
        case _:
            raise _Wrong(
                f"item {number}: `{name}` must be a text without control characters, an integer, true or false"
            )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
