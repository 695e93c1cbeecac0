"""Turns a checked CEL expression, as the evaluator serializes it, into the tree whose cost `cel_bound` adds up.

The serialized form is cel.expr.CheckedExpr of google/api/expr, in protobuf. A part that is unknown here has no known
cost, and its expression does not load."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.config.compile.cel_bound import (
    FUNCTIONS,
    LIST_ENTRY,
    MAP_PART,
    Cost,
    Fold,
    FunctionCall,
    KnownCost,
    ListOrMap,
    MatchesCall,
    Node,
    Variable,
    field_of,
    text_of,
)
from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.values import compile_re2

MOST_PARTS = 500
"""Of an expression, its constants not counted: its cost is added up where its values are large, at 1 µs a part."""

_CONSTANT, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9
_TEXT, _BYTES = 6, 7
_KEY_AND_VALUE = {3, 4}
_LENGTH_DELIMITED = 2

_MAY_BE_EMPTY = re.compile(r"\[\^|\\[pP]\{\^?Any\}")
_CLASS = re.compile(r"\\[DSW]")
_UNICODE_CLASS = re.compile(r"\\[pP]")
_REPEAT = re.compile(r"(?<=[{,])[0-9]++")


@dataclass(slots=True)
class CheckedExpression:
    """`names`: every identifier. `zones`: the names of time zones."""

    names: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    parts: int = 0

    def read(self, serialized: bytes) -> Node:
        """Raises GatewayError(policy_codes.CONDITION) for a part whose cost is unknown, or for too many parts."""
        return self._node(_field(_field(serialized, 2), 4))

    def _node(self, expression: bytes) -> Node:
        kind, content = next((one for one in _fields(expression) if _CONSTANT <= one[0] <= _COMPREHENSION), (0, b""))
        if kind == _IDENT:
            return self._counted(self._name(content))
        if kind == _SELECT:
            return self._folded(field_of(self._node(_field(content, 1))))
        if kind == _CALL:
            return self._folded(self._call(content))
        if kind == _LIST:
            return self._folded(ListOrMap(self._all(content, 1), LIST_ENTRY))
        if kind == _STRUCT:
            return self._folded(self._map(content))
        if kind == _COMPREHENSION:
            return self._counted(self._fold(content))
        return KnownCost(Cost(text_of(_constant_size(content)), 1, 0, 0))

    def _counted(self, node: Node) -> Node:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise GatewayError(
                policy_codes.CONDITION, f"this has over {MOST_PARTS} parts: share what it says among conditions"
            )
        return node

    def _folded(self, node: Node) -> Node:
        """A part without variables costs the same each time."""
        match node:
            case FunctionCall(_, parts) | ListOrMap(parts, _):
                known = all(isinstance(part, KnownCost) for part in parts)
            case MatchesCall(text, _, _):
                known = isinstance(text, KnownCost)
            case _:
                known = False
        return KnownCost(node.cost({})) if known else self._counted(node)

    def _all(self, content: bytes, number: int) -> tuple[Node, ...]:
        return tuple(self._node(value) for found, value in _fields(content) if found == number)

    def _name(self, content: bytes) -> Variable:
        name = _field(content, 1).decode()
        self.names.add(name)
        return Variable(name)

    def _call(self, content: bytes) -> Node:
        function = _field(content, 2).decode()
        written = [value for number, value in _fields(content) if number == 3]
        arguments = self._all(content, 1) + self._all(content, 3)
        if function == "matches":
            pattern = _pattern(_constant_text(written[-1]))
            return MatchesCall(arguments[0], _program(pattern), _parsing(pattern))
        if function.startswith("get") and len(arguments) == 2:
            zone = _constant_text(written[-1])
            if zone is None:
                raise GatewayError(policy_codes.CONDITION, f"the time zone of {function} is written out, not computed")
            self.zones.add(zone)
        if function not in FUNCTIONS:
            raise GatewayError(policy_codes.CONDITION, f"`{function}` is not known here: its cost has no bound")
        return FunctionCall(function, arguments)

    def _map(self, content: bytes) -> ListOrMap:
        if _field(content, 1):
            name = _field(content, 1).decode()
            raise GatewayError(policy_codes.CONDITION, f"a message of the type {name} is not for conditions")
        entries = [value for number, value in _fields(content) if number == 2]
        parts = [part for entry in entries for number, part in _fields(entry) if number in _KEY_AND_VALUE]
        return ListOrMap(tuple(map(self._node, parts)), MAP_PART)

    def _fold(self, content: bytes) -> Fold:
        over, start, condition, step, result = (_field(content, number) for number in (2, 4, 5, 6, 7))
        makes_list = _kind(start) == _LIST
        if not (_appends(step) if makes_list else _kind(start) == _CONSTANT) or _field(content, 8):
            raise GatewayError(policy_codes.CONDITION, "a macro of this form is not known here: its cost has no bound")
        return Fold(
            self._node(over), _field(content, 1).decode(), _field(content, 3).decode(), self._node(start),
            self._node(condition), self._node(step), self._node(result), makes_list,
        )  # fmt: skip


def _pattern(written: str | None) -> str:
    if written is None:
        raise GatewayError(
            policy_codes.CONDITION, "what `matches` takes is written out, not computed: it is checked at load"
        )
    return written


def _program(pattern: str) -> int:
    """The length of the program in instructions. The evaluator compiles a pattern only when it comes to it, and then
    there is no telling. What follows a class without letters is compiled and left out: it is counted, too."""
    size: int = compile_re2(pattern, groups=True).programsize
    filled = _MAY_BE_EMPTY.sub(lambda found: r"[\x00" if found[0] == "[^" else r"\x00", pattern)
    return size if filled == pattern else max(size, compile_re2(filled, groups=True).programsize)


def _parsing(pattern: str) -> int:
    """The steps of reading a pattern. RE2 lays out each class and each repeat, even where it leaves the result out of
    the program."""
    folds = "(?" in pattern and (not pattern.isascii() or r"\x" in pattern or "[:^" in pattern)
    classes = pattern.count("[") + len(_CLASS.findall(pattern))
    repeats = sum(min(1000, int(number[:4])) for number in _REPEAT.findall(pattern))
    unicode = len(_UNICODE_CLASS.findall(pattern))
    return 60 * len(pattern) + (3000 if folds else 300) * classes + 40 * repeats + 40_000 * unicode


def _appends(step: bytes) -> bool:
    """Whether it is the step of `map` and `filter`: `list + [entry]`, or `condition ? list + [entry] : list`."""
    call = _field(step, _CALL)
    arguments = [value for number, value in _fields(call) if number == 3]
    match _field(call, 2), arguments:
        case b"_?_:_", [_, adding, _]:
            return _appends(adding)
        case b"_+_", [_, added]:
            return bool(_field(_field(added, _LIST), 1))
        case _:
            return False


def _kind(expression: bytes) -> int:
    return next((number for number, _ in _fields(expression) if _CONSTANT <= number <= _COMPREHENSION), _CONSTANT)


def _constant_size(constant: bytes) -> int:
    return next((len(value) for number, value in _fields(constant) if number in {_TEXT, _BYTES}), 0)


def _constant_text(expression: bytes) -> str | None:
    return next((value.decode() for number, value in _fields(_field(expression, _CONSTANT)) if number == _TEXT), None)


def _field(message: bytes, wanted: int) -> bytes:
    return next((value for number, value in _fields(message) if number == wanted), b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message that are messages or texts themselves."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            length, at = _number(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == 0:
            _, at = _number(message, at)
        else:
            at += 8 if kind == 1 else 4


def _number(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
