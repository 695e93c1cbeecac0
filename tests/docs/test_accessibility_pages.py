"""The table of RGAA 4.1: every criterion, alike in both languages, and tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
ENGLISH, FRENCH = DOCS / "explanation/accessibility.md", DOCS / "fr/accessibilite.md"
# RGAA 4.1: how many criteria each theme has.
CRITERIA = (9, 2, 3, 13, 8, 2, 5, 10, 4, 14, 13, 11, 12)
BY_EYE = "reading"

_ROW = re.compile(r"^\| ([0-9]+\.[0-9]+) \| (.+) \| ([a-z, ]+) \|$", re.MULTILINE)
_NAMED = re.compile(r"\*\*([a-z]+)\*\*\s+`([\w/]+\.py)::(\w+)`")


def rows(page: Path) -> list[tuple[str, str, list[str]]]:
    return [(number, here, tests.split(", ")) for number, here, tests in _ROW.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_every_criterion_is_there_once_in_its_order(page: Path) -> None:
    expected = [f"{theme}.{at + 1}" for theme, count in enumerate(CRITERIA, 1) for at in range(count)]
    assert [number for number, _, _ in rows(page)] == expected
    assert len(expected) == 106


@pytest.mark.parametrize("page", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_each_test_that_it_names_exists_and_each_row_names_one(page: Path) -> None:
    named = {word: (TESTS / path, test) for word, path, test in _NAMED.findall(page.read_text("utf-8"))}
    assert set(named) == {test for _, _, tests in rows(page) for test in tests} - {BY_EYE}
    for path, test in named.values():
        assert f"def {test}(" in path.read_text("utf-8"), f"{path} has no {test}"


def test_both_languages_say_the_same_of_each() -> None:
    for (number, here, tests), (_, ici, les_tests) in zip(rows(ENGLISH), rows(FRENCH), strict=True):
        assert tests == les_tests, number
        assert here.startswith("no matter") == ici.startswith("sans objet"), number
