"""The forms of single values in directories and files."""

import re
import unicodedata
from datetime import date
from typing import Final

from gateway.identity.mapping import LONGEST_VALUE

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSEE: Final = re.compile(r"(?:[0-9]{2}|2A|2B)[0-9]{3}")


def normalized(text: str) -> str:
    """The text in the form of mapped values: in NFC, without surrounding blanks."""
    return unicodedata.normalize("NFC", text.strip())


def has_form(text: str) -> bool:
    """Whether a text can be a value: not too long, and without control characters."""
    return len(text.encode("utf-8", "surrogatepass")) <= LONGEST_VALUE and _is_seen(text)


def is_date(text: str) -> bool:
    """As 2026-03-29."""
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def is_insee(text: str) -> bool:
    """The code of a commune in the Code officiel géographique, which is no postal code."""
    return _INSEE.fullmatch(text) is not None


def _is_seen(text: str) -> bool:
    return text.isprintable() or not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)
