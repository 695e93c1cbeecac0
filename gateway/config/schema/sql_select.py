"""The SELECT of a directory that is a database: one question, with `:column` where a part of the key stands."""

import re
from typing import Final

from gateway.config.schema.scalars import Wrong

# The order counts. A quoted text is one token (SQL 5.3, 5.4: a quote inside is doubled), and so is a cast (`::date`).
_TOKEN: Final = re.compile(
    r"""
    (?P<quoted> '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<cast> ::(?!:) )
    | :(?P<column> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<word> [A-Za-z0-9_]+ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLACEHOLDER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def pieces(text: str) -> tuple[str, ...]:
    """Text, column, text, column, text. Raises Wrong for what is not one SELECT, or could be read in two ways."""
    found, depth, before = [""], 0, ""
    for match in _TOKEN.finditer(text):
        token, kind = match[0], match.lastgroup
        if kind == "column":
            found += [match["column"], ""]
        else:
            depth += {"(": 1, ")": -1}.get(token, 0)
            _refuse(token, kind or "", before, depth)
            found[-1] += token
        before = token
    if depth:
        raise Wrong("a parenthesis is left open")
    if re.match(r"\s*(?:SELECT|WITH)\b", text, re.IGNORECASE) is None:
        raise Wrong("this is no SELECT", "SELECT uid, office FROM staff WHERE uid = :uid")
    return tuple(found)


def has_names_in_double_quotes(text: str) -> bool:
    return any(match[0].startswith('"') for match in _TOKEN.finditer(text))


def _refuse(token: str, kind: str, before: str, depth: int) -> None:
    if kind == "quoted" and before[-1:].isalnum() | (before[-1:] in ("_", "&", "$")):
        raise Wrong("a text with a letter before its quote is read differently by each database", "'...' alone")
    if token in ("'", '"'):
        raise Wrong("a quote is left open")
    if token in (";", "?", "$", "`", "\0") or (token == ":" and kind == "other"):
        raise Wrong(f"the sign {token} is none of this SELECT's", "values stand as :column, and nothing else")
    if (before, token) in (("-", "-"), ("/", "*")):
        raise Wrong("a comment may hide what is asked", "write it as a comment of this file")
    if depth < 0:
        raise Wrong("a parenthesis is closed that was not opened")


def is_placeholder(column: str) -> bool:
    return _PLACEHOLDER.fullmatch(column) is not None
