"""Adds up the highest cost of a checked CEL expression, in steps and bytes, from the sizes of its values.

The evaluator can be neither stopped nor counted while it runs. So each node gives its highest cost for values of a size
(`Shape`), and an expression runs only if the sum stays within STEPS and BYTES. The numbers were measured on the
evaluator (cel-expr-python 0.1.3), against the worst values found; tests/config/compile/test_cel_bound.py compares them
with the evaluator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

STEPS: Final = 400_000
"""The most that one evaluation may take. A step is some 5 ns: a node in the body of a macro, over
small values."""
BYTES: Final = 1 << 20
"""The most memory that one evaluation may hold at a time."""

LIST_ENTRY: Final = 34
"""Bytes of an entry in a list that is made or joined."""
MAP_PART: Final = 80
"""Bytes of a key of a map, or of a value."""
_TAKEN_OVER = 64
"""Bytes of an entry of a person's list, which is taken over once."""


class Shape(NamedTuple):
    """The largest size of a value.

    `top`: entries of the list or map itself.
    `entries`: entries, including the entries of inner lists.
    `size`: bytes of all texts.
    `entry`: the largest entry; None without entries."""

    top: int = 0
    entries: int = 0
    size: int = 0
    entry: "Shape | None" = None


SCALAR: Final = Shape()
"""A number, a boolean, a time."""
_WRITTEN = 40
"""Bytes of a number or a time as a text, at most."""


class Cost(NamedTuple):
    """The highest cost of a node.

    `shape`: the size of the result.
    `kept`: bytes that stay until the evaluation ends.
    `passing`: bytes that a single node frees at its end."""

    shape: Shape
    steps: int
    kept: int
    passing: int

    @property
    def bytes(self) -> int:
        return self.kept + self.passing

    @property
    def fits(self) -> bool:
        return self.steps <= STEPS and self.bytes <= BYTES


Scope = Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class KnownCost:
    """A part without variables: a constant, or a part whose cost was added up at load."""

    found: Cost

    def cost(self, scope: Scope) -> Cost:
        return self.found


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable. Without a value, or as the name of a type, it is as small as a number."""

    name: str

    def cost(self, scope: Scope) -> Cost:
        return Cost(scope.get(self.name, SCALAR), 1, 0, 0)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function or an operator of FUNCTIONS; a target is its first argument."""

    function: str
    arguments: tuple["Node", ...]

    def cost(self, scope: Scope) -> Cost:
        found = [argument.cost(scope) for argument in self.arguments]
        shape, steps, kept = FUNCTIONS[self.function]([one.shape for one in found])
        return _sum(shape, steps, kept, found)


@dataclass(frozen=True, slots=True)
class MatchesCall:
    """`matches` with a pattern of `program` RE2 instructions. The evaluator compiles the pattern at each call.

    `parsing`: the steps of reading the pattern, including parts that leave no instruction."""

    text: "Node"
    program: int
    parsing: int

    def cost(self, scope: Scope) -> Cost:
        text = self.text.cost(scope)
        letters, program = text.shape.size, self.program
        compiling = 100 + self.parsing + program * (60 if program <= 64 else 160)
        # At worst each letter leads to a new state of the automaton: its instructions, and a pointer for each class.
        state = 64 + 4 * program + 8 * min(257, 2 * program + 2)
        return Cost(
            SCALAR,
            text.steps + compiling + 2 * letters * program,
            text.kept,
            max(text.passing, 512 * program + 4 * self.parsing + letters * state),
        )


@dataclass(frozen=True, slots=True)
class ListOrMap:
    """`[a, b]`, or `{a: b}`.

    `members`: the entries of the list, or the keys and values of the map.
    `each`: bytes of a member."""

    members: tuple["Node", ...]
    each: int

    def cost(self, scope: Scope) -> Cost:
        found = [member.cost(scope) for member in self.members]
        count = len(found)
        shape = Shape(
            count,
            count + sum(one.shape.entries for one in found),
            sum(one.shape.size for one in found),
            _largest([one.shape for one in found]) if found else None,
        )
        return _sum(shape, 15 + 18 * count, 150 + self.each * count, found)


@dataclass(frozen=True, slots=True)
class Fold:
    """A macro: `condition` and `step` run for each entry of `over`.

    `makes_list`: `step` adds an entry to a list. If False, `step` makes a number or a boolean."""

    over: "Node"
    variable: str
    accumulator: str
    start: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"
    makes_list: bool

    def cost(self, scope: Scope) -> Cost:
        over, start = self.over.cost(scope), self.start.cost(scope)
        count = over.shape.top
        inner = {**scope, self.variable: over.shape.entry or SCALAR, self.accumulator: SCALAR}
        step = self.step.cost(inner)
        rounds = [self.condition.cost(inner), step]
        steps = over.steps + start.steps + 10 + count * (3 + sum(one.steps for one in rounds))
        kept = over.kept + start.kept + count * sum(one.kept for one in rounds)
        if self.makes_list:
            # The shape of the step has the entry already: asked for again, each level of nesting would double the work.
            inner[self.accumulator] = _repeated(step.shape.entry or SCALAR, count)
            # The evaluator joins [entry] to a copy of the list, each time.
            steps += count * count * 5 // 2
            kept += count * (count + 1) // 2 * LIST_ENTRY
        result = self.result.cost(inner)
        passing = max(one.passing for one in (over, start, result, *rounds))
        return Cost(result.shape, steps + result.steps, kept + result.kept, passing)


