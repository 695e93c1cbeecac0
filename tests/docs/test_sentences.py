"""README, tutorial and the most used how-tos: 95 % of the sentences have fewer than 25 words, none has over 40."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = ["README.md", "docs/tutorial/first-application.md"] + [
    f"docs/how-to/{name}.md"
    for name in (
        "install-it", "run-it", "put-an-application-behind", "add-an-identity-provider", "add-a-saml-provider",
        "change-a-policy", "write-a-path-rule", "understand-a-refusal", "send-headers-that-an-application-reads",
        "sign-people-out",
    )
]  # fmt: skip
FRENCH = [
    f"docs/fr/{name}.md"
    for name in (
        "premiere-application", "installer", "exploitation", "placer-une-application-derriere",
        "ajouter-un-fournisseur-openid", "ajouter-un-fournisseur-saml", "changer-une-regle",
        "ecrire-une-regle-de-chemin", "comprendre-un-refus", "envoyer-des-en-tetes", "deconnecter-les-personnes",
    )
]  # fmt: skip


def sentences(text: str) -> Iterator[str]:
    """A cell of a table, an item of a list and a title end a sentence; code in a line is one word."""
    text = re.sub(r"^```.*?^```", "\n\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "x", text))
    for block in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.|#+) |\||\n(?=\|)", text):
        yield from re.split(r"(?<=[.!?])\s+", block)


def lengths(page: str) -> list[int]:
    """Words of each sentence; fewer than four are no sentence."""
    counted = [len(re.findall(r"\w[\w'’.-]*", one)) for one in sentences((ROOT / page).read_text())]
    return [words for words in counted if words >= 4]


@pytest.mark.parametrize("page", ENGLISH + FRENCH)
def test_sentences_are_short(page: str) -> None:
    found = lengths(page)
    assert max(found) <= 40
    assert sum(words >= 25 for words in found) <= 0.05 * len(found)


def test_a_long_sentence_is_seen() -> None:
    assert [len(re.findall("x", one)) for one in sentences("x " * 41 + "\n- x. x\n\n`a b`")] == [41, 1, 1, 1]
