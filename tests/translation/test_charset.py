import base64
import unicodedata
from email.header import decode_header
from email.utils import decode_rfc2231
from typing import get_args
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.translation.charset import LACKING, Encoding, Unencodable, decode, encode

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)


@pytest.mark.parametrize(
    ("value", "encoding", "encoded"),
    [
        ("Dupont", "utf8", b"Dupont"),
        ("Dupont", "latin1", b"Dupont"),
        ("Dupont", "percent-utf8", b"Dupont"),
        ("Dupont", "base64", b"RHVwb250"),
        ("Élodie", "utf8", b"\xc3\x89lodie"),
        ("Élodie", "latin1", b"\xc9lodie"),
        ("Élodie", "percent-utf8", b"%C3%89lodie"),
        ("Élodie", "base64", b"w4lsb2RpZQ=="),
        # NFC first
        ("E\u0301lodie", "utf8", b"\xc3\x89lodie"),
        ("E\u0301lodie", "latin1", b"\xc9lodie"),
        ("E\u0301lodie", "percent-utf8", b"%C3%89lodie"),
        ("\u212a", "latin1", b"K"),
        ("Lætitia", "latin1", b"L\xe6titia"),
        ("a b;c,d/e%f~", "percent-utf8", b"a%20b%3Bc%2Cd%2Fe%25f~"),
        ("Œuvre 10 € Žofie", "latin9", b"\xbcuvre 10 \xa4 \xb4ofie"),
        ("Œuvre 10 € l’été", "cp1252", b"\x8cuvre 10 \x80 l\x92\xe9t\xe9"),
        ("Helene", "ascii", b"Helene"),
        # As geOrchestra's own test has it
        ("François", "braced-base64", b"{base64}RnJhbsOnb2lz"),
        ("Helene", "braced-base64", b"Helene"),
        ("", "braced-base64", b""),
        ("Leb, H", "braced-base64", b"{base64}TGViLCBI"),
        ("{base64}YWRtaW4=", "braced-base64", b"{base64}e2Jhc2U2NH1ZV1J0YVc0PQ=="),
        ("Helene", "rfc2047", b"Helene"),
        ("Élodie", "rfc2047", b"=?UTF-8?B?w4lsb2RpZQ==?="),
        # RFC 8187 3.2.3
        ("\u00a3 and \u20ac rates", "rfc8187", b"UTF-8''%C2%A3%20and%20%E2%82%AC%20rates"),
        ("", "rfc8187", b""),
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
        for unencodable in get_args(Unencodable):
            with pytest.raises(GatewayError) as refused:
                encode(value, encoding, unencodable)
            assert refused.value.code is translation_codes.CONTROL


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("blank", [" ", "\xa0", "\u3000"])
def test_white_space_that_would_be_lost_on_the_way_is_refused(encoding: Encoding, blank: str) -> None:
    """HS07: no value may arrive as `admin` that was not `admin` when policy saw it. What hides the blank on the way is
    decoded by the application, which trims then."""
    for value in (f"admin{blank}", f"{blank}admin", blank):
        with pytest.raises(GatewayError, match="white space"):
            encode(value, encoding)


@pytest.mark.parametrize("value", ["Cœur", "Ÿ", "10 €", "Dvořák", "ａｄｍｉｎ", "Ελένη", "\u200badmin"])
def test_what_iso_8859_1_lacks_is_refused_and_named_but_never_the_value(value: str) -> None:
    with pytest.raises(GatewayError, match=r"^translation.unencodable: U\+[0-9A-F]{4} is not in ISO 8859-1$"):
        encode(value, "latin1")


@given(st.text(max_size=30), st.sampled_from(ENCODINGS), st.sampled_from(get_args(Unencodable)))
def test_any_text_is_encoded_without_a_byte_that_ends_a_line_or_refused(value: str, encoding, unencodable) -> None:
    try:
        encoded = encode(value, encoding, unencodable)
    except GatewayError:
        return
    if encoded is None:
        assert unencodable == "drop"
        return
    assert not any(byte < 0x20 or byte == 0x7F for byte in encoded)
    assert encoded == encoded.strip()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30))
def test_percent_and_base64_hide_everything_and_lose_nothing(value: str) -> None:
    if value == value.strip():
        assert unquote_to_bytes(encode(value, "percent-utf8")) == base64.b64decode(encode(value, "base64"))


# --- every letter of Unicode's Latin blocks ---

