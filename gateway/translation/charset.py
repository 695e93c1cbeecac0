"""Encode a text for an application, or refuse it: never with a replacement character, never in part."""

import base64
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, Literal
from urllib.parse import quote, unquote

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.translation.nearest import nearest

Encoding = Literal[
    "utf8", "latin1", "latin9", "cp1252", "ascii", "percent-utf8", "base64", "braced-base64", "rfc2047", "rfc8187"
]  # fmt: skip
Unencodable = Literal["refuse", "transliterate", "percent", "drop"]

# By encoding that lacks letters: Python's codec, and the usual name.
LACKING: Final[Mapping[Encoding, tuple[str, str]]] = {
    "latin1": ("latin-1", "ISO 8859-1"),
    "latin9": ("iso8859-15", "ISO 8859-15"),
    "cp1252": ("cp1252", "windows-1252"),
    "ascii": ("ascii", "ASCII"),
}
# RFC 8187 3.2.1, attr-char: characters that stay unescaped, beside letters, digits and `-._~`.
_ATTRIBUTE_CHARACTERS: Final = "!#$&+^`|"
# RFC 2047 2: an encoded word has 75 characters at most, so 45 bytes of UTF-8.
_WORD_BYTES: Final = 45
# geOrchestra, SecurityHeaders.java, splits at commas and decodes parts with this beginning.
_BRACED: Final = "{base64}"
_WORDS: Final = re.compile(r"=\?UTF-8\?B\?([A-Za-z0-9+/]*={0,2})\?=(?: (?==\?)|$)")


def encode(value: str, encoding: Encoding, unencodable: Unencodable = "refuse") -> bytes | None:
    """The bytes of a text, normalised to NFC. None if the encoding lacks a letter and `unencodable` is "drop".

    "percent-utf8": escapes all but the unreserved characters of RFC 3986.
    "base64": of the UTF-8 bytes, without line breaks.
    "braced-base64", "rfc2047": leave plain ASCII unchanged.
    "transliterate": replaces a missing letter, for names that people read. Never for values that an application
    compares: `Ś` and `S` become the same.
    "percent": writes a missing letter, and every `%`, as percent-encoded UTF-8.
    Raises GatewayError, without the value in the text: translation_codes.CONTROL for a control character,
    translation_codes.UNENCODABLE for surrounding white space. No encoding would hide them: applications decode first
    and trim then.
    """
    text = unpadded(clean(value))
    match encoding:
        case "utf8":
            return text.encode()
        case "percent-utf8":
            return quote(text, safe="").encode("ascii")
        case "base64":
            return base64.b64encode(text.encode())
        case "braced-base64":
            return _braced(text)
        case "rfc2047":
            return _encoded_words(text).encode("ascii")
        case "rfc8187":
            return f"UTF-8''{quote(text, safe=_ATTRIBUTE_CHARACTERS)}".encode("ascii") if text else b""
        case "latin1" | "latin9" | "cp1252" | "ascii":
            return _with_codec(text, *LACKING[encoding], unencodable)


def clean(value: str) -> str:
    """The text in NFC. Raises GatewayError(translation_codes.CONTROL)."""
    text = unicodedata.normalize("NFC", value)
    # Printable texts, the usual case, need no look at single characters.
    if not text.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise GatewayError(translation_codes.CONTROL, "a control character")
    return text


def unpadded(text: str) -> str:
    """The text unchanged. Raises GatewayError(translation_codes.UNENCODABLE) for surrounding white space, which is not
    part of a value (RFC 9110 5.5), and which servers and applications trim differently.
    """
    if text != text.strip():
        raise GatewayError(translation_codes.UNENCODABLE, "white space at an end, which would be lost on the way")
    return text


def decode(value: bytes, encoding: Encoding, unencodable: Unencodable = "refuse") -> str:
    """Decodes bytes made by `encode`, for tools that show the text. Raises ValueError for other bytes."""
    match encoding:
        case "utf8":
            return value.decode()
        case "percent-utf8":
            return unquote(value.decode("ascii"), errors="strict")
        case "base64":
            return base64.b64decode(value, validate=True).decode()
        case "braced-base64":
            text = value.decode("ascii")
            if not text.startswith(_BRACED):
                return text
            return base64.b64decode(text.removeprefix(_BRACED), validate=True).decode()
        case "rfc2047":
            return _decoded_words(value.decode("ascii"))
        case "rfc8187":
            if value and not value.startswith(b"UTF-8''"):
                raise ValueError("not an extended value")
            return unquote(value.removeprefix(b"UTF-8''").decode("ascii"), errors="strict")
        case "latin1" | "latin9" | "cp1252" | "ascii":
            text = value.decode(LACKING[encoding][0])
            return unquote(text, errors="strict") if unencodable == "percent" else text


def _with_codec(text: str, codec: str, known_as: str, unencodable: Unencodable) -> bytes | None:
    if unencodable == "transliterate":
        text = "".join(nearest(character, codec) for character in text)
    elif unencodable == "percent":
        text = "".join(_percent(character, codec) for character in text)
    try:
        return unpadded(text).encode(codec)
    except UnicodeEncodeError as error:
        if unencodable == "drop":
            return None
        code_point = ord(text[error.start])
        raise GatewayError(translation_codes.UNENCODABLE, f"U+{code_point:04X} is not in {known_as}") from None


def _percent(character: str, codec: str) -> str:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return quote(character, safe="")
    return "%25" if character == "%" else character


def _braced(text: str) -> bytes:
    """Encodes a text that the reader would split or take for an encoded text."""
    if text.isascii() and "," not in text and not text.startswith(_BRACED):
        return text.encode("ascii")
    return _BRACED.encode("ascii") + base64.b64encode(text.encode())


def _encoded_words(text: str) -> str:
    """RFC 2047 4.1. Also encodes a text that looks like an encoded word, so that no reader decodes it by mistake."""
    if text.isascii() and "=?" not in text and text == text.strip():
        return text
    return " ".join(f"=?UTF-8?B?{base64.b64encode(piece.encode()).decode('ascii')}?=" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    piece, size = "", 0
    for character in text:
        more = len(character.encode())
        if size + more > _WORD_BYTES:
            yield piece
            piece, size = "", 0
        piece, size = piece + character, size + more
    yield piece


def _decoded_words(text: str) -> str:
    if not text.startswith("=?"):
        return text
    if "".join(match[0] for match in _WORDS.finditer(text)) != text:
        raise ValueError("not encoded words")
    return "".join(base64.b64decode(match[1], validate=True).decode() for match in _WORDS.finditer(text))
