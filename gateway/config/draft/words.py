"""Single values as YAML: plain where each reader of YAML reads the same text, else in double quotes."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

# A letter first: no number, date, list mark or reserved sign begins with one.
_PLAIN: Final = re.compile(r"(?:\.\./)?[A-Za-z/][A-Za-z0-9_./:@+~-]*")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def scalar(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) is not None and not text.endswith(":") and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def sequence(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(scalar, texts))}]"


def mapping(texts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{scalar(key)}: {scalar(text)}' for key, text in texts.items())}}}"


def comment(text: str) -> str:
    """A comment in a single line: a provider's text must not add a line to the file."""
    return "# " + "".join(letter if letter.isprintable() else "?" for letter in text)
