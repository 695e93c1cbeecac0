"""Which language, and whether everything is in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import gateway.portal
from gateway.model.codes.table import all_codes
from gateway.portal.http import moments, sizes
from gateway.portal.http.i18n import LANGUAGES, catalogue, choose

PORTAL = Path(gateway.portal.__file__).parent
IN_FIGURES = {*moments.WORDS, *sizes.WORDS}
FRENCH = re.compile("[àâäçéèêëîïôöùûüœæÀÂÇÉÈÊËÎÏÔÛŒ«»]")
_SMALL = "le|la|les|des|du|une|est|vous|votre|pour|dans|avec|sur|pas|que|qui|aux|cette|sont"
SMALL_WORDS = re.compile(rf"\b(?:{_SMALL})\b", re.IGNORECASE)
# Below gateway/, what has French in it and is on no page of ours as a text.
NO_TEXTS = {
    # For operators, in English, who read what French things and letters are called.
    "cli/main.py", "config/schema/json_schema.py", "config/schema/organisations.py", "config/schema/theme.py",
    "directories/elus.py", "lint/about_encodings.py", "lint/rules.py", "wire/front_overrides.py",
    # Letters.
    "identity/organisation_words.py", "translation/nearest.py",
    # Names: of a language for itself, and of what law makes of communes, as the table that is imported has them.
    "organisations/etalab.py", "wire/cookies.py",
}  # fmt: skip
# Of a template: what is said in the catalogues' words, and what the program reads.
NOT_SAID = re.compile(r"{%-? trans.*?endtrans -?%}|{%.*?%}|{{.*?}}|<(style|script)\b.*?</\1>", re.DOTALL)
SAID = re.compile(r">[^<]*[^\W\d_]{2}|\b(?:alt|title|placeholder|aria-label)=\"[^\"]*[^\W\d_]{2}")


def in_templates() -> set[str]:
    found = (
        one
        for folder in ("templates", "templates_dsfr")
        for one in extract_from_dir(
            str(PORTAL / folder),
            [("**.html", "jinja2.ext:babel_extract")],
            options_map={"**.html": {"trimmed": "true"}},
        )
    )
    return {str(message) for _, _, message, _, _ in found}


def in_codes() -> set[str]:
    return {text for code in all_codes() for text in (code.title, code.advice) if text}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("fr", "fr"),
        ("en", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,en;q=0.5,fr;q=0.7", "fr"),
        ("EN-us", "en"),
        ("de", "fr"),
        ("*", "fr"),
        ("en;q=0", "fr"),
        ("fr;q=0,en;q=0.1", "en"),
        ("en;q=nan,fr;q=0.1", "fr"),
        ("en;q=inf", "en"),
        ("en;q=-1", "fr"),
        ("en;level=1", "fr"),
        (";;;,,,q=1", "fr"),
        ("x," * 500 + "en", "fr"),
        ("x" * 300 + ",en", "fr"),
        (" en ; q=1 ", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_prefers(header: str, language: str) -> None:
    assert choose(header) == language


@given(st.text())
def test_any_header_gives_a_language(header: str) -> None:
    assert choose(header) in LANGUAGES


def test_every_text_of_the_table_of_codes_and_of_the_templates_is_in_french() -> None:
    french = catalogue("fr")
    untranslated = [text for text in sorted(in_codes() | in_templates() | IN_FIGURES) if french.gettext(text) == text]
    assert in_templates()
    assert not untranslated, "add them to gateway/portal/locale/fr/LC_MESSAGES/ecluse.po"


def test_the_french_catalogue_has_no_text_that_is_not_used() -> None:
    with (PORTAL / "locale/fr/LC_MESSAGES/ecluse.po").open("rb") as file:
        known = {str(message.id) for message in read_po(file) if message.id}
    assert known - in_codes() - in_templates() - IN_FIGURES == set()


def is_french(text: str) -> bool:
    return bool(FRENCH.search(text)) or len({word.lower() for word in SMALL_WORDS.findall(text)}) > 1


def french_texts(source: str) -> Iterator[str]:
    """What it writes; not what it says of itself."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in said else None
        if isinstance(text, str) and is_french(text):
            yield text


def test_the_catalogue_alone_has_french() -> None:
    root = PORTAL.parent
    found = {str(path.relative_to(root)) for path in root.rglob("*.py") if [*french_texts(path.read_text("utf-8"))]}
    assert found == NO_TEXTS
    assert [*french_texts('"""Présent."""\nx = "Le portail vous connecte."\ny = "fermée", "a la carte"')] == [
        "Le portail vous connecte.", "fermée",
    ]  # fmt: skip


def test_a_template_says_nothing_that_is_in_no_catalogue() -> None:
    found = {
        path.name: said
        for path in PORTAL.glob("templates*/*.html")
        if (said := SAID.findall(NOT_SAID.sub("", path.read_text("utf-8"))))
    }
    assert found == {}
    assert SAID.search(NOT_SAID.sub("", "<p>{% trans %}Sign in{% endtrans %} now</p>"))
    assert SAID.search('<nav aria-label="Menu">')


def french() -> list[str]:
    with (PORTAL / "locale/fr/LC_MESSAGES/ecluse.po").open("rb") as file:
        return [str(message.string) for message in read_po(file) if message.id]


def test_french_is_for_everybody_and_read_aloud_as_it_is_written() -> None:
    """No `connecté(e)`, no `agent·es`."""
    assert [text for text in french() if re.search(r"\w\(\w|[·⋅•]|\w/\w", text)] == []


def test_french_takes_nobody_for_a_man() -> None:
    """No `vous êtes connecté`: what is said agrees with the session, the account or the person."""
    as_one = re.compile(r"\b(?:êtes|étiez|serez|être|été) \w+[éiu]\b", re.IGNORECASE)
    of_you = re.compile(r"\bvous\b[^.,:;]*", re.IGNORECASE)
    assert [text for text in french() if any(as_one.search(part) for part in of_you.findall(text))] == []
    assert as_one.search("Vous vous êtes connecté ailleurs")


def test_french_has_its_own_spaces() -> None:
    """No line may begin with a colon."""
    texts = french()
    assert [text for text in texts if any(f" {mark}" in text for mark in ":;?!")] == []
    assert [text for text in texts if "'" in text] == []
