"""The index of the organisations: one SQLite file, replaced as a whole, searched by words and numbers.

Rows are numbered in display order, short names first. FTS5 finds rows in this order and stops at the last row wanted,
however many rows match.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final, cast

from gateway.identity.organisation_words import (
    SIREN_DIGITS,
    OrganisationQuery,
    expression,
    folded_name,
    words_beside,
    words_of_name,
)
from gateway.model.codec import codec_of
from gateway.model.organisations import ListedOrganisation, OrganisationTable
from gateway.ops.index_files import IndexTask, index_file
from gateway.ops.whole_file import open_read_only

TABLES_CODEC: Final = codec_of(tuple[OrganisationTable, ...])
_FILE: Final = "index"
_COLUMNS: Final = tuple(field.name for field in fields(ListedOrganisation))
_LISTS: Final = ("postcodes", "domains")
_BY_NAME: Final = "SELECT number FROM organisation WHERE folded = ? ORDER BY number LIMIT ?"
_BY_WORDS: Final = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid LIMIT ?"
_BY_DOMAIN: Final = "SELECT number FROM domain WHERE domain = ? ORDER BY number LIMIT ?"
# An establishment may have a row of its own; a row without a SIRET covers all establishments of its SIREN.
_NAME_OF_ITS_ROW: Final = (
    "SELECT name FROM organisation WHERE siren = ? AND siret IN (?, '') ORDER BY siret DESC, number LIMIT 1"
)
_NAMES_OF_SIREN: Final = "SELECT DISTINCT name FROM organisation WHERE siren = ? LIMIT 2"
_THE_ROW: Final = "SELECT * FROM organisation WHERE number = ?"
_SIREN_OR_SIRET: Final = re.compile(r"[0-9]{9}(?:[0-9]{5})?")
_TABLES: Final = (
    f"CREATE TABLE organisation (number INTEGER PRIMARY KEY, folded TEXT NOT NULL, {', '.join(_COLUMNS)})",
    "CREATE TABLE domain (domain TEXT NOT NULL, number INTEGER NOT NULL)",
    (
        "CREATE VIRTUAL TABLE words USING fts5(name, beside, content='', columnsize=0, detail=column,"
        " tokenize='ascii', prefix='1 2 3 4 5')"
    ),
)
_ADD: Final = "INSERT INTO organisation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def task_of(tables: tuple[OrganisationTable, ...]) -> IndexTask:
    question = TABLES_CODEC.write(tables)
    paths = tuple(table.source.path for table in tables)
    return IndexTask("organisations", _FILE, json.dumps(question), paths, question)


def organisation_index_path(folder: Path) -> Path:
    return index_file(folder, _FILE)


def fill_index(database: sqlite3.Connection, organisations: Iterable[ListedOrganisation]) -> int:
    """Writes the organisations. Returns their number."""
    # Sorted in display order.
    keyed = sorted(((folded_name(one.name), one) for one in organisations), key=_shown_before)
    for table in _TABLES:
        database.execute(table)
    rows = ((number, folded, *_written(one)) for number, (folded, one) in enumerate(keyed, start=1))
    database.executemany(_ADD, rows)
    words = ((number, words_of_name(one), words_beside(one)) for number, (_, one) in enumerate(keyed, start=1))
    database.executemany("INSERT INTO words (rowid, name, beside) VALUES (?, ?, ?)", words)
    domains = ((domain, number) for number, (_, one) in enumerate(keyed, start=1) for domain in one.domains)
    database.executemany("INSERT INTO domain VALUES (?, ?)", domains)
    database.execute("INSERT INTO words(words) VALUES ('optimize')")
    database.execute("CREATE INDEX by_folded ON organisation (folded)")
    database.execute("CREATE INDEX by_domain ON domain (domain, number)")
    database.execute("CREATE INDEX by_siren ON organisation (siren, siret)")
    return len(keyed)


def _shown_before(keyed: tuple[str, ListedOrganisation]) -> tuple[object, ...]:
    name, one = keyed
    return len(name), name, one.departement, one.siren, one.siret, one.insee


def _written(one: ListedOrganisation) -> Iterator[str]:
    for value in astuple(one):
        yield " ".join(value) if isinstance(value, tuple) else value


class OrganisationIndex:
    """One open index, for use by one thread. Raises sqlite3.Error if the index cannot be opened or read."""

    def __init__(self, path: Path) -> None:
        self._database = open_read_only(path)

    def find(self, query: OrganisationQuery, most: int) -> list[ListedOrganisation]:
        """Finds organisations: first an exact match of the name, then names that contain every word, then the rest."""
        found = self._numbers(query, most)
        if not found and (less := query.without_what_is_around()) is not None:
            found = self._numbers(less, most)
        return [self._organisation(number) for number in found]

    def names(self, numbers: Iterable[str]) -> dict[str, str]:
        """Returns the names of organisations by SIREN or SIRET. Leaves out an organisation without a name in the index.

        Also leaves out an organisation whose SIREN has only rows with SIRETs of further establishments, if the names
        of the rows differ.
        """
        found = ((number, self._name(number)) for number in numbers if _SIREN_OR_SIRET.fullmatch(number))
        return {number: name for number, name in found if name}

    def _name(self, number: str) -> str:
        siren = number[:SIREN_DIGITS]
        own = self._database.execute(_NAME_OF_ITS_ROW, (siren, number)).fetchone()
        if own is not None:
            return cast(str, own[0])
        others = self._database.execute(_NAMES_OF_SIREN, (siren,)).fetchall()
        return cast(str, others[0][0]) if len(others) == 1 else ""

    def _numbers(self, query: OrganisationQuery, most: int) -> list[int]:
        found: dict[int, None] = {}
        for sql, wanted in self._ways(query):
            if len(found) < most:
                found.update((number, None) for (number,) in self._database.execute(sql, (wanted, most)))
        return list(found)[:most]

    def _ways(self, query: OrganisationQuery) -> Iterator[tuple[str, str]]:
        yield from ((_BY_DOMAIN, domain) for domain in query.domains)
        if query.name:
            yield _BY_NAME, query.name
        if query.terms:
            yield _BY_WORDS, expression(query, "name")
            yield _BY_WORDS, expression(query)

    def _organisation(self, number: int) -> ListedOrganisation:
        _, _, *row = self._database.execute(_THE_ROW, (number,)).fetchone()
        values = dict(zip(_COLUMNS, row, strict=True))
        lists = {name: tuple(cast(str, values[name]).split()) for name in _LISTS}
        return ListedOrganisation(**{**values, **lists})

    def close(self) -> None:
        self._database.close()
