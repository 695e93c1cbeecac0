"""Texts by language, and what is known of a logo."""

import pytest

from gateway.model.theme import ShownText, logo_kind, said_in


@pytest.mark.parametrize(
    ("texts", "language", "said"),
    [
        ({"fr": "a", "en": "b"}, "en", ShownText("b")),
        ({"": "a", "en": "b"}, "fr", ShownText("a")),
        ({"en": "b"}, "fr", ShownText("b", "en")),
        ({}, "fr", ShownText("")),
    ],
)
def test_a_text_is_said_in_the_readers_language_where_it_is_there(
    texts: dict[str, str], language: str, said: ShownText
) -> None:
    assert said_in(texts, language) == said


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"<svg/>", "image/svg+xml"),
        (b"\xef\xbb\xbf<!-- by hand -->\n<svg/>", "image/svg+xml"),
        (b"<html><svg/></html>", ""),
        (b"", ""),
    ],
)
def test_the_kind_of_a_logo_is_told_by_its_first_bytes(content: bytes, kind: str) -> None:
    assert logo_kind(content) == kind
