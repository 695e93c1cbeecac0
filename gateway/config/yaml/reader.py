"""Reads a YAML document into plain values with their places. Refuses text with two readings.

Scalars follow the YAML 1.2 core schema, narrowed: `no`, `012` and `1:30` stay text. libyaml's parser gives the events;
PyYAML's own resolver and constructor do not run.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gateway.config.problems import Path, Place, Problem, key_path
from gateway.config.yaml.errors import no_break_space, not_utf8, syntax_error, unseen_character

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_PROBLEMS = 100

# YAML 1.2 10.3.2, without leading zeros: an author who writes 012 means a code, not a number.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,200}|0o[0-7]{1,200}|0x[0-9a-fA-F]{1,200})\Z")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*|(?=[eE])))(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
# Characters that YAML forbids, line ends that libyaml obeys and editors do not show, characters without width, and
# marks that change the order of what is shown: a comment must not hide a rule from its reviewer.
_UNSEEN = re.compile(
    "\r(?!\n)|[^\t\n\r -~\xa0-\xac\xae-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f\u206a-\ud7ff"
    "\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NO_BREAK_INDENTATION = re.compile("^[ \t]*[\xa0\u2007\u202f]", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Spot = tuple[int, int]
"""A line and a column, both from 0."""


_Event = Any
"""An event of libyaml's parser: `type` tells the class, and with it the fields."""


class _Node:
    """The place of a collection; `children` by key or index, `keys` the place of each key of a mapping."""

    __slots__ = ("children", "keys", "spot")

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.children: dict[str | int, _Node | Spot] = {}
        self.keys: dict[str, Spot] = {}


class YamlDocument:
    """A file as far as it could be read. `data` is made of dict, list, str, int, float, bool and None.

    `readable` is False after a syntax error: the rest of the file is unknown.
    """

    __slots__ = ("_lines", "_root", "data", "file", "readable")

    def __init__(self, file: str, text: str, data: object = None, root: _Node | Spot | None = None) -> None:
        self.file = file
        self.data = data
        self.readable = root is not None
        self._root = root or (0, 0)
        self._lines = text.split("\n")

    def at(self, spot: Spot) -> Place:
        line, column = spot
        source = self._lines[line].rstrip("\r") if line < len(self._lines) else ""
        return Place(self.file, line + 1, column + 1, source)

    def place(self, path: Path = (), *, key: bool = False) -> Place:
        """The place of the value at `path`, or of its key. If the path does not exist, the place of the nearest value
        above."""
        return self.at(self._spot(path, key))

    def problem(
        self, path: Path, message: str, hint: str = "", *, key: bool = False, others: tuple[tuple[str, Place], ...] = ()
    ) -> Problem:
        """A problem with the value at `path`, or with its key. `others`: places of colliding values."""
        return Problem(self.place(path, key=key), key_path(path), message, hint, others)

    @property
    def lines(self) -> int:
        return len(self._lines)

    def source(self, line: int) -> str:
        """The text of a line, from 1; empty beyond the file."""
        return self._lines[line - 1] if 0 < line <= len(self._lines) else ""

    def line(self, path: Path) -> int:
        """The line, from 1, of the value at `path`."""
        return self._spot(path, False)[0] + 1

    def _spot(self, path: Path, key: bool) -> Spot:
        node = self._root
        spot = _spot_of(node)
        for step in path:
            child = node.children.get(step) if isinstance(node, _Node) else None
            if child is None or isinstance(node, tuple):
                break
            spot = node.keys.get(step, (0, 0)) if key and isinstance(step, str) else _spot_of(child)
            node = child
        return spot


def _spot_of(node: _Node | Spot) -> Spot:
    return node.spot if isinstance(node, _Node) else node


def read_document(file: str, content: bytes) -> tuple[YamlDocument, list[Problem]]:
    """The document and every problem of its text. Never raises."""
    if len(content) > MAX_BYTES:
        return YamlDocument(file, ""), [Problem(Place(file, 1, 1), "", f"the file is larger than {MAX_BYTES >> 20} MB")]
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return YamlDocument(file, ""), [not_utf8(file, content, error.start)]
    blank = YamlDocument(file, text)
    if unseen := _UNSEEN.search(text):
        return blank, [unseen_character(blank.at(_spot_at(text, unseen.start())), unseen[0])]
    if no_break := _NO_BREAK_INDENTATION.search(text):
        return blank, [no_break_space(blank.at(_spot_at(text, no_break.end() - 1)))]
    reader = _Reader(blank)
    try:
        root = reader.read(text)
    except yaml.YAMLError as error:
        return blank, [*reader.problems, syntax_error(blank.at, error)]
    except _TooDeep as error:
        return blank, [*reader.problems, Problem(blank.at(error.spot), "", f"more than {MAX_DEPTH} levels deep")]
    return YamlDocument(file, text, reader.data, root), reader.problems


def _spot_at(text: str, offset: int) -> Spot:
    return text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1


