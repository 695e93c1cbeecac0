"""Every page but those named here: 95 % of the sentences have fewer than 25 words, none has over 40."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Made from the texts of gateway/.
GENERATED = ("docs/reference/configuration.md", "docs/reference/codes.md")
# Pages that still have long sentences. A page leaves this list when it is rewritten, and none is added.
LONG = [
    "docs/fr/ecrire-une-condition.md", "docs/how-to/write-a-condition.md", "docs/reference/teams.md",
]  # fmt: skip
PAGES = sorted(
    {"README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))}
    - {*GENERATED, *LONG}
)


def sentences(text: str) -> Iterator[str]:
    """A cell, an item and a title end a sentence. Code in a line is one word, a block of code none."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2|<!--.*?-->", "\n\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(?:^|(?<=\n\n))(?: {4}.*\n)+", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "x", text))
    for block in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.|#+) |\|| · |\n(?=\|)", text):
        yield from re.split(r"(?<=[.!?])(?:\s?[*)»”\"])*\s+", block)


def lengths(page: str) -> list[int]:
    """Words of each sentence. Fewer than four are no sentence, nor is a list of names of code."""
    counted = [re.findall(r"\w[\w'’.-]*", one) for one in sentences((ROOT / page).read_text())]
    return [len(words) for words in counted if len(words) >= 4 and set(words) - {"x", "x."}]


def are_short(found: list[int]) -> bool:
    return max(found) <= 40 and sum(words >= 25 for words in found) <= 0.05 * len(found)


@pytest.mark.parametrize("page", PAGES)
def test_sentences_are_short(page: str) -> None:
    assert are_short(lengths(page)), sorted(lengths(page))[-5:]


def test_the_pages_left_out_still_have_long_sentences() -> None:
    assert not [page for page in LONG if are_short(lengths(page))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x " * 41 + "\n- x. x\n\n`a b`", ["x " * 41, "x.", "x", "x"]),
        ("a b\n\n```yaml\nc: d\n```\n\ne f", ["a b", "e f"]),
        ("1. a b\n\n   ```yaml\n   c: d\n\n   e: f\n   ```\n\n2. g", ["1.", "a b", "2.", "g"]),
        ("a b:\n\n    make c   # d e f\n    make g\n\nh", ["a b:", "h"]),
        ("<!-- make nodes -->\na b", ["a b"]),
        ("**A b.** C d. (E f.) « G h. » I", ["**A b.", "C d.", "(E f.", "« G h.", "I"]),
        ("[a b](c.md) · [d](e.md)", ["[a b]", "[d]"]),
        ("| a | b. c |\n|---|---|\n| `d e` | f |", ["a", "b.", "c", "x", "f"]),
    ],
)
def test_sentences_are_told_apart(text: str, found: list[str]) -> None:
    assert [one.strip() for one in sentences(text) if re.search(r"\w", one)] == [one.strip() for one in found]
