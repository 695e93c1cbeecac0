"""The nearest letters in a charset, for names of people."""

import unicodedata
from collections.abc import Mapping
from typing import Final

# Characters of French typography and names, and letters that have no accent to remove.
_WRITTEN: Final[Mapping[str, str]] = {
    "Œ": "OE", "œ": "oe", "Ÿ": "Y", "€": "EUR", "ẞ": "SS", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h",
    "ı": "i", "Ŋ": "N", "ŋ": "n", "Ŧ": "T", "ŧ": "t", "Ə": "E", "ə": "e",
    "‘": "'", "’": "'", "ʼ": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "‹": "<", "›": ">",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "…": "...", "•": "-", "™": "TM", "\u202f": "\xa0",
    # Of ISO 8859-1, for ASCII; and what ISO 8859-15 put euro, accents and ligatures in the place of.
    "Æ": "AE", "æ": "ae", "ß": "ss", "Ø": "O", "ø": "o", "Ð": "D", "ð": "d", "Þ": "Th", "þ": "th", "\xa0": " ",
    "«": '"', "»": '"', "´": "'", "·": ".", "°": "o", "º": "o", "ª": "a", "²": "2", "³": "3", "¹": "1", "×": "x",
    "¼": "1/4", "½": "1/2", "¾": "3/4", "©": "(c)", "®": "(R)", "£": "GBP", "¥": "JPY",
}  # fmt: skip


def nearest(character: str, codec: str) -> str:
    """The character if the codec has it, else the letter without accents, or the usual replacement.

    Full-width letters and similar look-alikes stay, and the encoder refuses them.
    """
    if _has(codec, character):
        return character
    if character in _WRITTEN:
        return "".join(nearest(one, codec) for one in _WRITTEN[character])
    if unicodedata.combining(character):
        return ""
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) > 1 and all(unicodedata.combining(mark) for mark in decomposed[1:]):
        return nearest(decomposed[0], codec)
    return character


def _has(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
