"""Encode a text for an application, or refuse it: never with a replacement character."""

import base64
import unicodedata
from typing import Literal, assert_never
from urllib.parse import quote

from gateway.model.codes import TRANSLATION_UNENCODABLE
from gateway.model.errors import GatewayError

Encoding = Literal["utf8", "latin1", "percent", "base64"]
Unencodable = Literal["refuse", "transliterate"]

# Characters of French typography and names that ISO 8859-1 lacks, and letters that have no accent to remove.
_TRANSLITERATIONS = {
    "Œ": "OE", "œ": "oe", "Ÿ": "Y", "€": "EUR", "ẞ": "SS", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h",
    "ı": "i", "Ŋ": "N", "ŋ": "n", "Ŧ": "T", "ŧ": "t", "Ə": "E", "ə": "e",
    "‘": "'", "’": "'", "ʼ": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "‹": "<", "›": ">",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "…": "...", "•": "-", "™": "TM", "\u202f": "\xa0",
}  # fmt: skip


def encode(value: str, encoding: Encoding, unencodable: Unencodable = "refuse") -> bytes:
    """The bytes of a text, normalised to NFC. Raises GatewayError(TRANSLATION_UNENCODABLE), without the value in it.

    `percent` and `base64` encode UTF-8; `percent` leaves the unreserved characters of RFC 3986. `transliterate` is for
    names that people read, never for values that an application compares: `Ś` and `S` become the same.
    """
    text = unicodedata.normalize("NFC", value)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise GatewayError(TRANSLATION_UNENCODABLE, "a control character")
    match encoding:
        case "utf8":
            return _as_is(text).encode()
        case "latin1":
            return _latin1(_transliterated(text) if unencodable == "transliterate" else text)
        case "percent":
            return quote(text, safe="").encode("ascii")
        case "base64":
            return base64.b64encode(text.encode())
        case _:
            assert_never(encoding)


def _latin1(text: str) -> bytes:
    try:
        return _as_is(text).encode("latin-1")
    except UnicodeEncodeError as error:
        code_point = ord(text[error.start])
        raise GatewayError(TRANSLATION_UNENCODABLE, f"U+{code_point:04X} is not in ISO 8859-1") from None


def _as_is(text: str) -> str:
    # RFC 9110 5.5: white space around a value is no part of it, and servers trim more than they should.
    if text != text.strip():
        raise GatewayError(TRANSLATION_UNENCODABLE, "white space at an end, which would be lost on the way")
    return text


def _transliterated(text: str) -> str:
    return "".join(_nearest(character) for character in text)


def _nearest(character: str) -> str:
    """The letter without accents, if ISO 8859-1 lacks it. Full-width and other look-alikes stay, and are refused."""
    if ord(character) < 0x100:
        return character
    if character in _TRANSLITERATIONS:
        return _TRANSLITERATIONS[character]
    if unicodedata.combining(character):
        return ""
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) > 1 and all(unicodedata.combining(mark) for mark in decomposed[1:]):
        return _nearest(decomposed[0])
    return character
