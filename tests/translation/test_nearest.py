import unicodedata

import pytest

from gateway.model.errors import GatewayError
from gateway.translation.charset import LACKING, Encoding, decode, encode
from tests.translation.test_charset import LETTERS


@pytest.mark.parametrize(
    ("value", "near"),
    [
        ("Élodie", "Élodie"),
        ("Lætitia Cœur", "Lætitia Coeur"),
        ("ŒUVRE", "OEUVRE"),
        ("L’Haÿ-les-Roses – mairie…", "L'Haÿ-les-Roses - mairie..."),
        ("Dvořák", "Dvorák"),
        ("Łukasz Đặng", "Lukasz Dang"),
        ("ŞİŽ", "SIZ"),
        ("10 €", "10 EUR"),
        ("Ǽ", "Æ"),
        ("x\u0302y", "xy"),
        ("a\u202fb", "a\xa0b"),
    ],
)
def test_transliteration_takes_off_what_iso_8859_1_lacks_and_nothing_else(value: str, near: str) -> None:
    assert encode(value, "latin1", "transliterate") == near.encode("latin-1")


@pytest.mark.parametrize(
    ("value", "encoding", "near"),
    [
        ("Hélène Lebœuf-Müller, Cœur d’Yvelines", "ascii", "Helene Leboeuf-Muller, Coeur d'Yvelines"),
        ("Ægir Øst Þór Straße «n° 2»\xa0!", "ascii", 'AEgir Ost Thor Strasse "no 2" !'),
        ("Cœur", "latin9", "Cœur"),
        ("Dvořák – l’été", "cp1252", "Dvorák – l’été"),
    ],
)
def test_transliteration_leaves_what_the_encoding_has(value: str, encoding: Encoding, near: str) -> None:
    encoded = encode(value, encoding, "transliterate")
    assert encoded is not None
    assert decode(encoded, encoding) == near


@pytest.mark.parametrize("value", ["ａｄｍｉｎ", "аdmin", "Ελένη", "\u200badmin", "ⓐdmin", "ﬁ", "𝐚dmin", "ẛ", "一"])
def test_look_alikes_are_not_transliterated(value: str) -> None:
    with pytest.raises(GatewayError):
        encode(value, "latin1", "transliterate")


def test_transliteration_makes_no_white_space_at_an_end() -> None:
    with pytest.raises(GatewayError, match="white space"):
        encode("admin\u202f", "latin1", "transliterate")


@pytest.mark.parametrize("encoding", LACKING)
def test_every_latin_letter_is_transliterated_to_letters_of_the_encoding_or_refused(encoding: Encoding) -> None:
    plain = set()
    for letter in LETTERS:
        try:
            encoded = encode(f"a{letter}b", encoding, "transliterate")
        except GatewayError:
            continue
        assert encoded is not None
        assert decode(encoded, encoding)[0 :: len(encoded) - 1] == "ab"
        plain.add(letter)
    # Every accented letter that is written with one of a to z, in one encoding or the other.
    accented = {one for one in LETTERS if unicodedata.normalize("NFD", one)[0].isascii() and one.isalpha()}
    assert accented <= plain
