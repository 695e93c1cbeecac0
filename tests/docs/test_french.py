"""French pages: what stands before `; : ? !` and within guillemets does not break a line."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "fr").glob("*.md"))
HOW_TOS = sorted((DOCS / "how-to").glob("*.md"))
# Code, addresses of links and tags are no French. As many characters stay, so that places are those of the page.
_NOT_FRENCH = (
    re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL),
    re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL),
    re.compile(r"(?<=\])\([^)]*\)"),
    re.compile(r"<[^<>\s][^<>]*>"),
    re.compile(r"https?://\S+"),
)
_BREAKS = re.compile(r"[ \n][;:?!»](?=[\s*)|]|$)|«[ \n]")
_LACKS = re.compile(r"[^\s\u00a0\u202f:*|-][;:?!](?=[\s*)|]|$)|[^\s\u00a0\u202f]»|«[^\s\u00a0\u202f]")


def french_of(text: str) -> str:
    for pattern in _NOT_FRENCH:
        text = pattern.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), text)
    return text


def faults(text: str) -> list[str]:
    french, lines = french_of(text), text.splitlines()
    found = sorted(one.start() for pattern in (_BREAKS, _LACKS) for one in pattern.finditer(french))
    numbers = [french.count("\n", 0, at) for at in found]
    return [f"{number + 1}: {lines[number]}" for number in dict.fromkeys(numbers)]


@pytest.mark.parametrize("page", HOW_TOS, ids=[page.stem for page in HOW_TOS])
def test_every_how_to_has_a_french_twin_and_each_names_the_other(page: Path) -> None:
    (name,) = re.findall(r"^\*\[En français\]\(\.\./fr/(\S+\.md)\)\*$", page.read_text(), re.MULTILINE)
    assert f"*[In English](../how-to/{page.name})*" in (DOCS / "fr" / name).read_text()


def test_the_table_of_contents_has_every_french_page() -> None:
    table = DOCS / "fr/README.md"
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", table.read_text()))
    assert listed == {page.name for page in PAGES} - {table.name}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_no_line_breaks_before_a_high_sign(page: Path) -> None:
    """U+202F before `; ? !`, U+00A0 before `:` and within guillemets: either is taken for the other."""
    assert faults(page.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "Deux mots : trois",
        "Vraiment ?",
        "Non; oui",
        "Voici: cela",
        "« mot\u00a0»",
        "«mot»",
        "`code` ; suite",
        "**Fin !**",
    ],
)
def test_a_fault_is_seen(line: str) -> None:
    assert faults(f"Avant.\n{line}\n") == [f"2: {line}"]


@pytest.mark.parametrize(
    "line",
    [
        "Deux mots\u00a0: trois",
        "Vraiment\u202f?",
        "à 18:00",
        "`a: b ; c`",
        "[x](https://a.example/?b)",
        "|:--|--:|",
        "«\u00a0mot\u00a0»",
    ],
)
def test_what_is_right_is_none(line: str) -> None:
    assert faults(f"Avant.\n{line}\n\n```yaml\nkey: {{a: b}} ; c\n```\n") == []
