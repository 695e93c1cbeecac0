"""The size of the automaton of an RE2 expression.

RE2 builds the states of the automaton as it reads, and keeps as many as its memory holds. Where all states fit, a
letter takes some 3 ns. For `.*a.{20}` there are too many states: RE2 builds a state at nearly every letter, which takes
a hundred times as long.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

_MOST_POSITIONS: Final = 2500
_MOST_TRANSITIONS: Final = 20_000
_MEMORY: Final = 250_000
_STATE: Final = 150
"""Bytes. The memory that RE2 has for states in any case, and the size of a state."""
_SHARED: Final = 1024

_REPEAT: Final = re.compile(r"([*+?]|\{([0-9]++)(,?)([0-9]*+)\})\??")
_GROUP: Final = re.compile(r"\((?:\?P?<\w+>|\?([a-zA-Z]*)(?:-[a-zA-Z]*)?:|(?!\?))")
_FLAGS: Final = re.compile(r"\(\?([a-zA-Z]*)(?:-[a-zA-Z]*)?\)")
_CATEGORY: Final = re.compile(r"[pP](?:\{(\^?)(\w+)\}|(\w))")
_CODE: Final = re.compile(r"x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|([0-7]{1,3})")
_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_NAMED: Final = re.compile(r"\[:(\^?)(\w+):\]")


def _symbols(letters: str) -> int:
    """A set of symbols as bits: one bit for each letter of ASCII, and the last bit for every other letter."""
    found = 0
    for letter in letters:
        found |= 1 << min(ord(letter), _OTHER)
    return found


_OTHER: Final = 128
_EVERY: Final = (1 << _OTHER + 1) - 1
_ASCII: Final = "".join(map(chr, range(_OTHER)))
_LETTERS: Final = _symbols("".join(filter(str.isalpha, _ASCII)))
_DIGITS: Final = _symbols("0123456789")
_BLANKS: Final = _symbols(" \t\n\f\r")
_WORDS: Final = _LETTERS | _DIGITS | _symbols("_")
_CLASSES: Final = {"d": _DIGITS, "s": _BLANKS, "w": _WORDS}
_NAMED_CLASSES: Final = {
    "alnum": _LETTERS | _DIGITS, "alpha": _LETTERS, "digit": _DIGITS, "space": _BLANKS, "word": _WORDS,
    "lower": _symbols("abcdefghijklmnopqrstuvwxyz"), "upper": _symbols("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "xdigit": _symbols("0123456789abcdefABCDEF"),
}  # fmt: skip
_CONTROLS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BETWEEN_LETTERS: Final = ("^", "$", "\\A", "\\b", "\\B", "\\z")
_ALPHABET: Final = (1 << 26) - 1


class _TooLarge(Exception):
    """The expression has too many positions."""


class Automaton(NamedTuple):
    """`transitions`: the number of transitions between the states. None: the states may not fit.
    `largest`: the number of positions in the largest state found. RE2 runs through all positions to build a state.
    """

    transitions: int | None
    largest: int


class _Part(NamedTuple):
    """A part of an expression. `first`, `last`: its positions, as bits, where reading may begin and end."""

    may_be_empty: bool
    first: int
    last: int


_EMPTY: Final = _Part(True, 0, 0)


@lru_cache(_SHARED)
def automaton(source: str) -> Automaton:
    """`source`: a valid RE2 expression, to be compared with whole texts."""
    try:
        expression = _Expression(source)
    except _TooLarge:
        return Automaton(None, _MOST_POSITIONS)
    alphabet = expression.alphabet()
    todo, seen = [expression.whole.first], {expression.whole.first}
    found = size = largest = 0
    while todo:
        reached = todo.pop()
        largest = max(largest, reached.bit_count())
        found += len(alphabet)
        size += _STATE + 8 * len(alphabet) + 4 * reached.bit_count()
        if found > _MOST_TRANSITIONS or size > _MEMORY:
            return Automaton(None, largest)
        states = {expression.after(reached & taken) for taken in alphabet} - seen
        seen |= states
        # The largest goes first: where states grow, they are seen to.
        todo += sorted(states, key=int.bit_count)
    return Automaton(found, largest)


class _Expression:
    """The positions of an expression: each letter or class, once all repeats are written out.

    `whole`: the expression as a part.
    """

    __slots__ = ("_at", "_followed_by", "_ignores_case", "_source", "_taken", "whole")

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._ignores_case = False
        # By position: its symbols, and the positions that may follow, as bits.
        self._taken: list[int] = []
        self._followed_by: list[int] = []
        self.whole = self._alternatives()

    def alphabet(self) -> list[int]:
        """For each kind of letter, the positions that take the letter."""
        kinds = [_EVERY]
        for symbols in set(self._taken):
            kinds = [kind for one in kinds for kind in (one & symbols, one & ~symbols) if kind]
        return [sum(1 << at for at, symbols in enumerate(self._taken) if symbols & kind) for kind in kinds]

    def after(self, positions: int) -> int:
        found = 0
        for at in _each(positions):
            found |= self._followed_by[at]
        return found

    def _alternatives(self) -> _Part:
        found = self._sequence()
        while self._take("|"):
            other = self._sequence()
            is_empty = found.may_be_empty or other.may_be_empty
            found = _Part(is_empty, found.first | other.first, found.last | other.last)
        return found

    def _sequence(self) -> _Part:
        found = _EMPTY
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            found = self._joined(found, self._repeated())
        return found

    def _joined(self, one: _Part, other: _Part) -> _Part:
        self._link(one.last, other.first)
        return _Part(
            one.may_be_empty and other.may_be_empty,
            one.first | other.first if one.may_be_empty else one.first,
            one.last | other.last if other.may_be_empty else other.last,
        )

    def _repeated(self) -> _Part:
        """An atom with its repeat, written out as RE2 does: `a{1,3}` is `a(a(a)?)?`, and `a{2,}` is `aa+`."""
        start, found = self._at, self._atom()
        repeat = _REPEAT.match(self._source, self._at)
        if repeat is None:
            return found
        least, most = _bounds(repeat)
        before = found
        for number in range(1, max(least, 1) if most is None else most):
            self._at = start
            copy = self._atom()
            if number < least or copy.may_be_empty:
                found = self._joined(found, copy)
            else:
                self._link(before.last, copy.first)
                found = found._replace(last=found.last | copy.last)
            before = copy
        if most is None:
            self._link(before.last, before.first)
        self._at = repeat.end()
        if most == 0:
            return _EMPTY
        return found._replace(may_be_empty=least == 0 or found.may_be_empty)

    def _atom(self) -> _Part:
        source = self._source
        if flags := _FLAGS.match(source, self._at):
            self._at = flags.end()
            self._ignores_case |= "i" in flags[1]
            return _EMPTY
        if group := _GROUP.match(source, self._at):
            self._at = group.end()
            self._ignores_case |= "i" in (group[1] or "")
            found = self._alternatives()
            self._at += 1
            return found
        if quoted := _QUOTED.match(source, self._at):
            self._at = quoted.end()
            found = _EMPTY
            for letter in quoted[1]:
                found = self._joined(found, self._position(_symbols(letter)))
            return found
        if any(map(self._take, _BETWEEN_LETTERS)):
            return _EMPTY
        return self._position(self._class() if self._take("[") else self._letter())

    def _position(self, symbols: int) -> _Part:
        if len(self._taken) == _MOST_POSITIONS:
            raise _TooLarge
        position = 1 << len(self._taken)
        self._taken.append(self._either_case(symbols))
        self._followed_by.append(0)
        return _Part(False, position, position)

    def _letter(self) -> int:
        if self._take("."):
            return _EVERY
        return self._escape() if self._take("\\") else _symbols(self._next())

    def _escape(self) -> int:
        if category := _CATEGORY.match(self._source, self._at):
            return self._category(category)
        if code := _CODE.match(self._source, self._at):
            self._at = code.end()
            number = int(code[3], 8) if code[3] else int(code[1] or code[2], 16)
            return 1 << min(number, _OTHER)
        letter = self._next()
        if letter.lower() in _CLASSES:
            symbols = _CLASSES[letter.lower()]
            return symbols if letter.islower() else _EVERY & ~symbols
        return _EVERY if letter == "C" else _symbols(_CONTROLS.get(letter, letter))

    def _category(self, found: re.Match[str]) -> int:
        """A category of Unicode has letters, or digits, or neither."""
        self._at = found.end()
        name = found[2] or found[3]
        symbols = _LETTERS if name[0] == "L" else _DIGITS if name[0] == "N" else _EVERY & ~(_LETTERS | _DIGITS)
        is_negated = (found[0][0] == "P") != bool(found[1])
        return (_EVERY & ~symbols if is_negated else symbols) | 1 << _OTHER

    def _class(self) -> int:
        is_negated = self._take("^")
        found = self._members()
        while not self._take("]"):
            found |= self._members()
        return _EVERY & ~found if is_negated else found

    def _members(self) -> int:
        """A letter, a range or a class within a class."""
        if named := _NAMED.match(self._source, self._at):
            self._at = named.end()
            symbols = _NAMED_CLASSES.get(named[2], _EVERY)
            return _EVERY & ~symbols if named[1] else symbols
        begin = self._member()
        if self._source.startswith("-]", self._at) or not self._take("-"):
            return begin
        return (1 << self._member().bit_length()) - (begin & -begin)

    def _member(self) -> int:
        return self._escape() if self._take("\\") else _symbols(self._next())

    def _either_case(self, symbols: int) -> int:
        if not self._ignores_case:
            return symbols
        letters = (symbols >> ord("A") | symbols >> ord("a")) & _ALPHABET
        return symbols | letters << ord("A") | letters << ord("a")

    def _link(self, positions: int, followers: int) -> None:
        for at in _each(positions):
            self._followed_by[at] |= followers

    def _next(self) -> str:
        letter = self._source[self._at]
        self._at += 1
        return letter

    def _take(self, text: str) -> bool:
        if not self._source.startswith(text, self._at):
            return False
        self._at += len(text)
        return True


def _bounds(repeat: re.Match[str]) -> tuple[int, int | None]:
    """The least and the most copies. None: no end."""
    match repeat[1]:
        case "*":
            return 0, None
        case "+":
            return 1, None
        case "?":
            return 0, 1
        case _:
            least = int(repeat[2])
            return least, least if not repeat[3] else int(repeat[4]) if repeat[4] else None


def _each(bits: int) -> list[int]:
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