def plain_value(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.match(text):
            return int(text, {"0o": 8, "0x": 16}.get(text.lstrip("+-")[:2], 10))
        if _FLOAT.match(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _TooDeep(Exception):
    def __init__(self, spot: Spot) -> None:
        super().__init__(spot)
        self.spot = spot


class _Frame:
    """A collection being read. `skip`: the next value is dropped, because its key was not accepted."""

    __slots__ = ("data", "key", "key_spot", "node", "skip", "wants_key")

    def __init__(self, data: dict[str, object] | list[object], node: _Node) -> None:
        self.data = data
        self.node = node
        self.wants_key = isinstance(data, dict)
        self.skip = False
        self.key = ""
        self.key_spot = (0, 0)


class _Reader:
    def __init__(self, document: YamlDocument) -> None:
        self.data: object = None
        self.problems: list[Problem] = []
        self._document = document
        self._stack: list[_Frame] = []
        self._root: _Node | Spot | None = None

    def read(self, text: str) -> _Node | Spot:
        """The tree of places; `data` and `problems` are filled. Raises yaml.YAMLError and _TooDeep."""
        parser: Any = yaml.CSafeLoader(text)
        try:
            while type(event := parser.get_event()) is not StreamEndEvent:
                if type(event) is DocumentStartEvent and not self._begin(event):
                    break
                self._take(event)
        finally:
            parser.dispose()
        if self._root is None:
            self._report((0, 0), "the file is empty")
        return self._root or (0, 0)

    def _begin(self, event: _Event) -> bool:
        spot = (event.start_mark.line, event.start_mark.column)
        if self._root is not None:
            self._report(spot, "a second document is not accepted: one file holds one")
            return False
        if event.version or event.tags:
            self._report(spot, "a directive is not accepted: begin with the first key")
        return True

    def _take(self, event: _Event) -> None:
        kind = type(event)
        mark = event.start_mark
        if kind is ScalarEvent:
            self._scalar(event, (mark.line, mark.column))
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close()
        elif kind is MappingStartEvent:
            self._open({}, (mark.line, mark.column), event)
        elif kind is SequenceStartEvent:
            self._open([], (mark.line, mark.column), event)
        elif kind is AliasEvent:
            self._alias((mark.line, mark.column))

    def _scalar(self, event: _Event, spot: Spot) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse_marks(event, spot)
        value: object = event.value
        plain = not event.style
        if plain:
            value = plain_value(event.value)
        elif event.style == '"' and _CONTROL.search(event.value):
            self._report(spot, "a control character is not accepted in a text")
        if self._stack and self._stack[-1].wants_key:
            self._key(self._stack[-1], value, spot, plain)
        else:
            self._put(value, spot)

    def _key(self, frame: _Frame, value: object, spot: Spot, plain: bool) -> None:
        frame.wants_key = False
        frame.skip = True
        if not isinstance(value, str):
            self._report(spot, "a key must be text", suggestion="put it in quotes if it is meant so")
        elif plain and value == "<<":
            self._report(spot, "a merge key (<<) is not accepted: write the keys out")
        elif value in frame.node.keys:
            first = self._document.at(frame.node.keys[value])
            self._report(spot, "this key is here twice", key=value, others=(("first at", first),))
        else:
            frame.skip = False
            frame.key = value
            frame.key_spot = spot

    def _open(self, data: dict[str, object] | list[object], spot: Spot, event: _Event) -> None:
        if event.tag is not None or event.anchor is not None:
            self._refuse_marks(event, spot)
        if len(self._stack) >= MAX_DEPTH:
            raise _TooDeep(spot)
        if self._stack and self._stack[-1].wants_key:
            self._report(spot, "a key must be text, not a list or a mapping")
        self._stack.append(_Frame(data, _Node(spot)))

    def _close(self) -> None:
        frame = self._stack.pop()
        self._put(frame.data, frame.node)

    def _put(self, value: object, node: _Node | Spot) -> None:
        """Puts a finished value into its collection. Skips the value of a key that was reported as no text."""
        if not self._stack:
            self.data, self._root = value, node
            return
        frame = self._stack[-1]
        if isinstance(frame.data, list):
            frame.node.children[len(frame.data)] = node
            frame.data.append(value)
        elif frame.wants_key:
            frame.wants_key, frame.skip = False, True
        else:
            frame.wants_key = True
            if not frame.skip:
                frame.data[frame.key] = value
                frame.node.children[frame.key] = node
                frame.node.keys[frame.key] = frame.key_spot

    def _alias(self, spot: Spot) -> None:
        self._report(spot, "an alias (*) is not accepted", suggestion="a text that begins with * needs quotes")
        self._put(None, spot)

    def _refuse_marks(self, event: _Event, spot: Spot) -> None:
        if event.anchor is not None:
            self._report(spot, "an anchor (&) is not accepted", suggestion="a text that begins with & needs quotes")
        if event.tag is not None:
            self._report(spot, "a tag (!) is not accepted", suggestion="a text that begins with ! needs quotes")

    def _report(
        self,
        spot: Spot,
        message: str,
        *,
        suggestion: str = "",
        key: str = "",
        others: tuple[tuple[str, Place], ...] = (),
    ) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            steps = [self._step(frame) for frame in self._stack]
            path = tuple(step for step in steps if step != "") + ((key,) if key else ())
            self.problems.append(Problem(self._document.at(spot), key_path(path), message, suggestion, others))

    @staticmethod
    def _step(frame: _Frame) -> str | int:
        if isinstance(frame.data, list):
            return len(frame.data)
        return "" if frame.wants_key or frame.skip else frame.key
