"""A SQLite file asked about people while another program writes to it."""

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.schema.sql_select import pieces
from gateway.directories.kinds import server_reader
from gateway.directories.source import DirectoryAway
from gateway.identity.directories import DirectoryFault, joined_key
from gateway.model.directory import Directory, DirectoryFinding, GivenAttribute, KeyPart, SqliteSource

NOW = 1_700_000_000
SELECT = "SELECT uid, uai, active FROM staff WHERE uid = :uid"
ENDLESS = f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) {SELECT} AND (SELECT max(x) FROM n) = 0"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path / "with space?&#.db")


def made(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE TABLE staff (uid TEXT COLLATE NOCASE, uai TEXT, active INTEGER, blob BLOB, pay REAL);"
            "INSERT INTO staff VALUES ('alice', '0590001A', 1, x'00', 1.5), ('bob', 'A', 0, NULL, NULL),"
            " ('bob', 'B', 7, NULL, NULL), ('50%', 'C', NULL, NULL, NULL),"
            " ('raw', CAST(x'ff' AS TEXT), NULL, NULL, NULL);"
        )
    return path


def directory(path: Path, select: str = SELECT, **changes: Any) -> Directory:
    gives = (GivenAttribute("active", "active", "boolean"), GivenAttribute("uai", "uai"))
    usual: dict[str, Any] = {
        "source": SqliteSource(str(path), pieces(select)),
        "key": (KeyPart("uid", "uid", providers=("alpha",)),),
        "gives": gives,
    }
    return Directory("staff", "f1", **(usual | {"rows": "one", "away": "refuse", "last": 0, "timeout": 1.0} | changes))


def asked(one: Directory, uid: str) -> tuple[DirectoryFinding, tuple[DirectoryFault, ...]]:
    with closing(server_reader(one)) as reader:
        return reader.finding(joined_key([uid]), NOW)


def away(one: Directory, uid: str = "alice") -> tuple[str, str]:
    with pytest.raises(DirectoryAway) as why:
        asked(one, uid)
    return why.value.code.id, why.value.detail


def test_a_person_is_known_by_their_own_row(path: Path) -> None:
    found, _ = asked(directory(path), "alice")
    assert (found.state, found.values) == ("found", {"active": ("true",), "uai": ("0590001A",)})
    assert asked(directory(path), "ALICE")[0].values == found.values
    assert asked(directory(path), "nobody")[0].state == "none"


@pytest.mark.parametrize("uid", ["' OR '1'='1", "x'; DROP TABLE staff; --", "?1", ":uid", "%", '"', "\\", "a*"])
def test_no_sign_of_a_value_is_one_of_the_statement(path: Path, uid: str) -> None:
    assert asked(directory(path), uid)[0].state == "none"
    assert asked(directory(path), "alice")[0].state == "found"


@pytest.mark.parametrize("how", ["LIKE", "GLOB"])
@pytest.mark.parametrize("uid", ["a%", "%", "a*", "alic?", "alic_"])
def test_what_the_statement_takes_for_the_same_is_another_key(path: Path, how: str, uid: str) -> None:
    found, _ = asked(directory(path, SELECT.replace("=", how)), uid)
    assert not found.values
    assert found.state == "none" or found.unknown == {"active", "uai"}


def test_two_rows_a_wrong_type_and_no_utf8_are_unknown(path: Path) -> None:
    found, faults = asked(directory(path), "bob")
    assert (found.unknown, [fault.code.id for fault in faults]) == ({"active", "uai"}, ["directory.rows"])
    found, faults = asked(directory(path, rows="many"), "bob")
    assert found.unknown == {"active", "uai"}, "7 is neither true nor false, and one UAI is meant"
    assert [fault.code.id for fault in faults] == ["directory.value", "directory.value"]
    assert asked(directory(path), "raw")[0].unknown == {"uai"}
    gives = (GivenAttribute("blob", "blob"), GivenAttribute("pay", "pay"))
    others = directory(path, "SELECT uid, blob, pay FROM staff WHERE uid = :uid", gives=gives)
    assert asked(others, "alice")[0].unknown == {"blob", "pay"}


