"""Which language, and whether everything is in it."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import gateway.portal
from gateway.model.code_table import all_codes
from gateway.portal.http.i18n import LANGUAGES, catalogue, choose

PORTAL = Path(gateway.portal.__file__).parent


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
    untranslated = [text for text in sorted(in_codes() | in_templates()) if french.gettext(text) == text]
    assert in_templates()
    assert not untranslated, "add them to gateway/portal/locale/fr/LC_MESSAGES/ecluse.po"


def test_the_french_catalogue_has_no_text_that_is_not_used() -> None:
    with (PORTAL / "locale/fr/LC_MESSAGES/ecluse.po").open("rb") as file:
        known = {str(message.id) for message in read_po(file) if message.id}
    assert known - in_codes() - in_templates() == set()


def test_french_has_its_own_spaces() -> None:
    """No line may begin with a colon."""
    with (PORTAL / "locale/fr/LC_MESSAGES/ecluse.po").open("rb") as file:
        texts = [str(message.string) for message in read_po(file) if message.id]
    assert [text for text in texts if any(f" {mark}" in text for mark in ":;?!")] == []
    assert [text for text in texts if "'" in text] == []
