"""The SELECT of a directory: what stands in the place of a value, and what is no SELECT."""

import pytest

from gateway.config.schema.scalars import Wrong
from gateway.config.schema.sql_select import has_names_in_double_quotes, is_placeholder, pieces


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT a FROM t WHERE uid = :uid", ["uid"]),
        ("select a from t where uid = :uid and town=:town or :uid is null", ["uid", "town", "uid"]),
        ("WITH x AS (SELECT 1) SELECT a FROM t WHERE a = ':no' AND b = '''; --:no' AND c = :c", ["c"]),
        ('SELECT "a:b" AS "c""d", e::date, f[1] FROM t WHERE e::text=:e', ["e"]),
        ("SELECT a - -1, b / 2 FROM t WHERE (a = (:a))", ["a"]),
        ("SELECT '2026-01-01T10:00:00' FROM t WHERE a LIKE '%?' AND a = :a", ["a"]),
        ("SELECT 1", []),
    ],
)
def test_values_stand_where_they_are_named_and_nowhere_within_a_text(text: str, columns: list[str]) -> None:
    found = pieces(text)
    assert list(found[1::2]) == columns
    assert "".join(f":{piece}" if at % 2 else piece for at, piece in enumerate(found)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DELETE FROM t WHERE a = :a", "this is no SELECT"),
        ("", "this is no SELECT"),
        ("SELECTED", "this is no SELECT"),
        ("EXPLAIN SELECT 1", "this is no SELECT"),
        ("SELECT 1; DELETE FROM t", "the sign ;"),
        ("SELECT 1 WHERE a = ?", "the sign ?"),
        ("SELECT 1 WHERE a = $1", "the sign $"),
        ("SELECT $$:a$$", "the sign $"),
        ("SELECT a[1:2]", "the sign :"),
        ("SELECT a :: date, :", "the sign :"),
        ("SELECT :::a", "the sign :"),
        ("SELECT `a`", "the sign `"),
        ("SELECT E'\\':a'", "a letter before its quote"),
        ("SELECT U&'x'", "a letter before its quote"),
        ("SELECT _'x'", "a letter before its quote"),
        ("SELECT 'a", "a quote is left open"),
        ('SELECT "a', "a quote is left open"),
        ("SELECT 1 -- :a", "a comment"),
        ("SELECT 1 /* :a */", "a comment"),
        ("SELECT 1) AS x, (SELECT 2", "a parenthesis is closed"),
        ("SELECT (1", "a parenthesis is left open"),
    ],
)
def test_what_is_no_select_or_reads_in_two_ways_is_refused(text: str, said: str) -> None:
    with pytest.raises(Wrong) as why:
        pieces(text)
    assert said in why.value.message


@pytest.mark.parametrize(
    ("column", "fits"), [("uid", True), ("_a1", True), ("code insee", False), ("1a", False), ("é", False)]
)
def test_a_placeholder_is_a_plain_name(column: str, fits: bool) -> None:
    assert is_placeholder(column) is fits


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ('SELECT "a" FROM t', True),
        ("SELECT 'a', t.\"b\" FROM t", True),
        ("SELECT [a] FROM t WHERE b = ':x' AND c = :c", False),
        ("SELECT 'a \"b\" c''\"d\"' FROM t", False),
    ],
)
def test_a_double_quote_within_a_text_begins_no_name(text: str, has: bool) -> None:
    assert has_names_in_double_quotes(text) is has
