"""Reads the rows about a person from a JSON document, an HTTP server's answer. Pure: bytes in, rows out."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.directories.source import FindingAndFaults
from gateway.identity.directories import MOST_ROWS, DirectoryFault, finding_of, is_same_key, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, pointer_steps

# No value may hold this character, so it makes the attribute unknown.
_NO_VALUE: Final = "\0"


class NoRows(Exception):
    """The document gives no rows. The text holds no value of the document."""


def finding_in(
    directory: Directory, steps: Iterable[str], body: bytes | None, values: Mapping[str, str], now: int
) -> FindingAndFaults:
    """Returns the finding about the person with this key. Raises NoRows.

    `body`: the document; None: no person has the key.
    `values`: of the key, by column.
    """
    columns = dict.fromkeys([*values, *directory.columns])
    rows = [] if body is None else rows_in(body, steps, columns)
    if not all(is_same_key(found, wanted) for row in rows for one, wanted in values.items() if (found := row[one])):
        fault = DirectoryFault(directory_codes.KEY, "it told of a person who has another key than was asked for")
        return unknown_of(directory, "found", now), (fault,)
    return finding_of(directory, rows, now)


def rows_in(body: bytes, steps: Iterable[str], columns: Iterable[str]) -> list[Mapping[str, tuple[str, ...]]]:
    """Reads the rows of a document. Raises NoRows.

    `steps`: of a JSON Pointer to one object or a list of objects; a missing target, or null, gives no row.
    `columns`: names in the object, or JSON Pointers within the object.
    """
    try:
        found: object = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_refused)
    except UnicodeDecodeError:
        raise NoRows("the response is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise NoRows(f"the response is not JSON: {type(error).__name__}") from None
    there = _at(found, steps)
    several = there if isinstance(there, list) else [] if there is None else [there]
    if len(several) > MOST_ROWS or not all(isinstance(one, dict) for one in several):
        raise NoRows("the value at `rows` is neither an object nor a list of objects")
    wanted = {column: pointer_steps(column) for column in columns}
    return [{column: _texts(_at(one, path)) for column, path in wanted.items()} for one in several]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoRows("an object has the same name twice")
    return found


def _refused(constant: str) -> object:
    raise ValueError(constant)


def _at(value: object, steps: Iterable[str]) -> object:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _texts(value: object) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    return tuple(_text(one) for one in several if one is not None)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < 1 << 63:
            return str(value)
        case str():
            return value
        case _:
            return _NO_VALUE