# Basic Latin to Extended-B, IPA, modifier letters; phonetic extensions, Extended Additional; superscripts, subscripts,
# letterlike symbols and number forms; Extended-C, -D and -E; ligatures, full width; Extended-F and -G.
_BLOCKS = (
    (0x20, 0x2FF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2070, 0x209C), (0x2100, 0x218B), (0x2C60, 0x2C7F),
    (0xA720, 0xA7FF), (0xAB30, 0xAB6F), (0xFB00, 0xFB06), (0xFF00, 0xFF5E), (0x10780, 0x107BF), (0x1DF00, 0x1DFFF),
)  # fmt: skip
LETTERS = [
    chr(code)
    for first, last in _BLOCKS
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)) not in {"Cc", "Cn"}
]


def test_the_blocks_have_every_latin_letter_of_unicode() -> None:
    every = {one for one in map(chr, range(0x110000)) if unicodedata.category(one)[0] == "L"}
    assert {one for one in every if "LATIN" in unicodedata.name(one, "").split()} <= set(LETTERS)


def by_georchestra(value: str) -> str:
    """Its SecurityHeaders.decode: parts between commas, each by itself."""
    parts = (part.partition("{base64}") for part in value.split(","))
    return ",".join(
        base64.b64decode(end).decode() if mark and not begin else begin + mark + end for begin, mark, end in parts
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=9), max_size=3), st.booleans())
def test_georchestra_finds_the_text_whatever_commas_and_braces_it_has(parts: list[str], braces: bool) -> None:
    text = unicodedata.normalize("NFC", ("{base64}" if braces else "") + ",".join(parts)).strip()
    encoded = encode(text, "braced-base64")
    assert encoded is not None
    assert encoded.isascii()
    assert by_georchestra(encoded.decode("ascii")) == text
    assert decode(encoded, "braced-base64") == text


def by_another_reader(encoded: bytes, encoding: Encoding) -> str:
    """As the application's own library reads it."""
    match encoding:
        case "rfc2047":
            parts = decode_header(encoded.decode("ascii"))
            return "".join(text if isinstance(text, str) else text.decode(name or "ascii") for text, name in parts)
        case "rfc8187":
            charset, _, text = decode_rfc2231(encoded.decode("ascii"))
            return unquote(text, encoding=charset, errors="strict")
        case "percent-utf8":
            return unquote_to_bytes(encoded).decode()
        case "base64":
            return base64.b64decode(encoded).decode()
        case "braced-base64":
            return by_georchestra(encoded.decode("ascii"))
        case _:
            return encoded.decode(
                {"utf8": "utf-8", "latin9": "iso8859-15", "latin1": "latin-1"}.get(encoding, encoding)
            )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_latin_letter_comes_back_or_is_refused_where_the_encoding_lacks_it(encoding: Encoding) -> None:
    assert len(LETTERS) > 1800
    for letter in LETTERS:
        for value in (f"a{letter}b", "x" + letter * 40 + "x"):
            text = unicodedata.normalize("NFC", value)
            if encoding in LACKING and not _has(LACKING[encoding][0], text):
                with pytest.raises(GatewayError, match="is not in"):
                    encode(value, encoding)
                assert encode(value, encoding, "drop") is None
            else:
                encoded = encode(value, encoding)
                assert encoded is not None
                assert by_another_reader(encoded, encoding) == text
                assert decode(encoded, encoding) == text


@pytest.mark.parametrize("encoding", LACKING)
def test_every_latin_letter_comes_back_from_percent(encoding: Encoding) -> None:
    for letter in LETTERS:
        encoded = encode(f"100 %{letter}b", encoding, "percent")
        assert encoded is not None
        text = encoded.decode(LACKING[encoding][0])
        assert unquote(text, errors="strict") == unicodedata.normalize("NFC", f"100 %{letter}b")
        assert decode(encoded, encoding, "percent") == unicodedata.normalize("NFC", f"100 %{letter}b")


def _has(codec: str, text: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80))
def test_encoded_words_are_short_and_none_is_taken_for_one(value: str) -> None:
    try:
        encoded = encode(value, "rfc2047")
    except GatewayError:
        return
    assert encoded is not None
    if not value.isascii() or "=?" in value:
        assert all(len(word) <= 75 for word in encoded.split(b" "))
    assert decode(encoded, "rfc2047") == unicodedata.normalize("NFC", value)


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        (b"=?UTF-8?B?w4k=?= x", "rfc2047"), (b"=?UTF-8?Q?a?=", "rfc2047"), (b"abc", "rfc8187"), (b"\xff", "utf8"),
        (b"%FF", "percent-utf8"), (b"{base64}a", "braced-base64"), (b"\xe9", "braced-base64"), (b"a", "base64"),
        (b"\xe9", "ascii"),
    ],
)  # fmt: skip
def test_what_is_not_so_encoded_is_told(encoded: bytes, encoding: Encoding) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(encoded, encoding)
