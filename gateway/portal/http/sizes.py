"""Sizes of files in units for people."""

from gettext import NullTranslations
from typing import Final

_BYTES: Final = "bytes"
# The largest first, by how many bytes they have.
_UNITS: Final = {"MB": 1 << 20, "KB": 1 << 10}
WORDS: Final = (*_UNITS, _BYTES)
"""The texts in the catalogues."""


def size(number: int, language: str, texts: NullTranslations) -> str:
    """Of `number` bytes: "1,5 Mo", "1.5 MB"."""
    for unit, least in _UNITS.items():
        if number >= least:
            figure = f"{number / least:.1f}"
            return f"{figure.replace('.', ',') if language == 'fr' else figure} {texts.gettext(unit)}"
    return f"{number} {texts.gettext(_BYTES)}"
