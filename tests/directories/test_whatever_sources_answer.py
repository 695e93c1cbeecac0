"""Invariant 5, of every kind of source: whatever it answers, there is no attribute outside its list, nothing of a
person of another key, and no `unknown` that opens."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directories.file_reader import FileReader
from gateway.directories.indexing import make_index
from gateway.directories.json_rows import NoRows, finding_in
from gateway.directories.kinds import server_reader
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.directories.sql_rows import SqlQuestion, texts_of
from gateway.directories.sqlite_file import SqliteFileReader
from gateway.identity.directories import known_with, unknown_of
from gateway.model.directory import Directory, FileSource, GivenAttribute, KeyPart, LdapSource, SqliteSource
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermColumns
from gateway.policy.conditions import All, Any_, Claim, Condition, Not, evaluate
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Exists

NOW = 1_700_000_000
HER_OWN = {"uid": ("alice",), "mail": ("alice@corp.example",)}
ALICE = Identity("alpha", "https://alpha.example", "s-1", {**HER_OWN, "role": ("what the provider says",)})
GIVES = (
    GivenAttribute("uai", "uai"),
    GivenAttribute("numbers", "number", "number", many=True, split=","),
    GivenAttribute("active", "active", "boolean"),
    GivenAttribute("role", "role", wins="directory"),
    GivenAttribute("since", "since", "date"),
    GivenAttribute(
        "mandates", "", "mandates", terms=TermColumns("office", "siren", "siren", "since", "until", zone="Europe/Paris")
    ),
)
COLUMNS = ("uid", "uai", "number", "active", "since", "office", "siren", "until", "role", "mail", "admin")
ASKED = COLUMNS[:9]
ONE = Directory(
    "staff",
    "f1",
    FileSource("", "csv"),
    (KeyPart("uid", "uid", providers=("alpha",)),),
    GIVES,
    "many",
    "without",
    0,
    2.0,
)

# What is right, so that examples come far, beside whatever else there is.
WORDS = st.sampled_from(
    ["alice", "Alice", "ALICE", "bob", "al\u0131ce", "alice ", "alic\u00e9", "0590001A", "1", "-7,8", "true", "false",
     "2026-03-29", "2032-03-28", "maire", "215903501", "", "(uid=*)", "' OR 1=1 --", "\x00", "\udcff", "\x1f", "a\nb"]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=8)


def holds(found: FindingAndFaults, cells: Iterable[str]) -> None:
    """`cells`: what the source had under her own key, cut as its file says."""
    finding, faults = found
    listed = {given.name for given in GIVES}
    assert {*finding.values, *finding.unknown} <= listed
    assert not {*finding.values} & finding.unknown
    hers = {*cells}
    assert {value for values in finding.values.values() for value in values} <= hers
    assert {term.office for term in finding.terms} <= hers
    assert all(fault.code.id.startswith("directory.") for fault in faults)
    known = known_with(replace(ALICE, findings=(finding,)), (ONE,), NOW)
    added = {*known.attributes} - {*ALICE.attributes}
    assert added <= listed | {"mandate_organisations", "mandates_in_full"}
    assert {name: known.attributes[name] for name in ALICE.attributes if name != "role"} == HER_OWN
    # What a provider says has no part in what a directory decides.
    assert known.attributes.get("role") == finding.values.get("role")
    for name in finding.unknown:
        assert name in known.left_out
        opens_nothing(known, name)


def opens_nothing(known: Identity, name: str) -> None:
    asked: list[Condition] = [Claim(name, Exists()), Claim(name, Equals("x")), Claim(name, Equals("alice"))]
    for one in (*asked, *map(Not, asked), All(tuple(asked)), Any_(tuple(asked)), Not(Any_(tuple(asked)))):
        assert evaluate(one, known) is not Truth.TRUE


def parts(cells: Iterable[str]) -> set[str]:
    return {part.strip() for cell in cells for part in (cell, *cell.split(","))}


@given(st.sampled_from(["away", "found"]))
def test_what_cannot_be_said_opens_nothing(state: Any) -> None:
    holds((unknown_of(ONE, state, NOW), ()), ())


# --- HTTP

JSON_CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(TEXTS | st.integers(), max_size=3)
)
JSON_ROWS = st.lists(
    st.builds(
        lambda uid, row: {**row, "uid": uid},
        WORDS | JSON_CELLS,
        st.dictionaries(st.sampled_from(COLUMNS), JSON_CELLS, max_size=10),
    ),
    max_size=4,
)
ANYTHING = st.recursive(
    JSON_CELLS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@given(JSON_ROWS | ANYTHING)
def test_of_an_http_server(answer: object) -> None:
    body = json.dumps(answer).encode("utf-8", "surrogatepass")
    try:
        found = finding_in(ONE, (), body, {"uid": "alice"}, NOW)
    except NoRows:
        return
    rows = answer if isinstance(answer, list) else [answer]
    cells = [
        cell for row in rows if isinstance(row, dict) for column in ASKED[1:] for cell in _json_texts(row.get(column))
    ]
    holds(found, parts(cells))
    named = [texts for row in rows if isinstance(row, dict) and (texts := _json_texts(row.get("uid")))]
    if any("alice" not in map(str.lower, texts) for texts in named):
        assert not found[0].values, "it told of somebody else"


def _json_texts(cell: object) -> list[str]:
    several = cell if isinstance(cell, list) else [cell]
    return [("true" if one else "false") if isinstance(one, bool) else str(one) for one in several if one is not None]


@given(st.binary(max_size=200))
def test_of_an_http_server_that_speaks_no_json(body: bytes) -> None:
    try:
        holds(finding_in(ONE, (), body, {"uid": "alice"}, NOW), ())
    except NoRows:
        pass


# --- databases

SQL_CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=4)
    | TEXTS
    | st.dates()
    | st.datetimes()
)
SQL_ROWS = st.lists(
    st.fixed_dictionaries({column: SQL_CELLS | st.lists(SQL_CELLS, max_size=2) for column in ASKED}), max_size=4
)


@given(SQL_ROWS)
def test_of_a_database(rows: list[dict[str, Any]]) -> None:
    question = SqlQuestion(ONE, SqliteSource("", ("SELECT 1 WHERE x = ", "uid", "")), "?")
    told = [{column: texts_of(cell) for column, cell in row.items()} for row in rows]
    found = question.finding(told, {"uid": "alice"}, NOW)
    holds(found, parts(text for row in told for texts in row.values() for text in texts))
    if any("alice" not in [text.lower() for text in row["uid"]] for row in told):
        assert not found[0].values, "a row of another key is the fault of its SELECT"


STORED = st.lists(st.tuples(*[WORDS.filter(lambda text: "\udcff" not in text)] * 9), max_size=4)


@settings(max_examples=25)
@given(STORED, st.sampled_from(["uid = :uid", "uid LIKE :uid", "1 = 1 OR uid = :uid", "uid <> :uid"]))
def test_of_a_file_of_sqlite_whatever_its_select_finds(rows: list[tuple[str, ...]], where: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "staff.db"
        with closing(sqlite3.connect(path)) as file:
            file.execute(f"CREATE TABLE staff ({', '.join(ASKED)})")
            file.executemany(f"INSERT INTO staff VALUES ({', '.join('?' * 9)})", rows)
            file.commit()
        source = SqliteSource(str(path), ("SELECT * FROM staff WHERE " + where.partition(":uid")[0], "uid", ""))
        reader = SqliteFileReader(ONE, source)
        try:
            found = reader.finding("alice", NOW)
        except DirectoryAway:
            return
        finally:
            reader.close()
        hers = [row for row in rows if row[0].lower() == "alice"]
        holds(found, parts(cell for row in hers for cell in row))


# --- LDAP

RAW = st.binary(max_size=6) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
NAMES = st.sampled_from([*COLUMNS, "UID", "Uai"])
ENTRIES = st.lists(st.dictionaries(NAMES, st.lists(RAW, max_size=3), max_size=9), max_size=4)


@pytest.mark.service  # python-ldap is built where libldap is: tools/install_test_parts.sh ldap
@given(ENTRIES)
def test_of_an_ldap_server(entries: list[Mapping[str, list[bytes]]]) -> None:
    source = LdapSource(("ldap://127.0.0.1:1",), False, "dc=x", "subtree", "", "", 1, b"", None, None)
    reader = server_reader(replace(ONE, source=source))
    # In the place of a server: what its search found.
    reader._query = lambda ask: entries  # type: ignore[attr-defined]
    try:
        found = reader.finding("alice", NOW)
    finally:
        reader.close()
    texts = [
        value.decode("utf-8", "surrogateescape") for entry in entries for values in entry.values() for value in values
    ]
    holds(found, parts([*texts, *map(str.lower, texts)]))
    uids = [
        [value.lower() for name, values in entry.items() if name.lower() == "uid" for value in values]
        for entry in entries
    ]
    if any(b"alice" not in values for values in uids):
        assert not found[0].values, "an entry of another key"


# --- files


@settings(max_examples=15)
@given(STORED)
def test_of_a_file(rows: list[tuple[str, ...]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        table = folder / "staff.json"
        table.write_text(json.dumps([dict(zip(COLUMNS, row, strict=False)) for row in rows]))
        one = replace(ONE, source=FileSource(str(table), "json"))
        try:
            make_index(one, folder, NOW)
        except GatewayError:
            return
        reader = FileReader(folder, one)
        try:
            found = reader.finding("alice", NOW)
        except DirectoryAway:
            return
        finally:
            reader.close()
        holds(found, parts(cell for row in rows if row[0] == "alice" for cell in row))


@pytest.mark.parametrize("provider", ["beta"])
def test_a_provider_whose_word_is_not_taken_gets_nothing(provider: str) -> None:
    found = finding_in(ONE, (), b'{"uid": "alice", "uai": "0590001A"}', {"uid": "alice"}, NOW)[0]
    known = known_with(replace(ALICE, provider=provider, findings=(found,)), (ONE,), NOW)
    assert known.attributes == HER_OWN
    assert "role" in known.left_out, "nor has the provider a say there"
