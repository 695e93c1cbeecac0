"""One layout for the files: two columns a level, no blanks at the ends of lines, one empty line at most, comments kept.

Works on the text, line by line, and never rewrites the content of a line. Refuses a change that would alter the
meaning."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.tokens import (
    BlockEndToken,
    BlockEntryToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    KeyToken,
    ScalarToken,
    StreamEndToken,
    StreamStartToken,
)

from gateway.config.problems import Problem
from gateway.config.yaml.reader import read_document

_STEP = 2
_ENTRIES = re.compile(r"\A(?:-\s+)+(?=\S)")
_COMMENT = re.compile(r"\s*#")


class NotLaidOut(Exception):
    """The text stays unchanged; the message has the reason."""


@dataclass(slots=True)
class _Block:
    """A mapping or list: the column that its lines begin at, as written and as laid out."""

    column: int
    laid_out: int
    is_mapping: bool
    flush: bool = False

    @property
    def inside(self) -> int:
        """The column at which the content of a key or entry begins."""
        return self.laid_out + (2 * _STEP if self.flush else _STEP)


def lay_out(file: str, content: bytes) -> bytes:
    """The text in the standard layout. Raises NotLaidOut for a text that cannot be read, or whose meaning would
    change."""
    text = content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    before, problems = read_document(file, content)
    if problems:
        raise NotLaidOut(_first(problems))
    laid_out = _lines(text)
    after, problems = read_document(file, laid_out.encode())
    if problems or after.data != before.data or _comments(laid_out) != _comments(text):
        raise NotLaidOut(f"{file}: it would read otherwise, so it is left as it is")
    return laid_out.encode()


def _first(problems: list[Problem]) -> str:
    return problems[0].render()


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if _COMMENT.match(line)]


def _lines(text: str) -> str:
    lines = text.split("\n")
    shifts = _shifts(text, len(lines))
    kept = set(_inside_scalars(text))
    moved = [
        line if number in kept and not line.strip() else _moved(line, shifts[number], strip=number not in kept)
        for number, line in enumerate(lines)
    ]
    once = [
        line
        for number, (line, before) in enumerate(zip(moved, ["", *moved], strict=False))
        if line or before or number in kept
    ]
    return "\n".join(once).strip("\n") + "\n"


def _moved(line: str, shift: int, *, strip: bool) -> str:
    text = line.lstrip(" ")
    indent = max(0, len(line) - len(text) + shift)
    if strip:
        # A list mark takes two columns: the mark and one blank.
        return (" " * indent + _ENTRIES.sub(lambda marks: "- " * marks[0].count("-"), text)).rstrip()
    return " " * indent + text


def _shifts(text: str, number: int) -> list[int]:
    """The columns by which the lines move. A line that continues a value moves with the value's first line, a comment
    with the line below."""
    found: dict[int, int] = {}
    for line, shift in _beginnings(text):
        found.setdefault(line, shift)
    lines = text.split("\n")
    shifts: list[int] = [0] * number
    current = 0
    for place in range(number):
        current = found.get(place, current)
        shifts[place] = current
    for place in range(number - 2, -1, -1):
        if place not in found and _COMMENT.match(lines[place]):
            shifts[place] = shifts[place + 1]
    return shifts


def _beginnings(text: str) -> Iterator[tuple[int, int]]:
    """The lines that a key or an entry of a block begins, and how far each moves."""
    stack: list[_Block] = []
    for token in _tokens(text):
        mark = token.start_mark
        match token:
            case BlockMappingStartToken() | BlockSequenceStartToken():
                stack.append(
                    _Block(mark.column, stack[-1].inside if stack else 0, isinstance(token, BlockMappingStartToken))
                )
            case BlockEndToken():
                stack.pop()
            case KeyToken() | BlockEntryToken() if stack and mark.column == stack[-1].column:
                block = stack[-1]
                # A list at the column of its key has no start token.
                block.flush = isinstance(token, BlockEntryToken) and block.is_mapping
                yield mark.line, block.laid_out + (_STEP if block.flush else 0) - block.column


def _tokens(text: str) -> list[Any]:
    return [token for token in yaml.scan(text) if not isinstance(token, StreamStartToken | StreamEndToken)]


def _inside_scalars(text: str) -> Iterator[int]:
    """The lines of a multi-line scalar after its first line: their blanks may be part of the text."""
    for token in _tokens(text):
        if isinstance(token, ScalarToken):
            last = token.end_mark.line - (token.style in ("|", ">"))
            yield from range(token.start_mark.line + 1, last + 1)
