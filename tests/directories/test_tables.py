"""Files of directories: what is no table is no source, and says in which line."""

import json
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directories import tables
from gateway.directories.tables import SEVERAL, rows_of
from gateway.model.errors import GatewayError
from tests.directories.samples import directory


def read(content: bytes, form: str = "csv", **source: Any) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    made = directory("/srv/t", form=form, **source)
    return [(row.key, row.cells) for row in rows_of(made, BytesIO(content))]


def refused(content: bytes, form: str = "csv", **source: Any) -> str:
    with pytest.raises(GatewayError) as error:
        read(content, form, **source)
    assert error.value.code.id == "directory.file"
    return error.value.detail


def test_columns_are_found_by_their_names_and_others_are_not_read() -> None:
    content = b'label,secret,uai,siret\n"Villeneuve, Nord",x,0590001A,21590350100017\n'
    assert read(content) == [(("21590350100017",), ("0590001A", "Villeneuve, Nord"))]


def test_a_mark_at_the_beginning_another_delimiter_and_an_old_encoding() -> None:
    assert read("\ufeffsiret;uai;label\n1;2;Œuf\n".encode(), delimiter=";") == [(("1",), ("2", "Œuf"))]
    assert read("siret,uai,label\n1,2,Œuf\n".encode("cp1252"), encoding="cp1252") == [(("1",), ("2", "Œuf"))]
    assert read(b"siret,uai,label\r\n1,2,3\r\n\r\n4,5,6\r\n") == [(("1",), ("2", "3")), (("4",), ("5", "6"))]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"), (b"siret,uai\n1,2\n", "0 columns are called label"),
        (b"siret,uai,label,uai\n1,2,3,4\n", "2 columns are called uai"),
        (b"siret,uai,label\n1,2\n", "line 2: 2 cells, where the first line has 3"),
        (b"siret,uai,label\n1,2,3\n4,5,6,7\n", "line 3: 4 cells"),
        (b'siret,uai,label\n1,"2,3\n', "line 2"), (b'siret,uai,label\n1,"2"x,3\n', "line 2"),
        (b"siret,uai,label\n1,2,\xe9\n", "the encoding is not utf-8 (save the file as UTF-8, or add encoding: cp1252)"),
        (b"siret,uai,label\n1,2,a\x1fb\n", "line 2: a control"),
        (b"siret,uai,label\n1,2,a\x00b\n", "line 2"),
        (b"siret,uai,label\n1,2," + b"x" * 70000 + b"\n", "line 2: a cell of more than 65536 characters"),
        (b"siret,uai,label\n1,2," + b"x" * 140_000 + b"\n", "line 2: field"),
        (b"siret,uai,label\n1,2,\xc2\x85\n", "line 2: a control"),
    ],
)  # fmt: skip
def test_what_is_no_table(content: bytes, said: str) -> None:
    found = refused(content)
    assert found.startswith(f"t: {said}")
    assert "xxxxx" not in found


def test_a_file_whose_first_line_is_not_divided_is_told_by_what() -> None:
    assert refused(b"siret;uai;label\n1;2;3\n").endswith('the delimiter (add delimiter: ";")')
    assert refused(b"siret\tuai\n1\t2\n").endswith(r'(add delimiter: "\t")')
    assert "add delimiter" not in refused(b"secret;of;others\n1;2;3\n")


@pytest.mark.parametrize("rounded", ["2,15904E+13", "2.15904E+13", "2E+13"])
def test_a_key_that_a_spreadsheet_has_rounded_is_told_and_other_columns_may_look_so(rounded: str) -> None:
    """Nobody would be found by it."""
    said = refused(f'siret,uai,label\n1,2,3\n"{rounded}",2,3\n'.encode())
    assert said.startswith("t: line 3: a spreadsheet has rounded a number of the key")
    assert read(f'siret,uai,label\n1,"{rounded}",E+1\n'.encode()) == [(("1",), (rounded, "E+1"))]


def test_json_is_an_array_of_objects() -> None:
    content = b'[{"siret": "1", "uai": ["2", "3"], "label": null, "x": {}}, {"siret": 4, "uai": true}]'
    assert read(content, "json") == [(("1",), (f"2{SEVERAL}3", "")), (("4",), ("true", ""))]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'[{"siret": 1.5}]', b'[{"siret": {}}]', b'[{"siret": "a", "siret": "b"}]', b"[NaN]",
     b'[{"siret": "\\u0000"}]', b'[{"siret": "\\ud800"}]', b'[{"siret": [["a"]]}]', b"[" * 100000, b"\xff"],
)  # fmt: skip
def test_what_is_no_json_of_ours(content: bytes) -> None:
    refused(content, "json")


@given(st.binary(max_size=200), st.sampled_from(["csv", "json"]))
def test_whatever_is_in_it_a_file_is_rows_or_one_error(content: bytes, form: str) -> None:
    with suppress(GatewayError):
        read(b"siret,uai,label\n" * (form == "csv") + content, form)


@pytest.mark.parametrize(
    "content", [b'{"key": "S3CRET-of-the-store"}\n', b"-----BEGIN PRIVATE KEY-----\nS3CRET\n", b"root:S3CRET:0\n1,2\n"]
)
def test_a_link_to_a_file_of_secrets_tells_no_line_of_it(content: bytes) -> None:
    found = refused(content)
    assert found.startswith("t: the first line names no column of this directory")
    assert "S3CRET" not in found
    assert "S3CRET" not in refused(content, "json")


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "@SUM(1)", "-2", "'; DROP TABLE entry; --", "${jndi:x}"])
def test_what_a_spreadsheet_or_a_database_would_run_is_text(cell: str) -> None:
    assert read(f'siret,uai,label\n1,2,"{cell}"\n'.encode()) == [(("1",), ("2", cell))]


@pytest.mark.parametrize("smuggled", ["a\r\nX-Remote-User: root", "a\nb", "a\rb", "a\x00b", "a\x1eb", "a\x7fb"])
def test_no_value_has_what_ends_a_header_or_a_cell(smuggled: str) -> None:
    assert "control character" in refused(f'siret,uai,label\n1,2,"{smuggled}"\n'.encode())
    assert "control character" in refused(json.dumps([{"siret": "1", "label": smuggled}]).encode(), "json")


def test_more_rows_or_more_json_than_is_bounded_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    assert "more than 1 rows" in refused(b"[{}, {}]", "json")
    monkeypatch.setattr(tables, "LARGEST_JSON", 4)
    assert "at most 4 bytes" in refused(b"[   ]", "json")
