"""Finds regular expressions of `re` whose work can grow faster than their text: read from their parse trees.

`re` goes back on failure. Work is linear where no text leads to one place of the expression by more ways the longer it
is. That fails in three shapes: a repeat in a repeat of the same text (exponential), a repeat behind a repeat of the
same text (quadratic), and one repeat that a search enters again behind each of its beginnings (quadratic). The
expression becomes its automaton of positions, and the three shapes are looked for in that (Weber and Seidl,
On the degree of ambiguity of finite automata, 1991). What is reported may be harmless; what is not reported is linear.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Literal, NamedTuple

# Where a search may begin, and which end a match must have. `search` stands for all that look for a beginning: `sub`,
# `split`, `findall`, `finditer`.
Mode = Literal["match", "search", "fullmatch"]

# Repeats with fewer places than this are written out; longer ones count as endless.
_WRITTEN_OUT = 70
# Beside those that the expression names: a letter, a digit, blanks and others that are not ASCII, and folded ones.
_OTHERS = "\u00e9\u00a0\u0660\u2028\u0130\u212a\u017f\u20ac\U0001f600"


class Gap(NamedTuple):
    """Between two characters. `next`: those that may follow there, as bits, with _Alphabet.edge for the end; `before`:
    those that may stand before it, with the same bit for the beginning."""

    next: int
    before: int

    def and_also(self, other: "Gap") -> "Gap":
        return Gap(self.next & other.next, self.before & other.before)


class Way(NamedTuple):
    """To the first place of a part, or from its last one."""

    place: int
    gap: Gap


class Step(NamedTuple):
    """From one place to `place`, by one of the characters `takes`."""

    place: int
    takes: int


@dataclass(slots=True)
class Part:
    """Part of an expression: `first` and `last` places; `empty`: each way through it that takes no character."""

    first: list[Way] = field(default_factory=list)
    last: list[Way] = field(default_factory=list)
    empty: list[Gap] = field(default_factory=list)


class _Alphabet:
    """The characters that an expression can tell from each other, as bits of a number."""

    def __init__(self, tree: Any, flags: int, *, is_bytes: bool) -> None:
        self.is_bytes = is_bytes
        self.flags = flags & (re.IGNORECASE | re.ASCII | re.DOTALL | re.UNICODE)
        named = set(range(256 if is_bytes else 128))
        if not is_bytes:
            named.update(map(ord, _OTHERS), _named_in(tree))
        self.codes = sorted(code for code in named if 0 <= code <= 0x10FFFF)
        self._bit = {code: 1 << place for place, code in enumerate(self.codes)}
        self.characters = (1 << len(self.codes)) - 1
        self.edge = 1 << len(self.codes)
        self.all = self.characters | self.edge
        self.anywhere = Gap(self.all, self.all)

    def where(self, holds: Callable[[int], bool]) -> int:
        return sum(self._bit[code] for code in self.codes if holds(code))

    def of(self, character: str) -> int:
        return self._bit[ord(character)]

    def folded(self, holds: Callable[[int], bool], flags: int) -> int:
        if not flags & re.IGNORECASE:
            return self.where(holds)
        if self.is_bytes or flags & re.ASCII:
            return self.where(lambda code: any(holds(case) for case in _cases(code) if code < 128 or case == code))
        return self.where(lambda code: any(map(holds, _cases(code))))

    def category(self, category: Any, flags: int) -> Callable[[int], bool]:
        written = {
            op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s",
            op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
        }[category]  # fmt: skip
        if self.is_bytes:
            of_bytes = re.compile(written.encode())
            return lambda code: code < 256 and of_bytes.fullmatch(bytes((code,))) is not None
        of_text = re.compile(written, flags & re.ASCII)
        return lambda code: of_text.fullmatch(chr(code)) is not None


@cache
def _cases(code: int) -> set[int]:
    character = chr(code)
    cases = {character, character.lower(), character.upper(), character.swapcase(), character.casefold()}
    return {ord(case) for case in cases if len(case) == 1} | ({0x131, 0x130} if character in "iI" else set())


def _named_in(tree: Any) -> Iterator[int]:
    """The characters that a tree names, and those beside its ranges."""
    for item in tree:
        if isinstance(item, tuple | list | parser.SubPattern):
            yield from _named_in(item)
        elif isinstance(item, int) and not isinstance(item, op._NamedIntConstant) and item <= 0x10FFFF:
            yield from (max(item - 1, 0), item, min(item + 1, 0x10FFFF))


class _Places:
    """The automaton of an expression: a place takes one character of `takes`, and `steps` lead from one to another."""

    def __init__(self, alphabet: _Alphabet) -> None:
        self.alphabet = alphabet
        self.takes: list[int] = []
        # The atomic groups that each place stands in; and those that an endless repeat itself stands in, by the places
        # that it ends with.
        self.kept: list[frozenset[int]] = []
        self.repeated: dict[int, frozenset[int]] = {}
        self.steps: dict[int, list[Step]] = {}
        self.unread = ""
        self._atomic: list[int] = []
        self._groups = 0

    # From the tree

    def build(self, tree: Any, flags: int) -> Part:
        whole = Part(empty=[self.alphabet.anywhere])
        for item in tree:
            whole = self._then(whole, self._build_item(item, flags))
        return whole

    def _build_item(self, item: Any, flags: int) -> Part:
        kind, value = item
        if kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            return self._place(self._set(item, flags))
        if kind is op.SUBPATTERN:
            _, added, removed, tree = value
            return self.build(tree, (flags | added) & ~removed)
        if kind is op.BRANCH:
            return self._either(self.build(tree, flags) for tree in value[1])
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return self._repeat(*value, flags, possessive=kind is op.POSSESSIVE_REPEAT)
        if kind is op.ATOMIC_GROUP:
            only = value[0] if len(value) == 1 else (None, None)
            if only[0] is op.MAX_REPEAT:
                return self._repeat(*only[1], flags, possessive=True)
            return self._inside(lambda: self.build(value, flags))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._look(*value, flags, wanted=kind is op.ASSERT)
        if kind is op.FAILURE:
            return Part()
        if kind is op.AT:
            return Part(empty=[self._at(value, flags)])
        self.unread = str(kind)
        return Part(empty=[self.alphabet.anywhere])

    def _set(self, item: Any, flags: int) -> int:
        alphabet, (kind, value) = self.alphabet, item
        if kind is op.ANY:
            return alphabet.characters & ~(0 if flags & re.DOTALL else alphabet.of("\n"))
        if kind is op.LITERAL:
            return alphabet.folded(lambda code: code == value, flags)
        if kind is op.NOT_LITERAL:
            return alphabet.characters & ~alphabet.folded(lambda code: code == value, flags)
        negated = value[0][0] is op.NEGATE
        found = 0
        for what, of in value[negated:]:
            if what is op.LITERAL:
                found |= alphabet.folded(lambda code, of=of: code == of, flags)  # type: ignore[misc]
            elif what is op.RANGE:
                found |= alphabet.folded(lambda code, of=of: of[0] <= code <= of[1], flags)  # type: ignore[misc]
            else:
                found |= alphabet.where(alphabet.category(of, flags))
        return alphabet.characters & ~found if negated else found

    def _at(self, where: Any, flags: int) -> Gap:
        alphabet = self.alphabet
        line_end = alphabet.edge | alphabet.of("\n")
        if where is op.AT_BEGINNING:
            return Gap(alphabet.all, line_end if flags & re.MULTILINE else alphabet.edge)
        if where is op.AT_BEGINNING_STRING:
            return Gap(alphabet.all, alphabet.edge)
        if where is op.AT_END:
            return Gap(line_end, alphabet.all)
        if where is op.AT_END_STRING:
            return Gap(alphabet.edge, alphabet.all)
        return alphabet.anywhere

    # Parts from parts

    def _place(self, takes: int) -> Part:
        self.takes.append(takes)
        self.kept.append(frozenset(self._atomic))
        way = Way(len(self.takes) - 1, self.alphabet.anywhere)
        return Part([way], [way])

    def _inside(self, build: Callable[[], Part]) -> Part:
        """What `re` leaves in one way alone, once it has left."""
        self._groups += 1
        self._atomic.append(self._groups)
        part = build()
        self._atomic.pop()
        return part

    def _then(self, one: Part, other: Part) -> Part:
        self._join(one.last, other.first)
        return Part(
            one.first + [Way(place, gap.and_also(passed)) for passed in one.empty for place, gap in other.first],
            other.last + [Way(place, gap.and_also(passed)) for passed in other.empty for place, gap in one.last],
            _few(passed.and_also(then) for passed in one.empty for then in other.empty),
        )

    def _join(self, last: list[Way], first: list[Way]) -> None:
        for (place, gap), (then, needs) in product(last, first):
            both = gap.and_also(needs)
            taken = both.next & self.takes[then]
            if taken and both.before & self.takes[place]:
                self.steps.setdefault(place, []).append(Step(then, taken))

    def _either(self, parts: Any) -> Part:
        whole = Part()
        for part in parts:
            whole = Part(whole.first + part.first, whole.last + part.last, whole.empty + part.empty)
        return Part(whole.first, whole.last, _few(whole.empty))

    def _repeat(self, least: int, most: int, tree: Any, flags: int, *, possessive: bool) -> Part:
        if possessive:
            return self._inside(lambda: self._possessive(least, most, tree, flags))
        before = len(self.takes)
        part = self.build(tree, flags)
        if most * max(len(self.takes) - before, 1) <= _WRITTEN_OUT:
            return self._written_out(part, least, most, tree, flags)
        self._join(part.last, part.first)
        for place, _ in part.last:
            self.repeated[place] = self.repeated.get(place, self.kept[place]) & frozenset(self._atomic)
        # A round that takes nothing is one way, and none is another.
        return part if least and not part.empty else self._maybe(part)

    def _written_out(self, part: Part, least: int, most: int, tree: Any, flags: int) -> Part:
        if not most:
            return Part(empty=[self.alphabet.anywhere])
        optional = Part(empty=[self.alphabet.anywhere])
        for _ in range(most - max(least, 1)):
            optional = self._maybe(self._then(self.build(tree, flags), optional))
        whole = self._then(part, optional)
        for _ in range(least - 1):
            whole = self._then(self.build(tree, flags), whole)
        return whole if least else self._maybe(whole)

    def _maybe(self, part: Part) -> Part:
        return Part(part.first, part.last, _few((*part.empty, self.alphabet.anywhere)))

    def _possessive(self, least: int, most: int, tree: Any, flags: int) -> Part:
        part = self._repeat(least, most, tree, flags, possessive=False)
        # Endless, it goes on at each character that is a whole round of it; `?+` takes one.
        stops = Gap(self.alphabet.all & ~self._whole(part), self.alphabet.all)
        left = [Way(place, gap.and_also(stops)) for place, gap in part.last] if most is op.MAXREPEAT else part.last
        return Part(part.first, left, [gap.and_also(stops) for gap in part.empty])

    def _whole(self, part: Part) -> int:
        """The characters each of which the part matches alone, whatever stands around it."""
        anywhere = self.alphabet.anywhere
        ends = {place for place, gap in part.last if gap == anywhere}
        return sum_of(self.takes[place] for place, gap in part.first if place in ends and gap == anywhere)

    def _look(self, direction: int, tree: Any, flags: int, *, wanted: bool) -> Part:
        alphabet = self.alphabet
        if direction < 0:
            # As long as it is written: it is read once at each place.
            only = _Places(alphabet)
            behind = only.build(tree, flags)
            whole = only._whole(behind)
            if not wanted:
                return Part(empty=[Gap(alphabet.all, alphabet.all & ~whole)])
            is_one = {place for place, _ in behind.first} == {place for place, _ in behind.last} and not behind.empty
            return Part(empty=[Gap(alphabet.all, whole if is_one else alphabet.all)])
        part = self._inside(lambda: self.build(tree, flags))
        if wanted:
            begins = sum_of(self.takes[place] & gap.next for place, gap in part.first)
            may = begins | sum_of(gap.next for gap in part.empty)
        else:
            may = alphabet.all & ~self._whole(part)
            may &= ~sum_of(gap.next for gap in part.empty if gap.before == alphabet.all)
        # What is looked at ahead is read like any other branch, and leads nowhere.
        return Part(part.first, [], [Gap(may, alphabet.all)])


def _few(gaps: Iterable[Gap]) -> list[Gap]:
    """Each at most twice: that is as many ways as it takes to be more than one."""
    counted = Counter(gaps)
    return [gap for gap, number in counted.items() for _ in range(min(number, 2))]


def sum_of(sets: Iterable[int]) -> int:
    whole = 0
    for each in sets:
        whole |= each
    return whole


# What can grow


class Growth(NamedTuple):
    """`shape`: "nested", "adjacent" or "restarted"; `places`: the character sets of the repeats, shortened."""

    shape: Literal["nested", "adjacent", "restarted", "unread"]
    places: str


def growth(pattern: re.Pattern[Any], modes: frozenset[Mode]) -> set[Growth]:
    """The ways in which this expression may take more than linear time; empty where no way is possible."""
    is_bytes = isinstance(pattern.pattern, bytes)
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    alphabet = _Alphabet(tree, pattern.flags, is_bytes=is_bytes)
    places = _Places(alphabet)
    whole = places.build(tree, tree.state.flags)
    if places.unread:
        return {Growth("unread", places.unread)}
    return {found for mode in modes for found in _Ambiguity(places, whole, mode).found()}


class _Ambiguity:
    """Looks for places that one text reaches by more ways the longer it is."""

    def __init__(self, places: _Places, whole: Part, mode: Mode) -> None:
        self.places = places
        self.mode = mode
        self.first = whole.first
        self.sure = self._sure(whole)
        self.circles = [circle for circle in self._circles() if circle]

    def found(self) -> Iterator[Growth]:
        for circle in self.circles:
            if self._is_nested(circle):
                yield self._growth("nested", circle)
        for one, other in product(self.circles, self.circles):
            if one is not other and not self._left_once(one, other) and self._is_adjacent(one, other):
                yield self._growth("adjacent", one | other)
        if self.mode == "search":
            for circle in self.circles:
                if self._is_restarted(circle):
                    yield self._growth("restarted", circle)

    def _growth(self, shape: Any, circle: frozenset[int]) -> Growth:
        return Growth(shape, " ".join(sorted({self._shown(self.places.takes[place]) for place in circle}))[:120])

    def _shown(self, takes: int) -> str:
        codes = [code for code in self.places.alphabet.codes if takes & self.places.alphabet.where(code.__eq__)]
        return f"[{''.join(map(chr, codes[:8]))!r}{'...' if len(codes) > 8 else ''}]"

    def _sure(self, whole: Part) -> frozenset[int]:
        """Places from which every text matches: nothing goes back beyond these."""
        characters, takes = self.places.alphabet.characters, self.places.takes
        ends = {place for place, gap in whole.last if gap == self.places.alphabet.anywhere}
        if self.mode != "fullmatch":
            return frozenset(ends)
        # Behind one of these, `re` takes all there is: `.*` at the end, with DOTALL.
        endless = {
            place for place in ends if takes[place] == characters and Step(place, characters) in self._ways(place)
        }
        return frozenset(place for place in ends if any(Step(one, characters) in self._ways(place) for one in endless))

    def _ways(self, place: int) -> list[Step]:
        return self.places.steps.get(place, [])

    def _circles(self) -> list[frozenset[int]]:
        """The sets of places each of which leads to all of its set again."""
        reached = {place: self._reached(place) for place in range(len(self.places.takes))}
        seen: set[int] = set()
        circles = []
        for place, after in reached.items():
            if place in seen or place not in after:
                continue
            circle = frozenset(other for other in after if place in reached[other])
            seen |= circle
            circles.append(circle)
        return circles

    def _reached(self, place: int) -> set[int]:
        found: set[int] = set()
        left = [place]
        while left:
            for way in self._ways(left.pop()):
                if way.place not in found:
                    found.add(way.place)
                    left.append(way.place)
        return found

    def _is_nested(self, circle: frozenset[int]) -> bool:
        """Whether a text leads from a place of the circle to itself by two ways."""
        inner = circle - self.sure
        for place in inner:
            ways = [way for way in self._ways(place) if way.place in inner]
            for at, (then, taken) in enumerate(ways):
                if any(then == other and taken & both for other, both in ways[at + 1 :]):
                    return True
        for place in inner:
            apart = [pair for pair in self._pairs((place, place), inner, inner) if pair[0] != pair[1]]
            if any((place, place) in self._pairs(pair, inner, inner) for pair in apart):
                return True
        return False

    def _pairs(self, begin: tuple[int, int], one: frozenset[int], other: frozenset[int]) -> set[tuple[int, int]]:
        found: set[tuple[int, int]] = set()
        left = [begin]
        while left:
            here = left.pop()
            for (then, taken), (beside, both) in product(self._ways(here[0]), self._ways(here[1])):
                pair = then, beside
                if taken & both and then in one and beside in other and pair not in found:
                    found.add(pair)
                    left.append(pair)
        return found

    def _left_once(self, one: frozenset[int], other: frozenset[int]) -> bool:
        """Whether the repeats of `one` stand in an atomic group that `other` is outside of."""
        repeated = self.places.repeated
        inside = frozenset.intersection(*(repeated[place] for place in one if place in repeated))
        return bool(inside - frozenset.union(*(self.places.kept[place] for place in other)))

    def _is_adjacent(self, one: frozenset[int], other: frozenset[int]) -> bool:
        """Whether a text leads from a place to itself, to a place of another circle, and from there to itself."""
        outside = other - self.sure
        if not any(outside & self._reached(place) for place in one):
            return False
        return any(self._splits(place, then, one, outside) for place, then in product(one, outside))

    def _splits(self, place: int, then: int, one: frozenset[int], other: frozenset[int]) -> bool:
        begin, wanted = (place, place, then), (place, then, then)
        found: set[tuple[int, int, int]] = set()
        left = [begin]
        while left:
            a, b, c = left.pop()
            for (a2, x), (b2, y), (c2, z) in product(self._ways(a), self._ways(b), self._ways(c)):
                here = a2, b2, c2
                if not x & y & z or a2 not in one or b2 in self.sure or c2 not in other or here in found:
                    continue
                if here == wanted:
                    return True
                found.add(here)
                left.append(here)
        return False

    def _is_restarted(self, circle: frozenset[int]) -> bool:
        """Whether a text that goes round the circle holds a beginning that leads into it."""
        inner = circle - self.sure
        return any(self._begins_within(way, place, inner) for way, place in product(self.first, inner))

    def _begins_within(self, begin: Way, place: int, inner: frozenset[int]) -> bool:
        """Whether a text leads from `place` to itself, and from the beginning `begin` to `place`: then each of many
        such texts in a row is a beginning, and all that follow are read from each. What is sure on the way only ends a
        match sooner than it was looked for."""
        start = begin.gap.next & self.places.takes[begin.place]
        found = {(begin.place, step.place): start & step.takes for step in self._ways(place) if step.place in inner}
        left = [pair for pair, taken in found.items() if taken]
        seen = {pair: found[pair] for pair in left}
        while left:
            here = left.pop()
            for (then, taken), (beside, both) in product(self._ways(here[0]), self._ways(here[1])):
                pair, by = (then, beside), taken & both
                if by and beside in inner and by | seen.get(pair, 0) != seen.get(pair):
                    seen[pair] = by | seen.get(pair, 0)
                    left.append(pair)
        # What the text ends with stands before the next beginning.
        return bool(seen.get((place, place), 0) & begin.gap.before)
