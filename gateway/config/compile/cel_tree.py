"""The checked CEL expression, as the evaluator serializes it, to the tree whose cost `cel_bound` adds up.

It is cel.expr.CheckedExpr of google/api/expr, in protobuf. What is not known here has no known cost and does not load.
"""

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
from gateway.model.codes import POLICY_CONDITION
from gateway.model.errors import GatewayError
from gateway.policy.values import compile_re2

MOST_PARTS = 500
"""Of an expression, its constants not counted: its cost is added up where its values are large, at 1 µs a part."""

_CONSTANT, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9
_TEXT, _BYTES = 6, 7
_KEY_AND_VALUE = {3, 4}
_LENGTH_DELIMITED = 2


@dataclass(slots=True)
class CheckedExpression:
    """`names`: every identifier. `zones`: the names of time zones."""

    names: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    parts: int = 0

    def read(self, serialized: bytes) -> Node:
        """Raises GatewayError(POLICY_CONDITION) for a part whose cost is unknown, or for too many parts."""
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
                POLICY_CONDITION, f"this has over {MOST_PARTS} parts: share what it says among conditions"
            )
        return node

    def _folded(self, node: Node) -> Node:
        """A part without variables costs the same each time."""
        match node:
            case FunctionCall(_, parts) | ListOrMap(parts, _):
                known = all(isinstance(part, KnownCost) for part in parts)
            case MatchesCall(text, _):
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
            return MatchesCall(arguments[0], _program(_constant_text(written[-1])))
        if function.startswith("get") and len(arguments) == 2:
            zone = _constant_text(written[-1])
            if zone is None:
                raise GatewayError(POLICY_CONDITION, f"the time zone of {function} is written out, not computed")
            self.zones.add(zone)
        if function not in FUNCTIONS:
            raise GatewayError(POLICY_CONDITION, f"`{function}` is not known here: its cost has no bound")
        return FunctionCall(function, arguments)

    def _map(self, content: bytes) -> ListOrMap:
        if _field(content, 1):
            name = _field(content, 1).decode()
            raise GatewayError(POLICY_CONDITION, f"a message of the type {name} is not for conditions")
        entries = [value for number, value in _fields(content) if number == 2]
        parts = [part for entry in entries for number, part in _fields(entry) if number in _KEY_AND_VALUE]
        return ListOrMap(tuple(map(self._node, parts)), MAP_PART)

    def _fold(self, content: bytes) -> Fold:
        over, start, condition, step, result = (_field(content, number) for number in (2, 4, 5, 6, 7))
        made = _appended(step) if _kind(start) == _LIST else None
        if (made is None) != (_kind(start) == _CONSTANT) or _field(content, 8):
            raise GatewayError(POLICY_CONDITION, "a macro of this form is not known here: its cost has no bound")
        parts = self.parts
        entry = None if made is None else self._node(made)
        self.parts = parts
        return Fold(
            self._node(over), _field(content, 1).decode(), _field(content, 3).decode(), self._node(start),
            self._node(condition), self._node(step), self._node(result), entry,
        )  # fmt: skip


def _program(pattern: str | None) -> int:
    """The length of the program in instructions. The evaluator compiles a pattern only when it comes to it, and then
    there is no telling."""
    if pattern is None:
        raise GatewayError(POLICY_CONDITION, "what `matches` takes is written out, not computed: it is checked at load")
    size: int = compile_re2(pattern).programsize
    return size


def _appended(step: bytes) -> bytes | None:
    """The entry of the step of `map` and `filter`: `list + [entry]`, or `condition ? list + [entry] : list`."""
    call = _field(step, _CALL)
    arguments = [value for number, value in _fields(call) if number == 3]
    match _field(call, 2), arguments:
        case b"_?_:_", [_, adding, _]:
            return _appended(adding)
        case b"_+_", [_, added]:
            return _field(_field(added, _LIST), 1) or None
        case _:
            return None


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
