import base64
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import TRANSLATION_UNENCODABLE
from gateway.model.errors import GatewayError
from gateway.translation.charset import Encoding, encode

ENCODINGS: tuple[Encoding, ...] = ("utf8", "latin1", "percent", "base64")


@pytest.mark.parametrize(
    ("value", "encoding", "encoded"),
    [
        ("Dupont", "utf8", b"Dupont"),
        ("Dupont", "latin1", b"Dupont"),
        ("Dupont", "percent", b"Dupont"),
        ("Dupont", "base64", b"RHVwb250"),
        ("Élodie", "utf8", b"\xc3\x89lodie"),
        ("Élodie", "latin1", b"\xc9lodie"),
        ("Élodie", "percent", b"%C3%89lodie"),
        ("Élodie", "base64", b"w4lsb2RpZQ=="),
        # NFC first
        ("E\u0301lodie", "utf8", b"\xc3\x89lodie"),
        ("E\u0301lodie", "latin1", b"\xc9lodie"),
        ("E\u0301lodie", "percent", b"%C3%89lodie"),
        ("\u212a", "latin1", b"K"),
        ("Lætitia", "latin1", b"L\xe6titia"),
        ("a b;c,d/e%f~", "percent", b"a%20b%3Bc%2Cd%2Fe%25f~"),
        # White space at an end is hidden by these two
        (" a ", "percent", b"%20a%20"),
        (" a ", "base64", b"IGEg"),
        ("a  b", "utf8", b"a  b"),
        ("a\xa0b", "latin1", b"a\xa0b"),
        ("", "utf8", b""),
        ("", "base64", b""),
        # No line break, however long
        ("x" * 90, "base64", base64.b64encode(b"x" * 90)),
    ],
)
def test_encodings(value: str, encoding: Encoding, encoded: bytes) -> None:
    assert encode(value, encoding) == encoded


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\t", "\x1f", "\x7f", "\x80", "\x85", "\x9f", "\ud800"])
def test_control_characters_are_refused_however_they_would_be_hidden(encoding: Encoding, character: str) -> None:
    for value in (character, f"a{character}", f"{character}a", f"a{character}b"):
        for unencodable in ("refuse", "transliterate"):
            with pytest.raises(GatewayError) as refused:
                encode(value, encoding, unencodable)
            assert refused.value.code is TRANSLATION_UNENCODABLE


@pytest.mark.parametrize("encoding", ["utf8", "latin1"])
@pytest.mark.parametrize("blank", [" ", "\xa0"])
def test_white_space_that_would_be_lost_on_the_way_is_refused(encoding: Encoding, blank: str) -> None:
    """HS07: no value may arrive as `admin` that was not `admin` when policy saw it."""
    for value in (f"admin{blank}", f"{blank}admin", blank):
        with pytest.raises(GatewayError, match="white space"):
            encode(value, encoding)


@pytest.mark.parametrize("value", ["Cœur", "Ÿ", "10 €", "Dvořák", "ａｄｍｉｎ", "Ελένη", "\u200badmin"])
def test_what_iso_8859_1_lacks_is_refused_and_named_but_never_the_value(value: str) -> None:
    with pytest.raises(GatewayError, match=r"^translation.unencodable: U\+[0-9A-F]{4} is not in ISO 8859-1$"):
        encode(value, "latin1")


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


@pytest.mark.parametrize("value", ["ａｄｍｉｎ", "аdmin", "Ελένη", "\u200badmin", "ⓐdmin", "ﬁ", "𝐚dmin", "ẛ", "一"])
def test_look_alikes_are_not_transliterated(value: str) -> None:
    with pytest.raises(GatewayError):
        encode(value, "latin1", "transliterate")


def test_transliteration_makes_no_white_space_at_an_end() -> None:
    with pytest.raises(GatewayError, match="white space"):
        encode("admin\u202f", "latin1", "transliterate")


@given(st.text(max_size=30), st.sampled_from(ENCODINGS), st.sampled_from(["refuse", "transliterate"]))
def test_any_text_is_encoded_without_a_byte_that_ends_a_line_or_refused(value: str, encoding, unencodable) -> None:
    try:
        encoded = encode(value, encoding, unencodable)
    except GatewayError:
        return
    assert not any(byte < 0x20 or byte == 0x7F for byte in encoded)
    assert encoded == encoded.strip()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30))
def test_percent_and_base64_hide_everything_and_lose_nothing(value: str) -> None:
    assert unquote_to_bytes(encode(value, "percent")) == base64.b64decode(encode(value, "base64"))