Node = KnownCost | Variable | FunctionCall | MatchesCall | ListOrMap | Fold


def text_of(size: int) -> Shape:
    return Shape(size=size)


def list_of(count: int, size: int, longest: int) -> Shape:
    """A person's list of `count` texts, `size` bytes in all; the longest has `longest`."""
    return Shape(count, count, size, text_of(longest))


def with_values(node: Node, values: Scope) -> Cost:
    """The highest cost of the whole expression, including the transfer of the values to the evaluator."""
    found = node.cost(values)
    entries = sum(shape.entries for shape in values.values())
    size = sum(shape.size for shape in values.values())
    return found._replace(
        steps=found.steps + 16 * entries + size // 64, kept=found.kept + (entries + len(values)) * _TAKEN_OVER + size
    )


# --- functions: (shape of the result, steps, bytes kept), from the shapes of the arguments --------------------------

_OfFunction = tuple[Shape, int, int]


def _flat(steps: int) -> Callable[[list[Shape]], _OfFunction]:
    return lambda arguments: (SCALAR, steps, 0)


def _compared(arguments: list[Shape]) -> _OfFunction:
    """Equality and order: no further than the smaller one."""
    one, other = arguments
    return SCALAR, 2 + 6 * min(one.entries, other.entries) + min(one.size, other.size) // 64, 0


def _member(arguments: list[Shape]) -> _OfFunction:
    needle, among = arguments
    return SCALAR, 2 + 6 * among.entries + (among.size + needle.size) // 64, 0


def _joined(arguments: list[Shape]) -> _OfFunction:
    """`+` of numbers, texts or lists. A text and a list are both copied."""
    one, other = arguments
    count, size = one.top + other.top, one.size + other.size
    shape = Shape(count, one.entries + other.entries, size, _largest_entry(one, other))
    copied = 0 if count else size
    return shape, 10 + 4 * count + copied // 32, count * LIST_ENTRY + copied


def _found_at(arguments: list[Shape]) -> _OfFunction:
    among, key = arguments
    return among.entry or SCALAR, 40 + key.size // 4, 0


def _read(arguments: list[Shape]) -> _OfFunction:
    """A text read as a number or a time, or copied."""
    size = max(_WRITTEN, arguments[0].size)
    return Shape(size=size), 120 + size // 4, 64 + size


def _substring(arguments: list[Shape]) -> _OfFunction:
    text, wanted = arguments
    return SCALAR, 4 + text.size * (1 + wanted.size // 64), 0


def _chosen(arguments: list[Shape]) -> _OfFunction:
    return _largest(arguments[1:]), 1, 0


def _measured(arguments: list[Shape]) -> _OfFunction:
    return SCALAR, 2 + arguments[0].size // 8, 0


def _itself(arguments: list[Shape]) -> _OfFunction:
    return arguments[0], 1, 0


_TIMES = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
    "getSeconds", "getMilliseconds",
)  # fmt: skip

FUNCTIONS: Final[Mapping[str, Callable[[list[Shape]], _OfFunction]]] = {
    **dict.fromkeys(("_&&_", "_||_", "!_", "-_", "_*_", "_/_", "_%_", "@not_strictly_false", "type"), _flat(4)),
    **dict.fromkeys(("_-_", *_TIMES), _flat(30)),
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith"), _compared),
    **dict.fromkeys(("int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration"), _read),
    "@in": _member,
    "_+_": _joined,
    "_[_]": _found_at,
    "_?_:_": _chosen,
    "contains": _substring,
    "dyn": _itself,
    "size": _measured,
}
"""Every function that an expression may call, but for `matches`. What is not here does not load."""


def field_of(operand: Node) -> Node:
    """`map.key`, and `has(map.key)`."""
    return FunctionCall("_[_]", (operand, KnownCost(Cost(SCALAR, 0, 0, 0))))


def _largest(shapes: list[Shape]) -> Shape:
    first = shapes[0]
    for other in shapes[1:]:
        first = Shape(
            max(first.top, other.top),
            max(first.entries, other.entries),
            max(first.size, other.size),
            _largest_entry(first, other),
        )
    return first


def _largest_entry(one: Shape, other: Shape) -> Shape | None:
    some = [shape.entry for shape in (one, other) if shape.entry is not None]
    return _largest(some) if some else None


def _repeated(entry: Shape, count: int) -> Shape:
    return Shape(count, count * (1 + entry.entries), count * entry.size, entry)


def _sum(shape: Shape, steps: int, kept: int, parts: list[Cost]) -> Cost:
    passing = 0
    for part in parts:
        steps += part.steps
        kept += part.kept
        passing = max(passing, part.passing)
    return Cost(shape, steps, kept, passing)