@pytest.mark.parametrize(
    ("select", "code", "said"),
    [
        ("SELECT uai, active FROM staff WHERE uid = :uid", "answer", "no such column: found.uid"),
        ("SELECT uid, uai FROM staff WHERE uid = :uid", "answer", "no such column: found.active"),
        ("SELECT uid FROM nowhere WHERE uid = :uid", "answer", "no such table"),
        ("SELECT FROM WHERE :uid", "answer", "syntax error"),
        ("WITH x AS (DELETE FROM staff) SELECT * FROM x WHERE uid = :uid", "answer", "syntax error"),
        ("SELECT uid, hex(zeroblob(900000)) AS uai, 1 AS active FROM staff WHERE uid = :uid", "answer", "too big"),
        (ENDLESS, "unreachable", "interrupted"),
    ],
)
def test_what_is_no_select_of_ours_answers_nothing(path: Path, select: str, code: str, said: str) -> None:
    found, detail = away(directory(path, select, timeout=0.2))
    assert (found, said in detail) == (f"directory.{code}", True), detail
    assert asked(directory(path), "alice")[0].state == "found"


QUOTED = 'SELECT "uid", "uai", "active" FROM staff WHERE "uid" = :uid'
VIEW = "CREATE VIEW people(uid, uai, active) AS " + QUOTED.replace(' WHERE "uid" = :uid', "")
OF_VIEW = "SELECT uid, uai, active FROM people WHERE uid = :uid"
WITHOUT_UAI = "DROP TABLE staff; CREATE TABLE staff (uid TEXT, active INTEGER); INSERT INTO staff VALUES ('alice', 1)"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the schema and the refusal of such views are all there is")
@pytest.mark.parametrize("select", [QUOTED, OF_VIEW], ids=["select", "view"])
def test_a_quoted_column_that_is_gone_is_no_value_of_everybody(path: Path, select: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.executescript(VIEW)
        assert asked(directory(path, select), "alice")[0].values["uai"] == ("0590001A",)
        other.executescript(WITHOUT_UAI)
    code, detail = away(directory(path, select))
    assert (code, "no such column" in detail) == ("directory.answer", True), detail


def test_a_view_with_double_quotes_is_refused_where_they_may_be_a_text(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.executescript("CREATE VIEW plain AS SELECT [uid], uai, active FROM staff")
        monkeypatch.setattr(sys, "version_info", (3, 11, 2, "final", 0))
        assert asked(directory(path, OF_VIEW.replace("people", "plain")), "alice")[0].state == "found"
        other.executescript(VIEW)
    code, detail = away(directory(path, OF_VIEW))
    assert (code, 'the view "people" has double quotes' in detail) == ("directory.answer", True), detail


def test_much_in_many_rows_is_too_much(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        for _ in range(30):
            file.execute("INSERT INTO staff VALUES ('crowd', ?, 1, NULL, NULL)", ("x" * 50_000,))
        file.commit()
    assert away(directory(path, rows="many"), "crowd") == ("directory.answer", "its response has over 1048576 bytes")


def test_nothing_is_written_and_no_file_is_made(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    asked(directory(path), "alice")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, [path.name])
    assert away(directory(tmp_path / "none.db"))[0] == "directory.file"
    (tmp_path / "text.db").write_text("no database " * 200)
    assert away(directory(tmp_path / "text.db"))[0] == "directory.file"
    assert os.listdir(tmp_path) != ["none.db"]
    assert not (tmp_path / "none.db").exists()


def test_what_another_program_writes_counts_at_once_and_so_does_another_file(path: Path, tmp_path: Path) -> None:
    with closing(server_reader(directory(path))) as reader, closing(sqlite3.connect(path)) as other:
        assert reader.finding("alice", NOW)[0].values["uai"] == ("0590001A",)
        other.execute("UPDATE staff SET uai = 'new' WHERE uid = 'alice'")
        assert reader.finding("alice", NOW)[0].values["uai"] == ("0590001A",)
        other.commit()
        assert reader.finding("alice", NOW)[0].values["uai"] == ("new",)
        os.replace(made(tmp_path / "next.db"), path)
        assert reader.finding("alice", NOW)[0].values["uai"] == ("0590001A",)
        path.unlink()
        with pytest.raises(DirectoryAway) as why:
            reader.finding("alice", NOW)
        assert why.value.code.id == "directory.file"


def test_a_writer_that_holds_it_is_waited_for_no_longer_than_the_file_says(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert away(directory(path, timeout=0.3))[0] == "directory.unreachable"
        assert time.monotonic() - began < 4, "the five seconds of the module, if nobody says"
        other.execute("ROLLBACK")
    with closing(server_reader(directory(path))) as reader:
        reader.look()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_whatever_the_key_is_nobody_else_is_found(tmp_path_factory: pytest.TempPathFactory, uid: str) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.db"
    if not path.exists():
        made(path)
    found, _ = asked(directory(path, SELECT.replace("=", "LIKE"), rows="many"), uid)
    assert not found.values or uid.lower() in ("alice", "bob", "50%", "raw")
