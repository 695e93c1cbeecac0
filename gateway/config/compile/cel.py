"""`when:` in CEL, by Google's own evaluator: an extra. Typed at load; whatever is not the boolean true lets nobody in.

The evaluator names its variables `user.mail`, one by one: `user.NAME` is an attribute's only value, but for groups and
mandates, which are lists; `values.NAME` is the list of an attribute's values, whichever it is.
"""

import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.model.codes import POLICY_CONDITION
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATES
from gateway.policy.conditions import GROUPS, When
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth
from gateway.policy.values import compile_re2

LISTS = frozenset({GROUPS, MANDATES})
OF_USER = ("subject", "provider", "issuer", "tenant")
_STRING, _LIST, _TIMESTAMP = "STRING", "LIST", "TIMESTAMP"
_OF_REQUEST = {
    "request.method": _STRING,
    "request.path": _STRING,
    "request.client": _STRING,
    "request.time": _TIMESTAMP,
}
_AHEAD = "request.method"
_WHERE = re.compile(r"<input>:(\d+:\d+): (.*)")


@dataclass(slots=True)
class Tally:
    """The number of times that an expression came to anything but true or false, for a person who is signed in."""

    failures: int = 0


class Cel:
    """The expressions of one snapshot. Raises GatewayError(POLICY_CONDITION) where the extra is not installed."""

    def __init__(self, attributes: Iterable[str], tally: Tally) -> None:
        try:
            from cel_expr_python import cel
        except ImportError as error:
            raise GatewayError(
                POLICY_CONDITION,
                "`when` needs the extra cel: install it too (docs/how-to/install-it.md), or write other conditions: "
                f"{error}",
            ) from None
        self._bool = cel.Type.BOOL
        self._variables = variables(attributes)
        types = {
            _STRING: cel.Type.STRING,
            _LIST: cel.Type.List(cel.Type.STRING),
            _TIMESTAMP: cel.Type.TIMESTAMP,
        }
        self._env = cel.NewEnv(variables={name: types[kind] for name, kind in self._variables.items()})
        self._tally = tally

    def compile(self, source: str) -> When:
        """Raises GatewayError(POLICY_CONDITION): `1:5: undeclared reference to 'user.maill'`."""
        if any("\ud800" <= letter <= "\udfff" for letter in source):
            raise GatewayError(POLICY_CONDITION, "half of a surrogate pair")
        try:
            expression = self._env.compile(source)
            checked = expression.serialize()
        except (RuntimeError, ValueError) as error:
            raise GatewayError(POLICY_CONDITION, _reason(str(error))) from None
        if expression.return_type() != self._bool:
            raise GatewayError(
                POLICY_CONDITION, f"this comes to {expression.return_type()}, and a condition is true or false"
            )
        parts = list(_parts(_field(_field(checked, 2), 4)))
        for pattern in (pattern for name, pattern in parts if name == _MATCHES):
            _check_pattern(pattern)
        names = frozenset(name for name, _ in parts if name in self._variables)
        of_request = any(name.startswith("request.") and name != _AHEAD for name in names)
        of_identity = any(not name.startswith("request.") for name in names)
        return When(
            source, CelExpression(expression, self._bool, names, of_identity, self._tally), of_identity, of_request
        )


class CelExpression:
    """policy.Expression."""

    __slots__ = ("_bool", "_expression", "_names", "_of_identity", "_tally")

    def __init__(self, expression: Any, bool_type: Any, names: frozenset[str], of_identity: bool, tally: Tally) -> None:
        self._expression = expression
        self._bool = bool_type
        self._names = names
        self._of_identity = of_identity
        self._tally = tally

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        data = {name: value for name in self._names if (value := _value(name, identity, facts)) is not None}
        try:
            found = self._expression.eval(data=data)
            value = found.value() if found.type() == self._bool else None
        except (RuntimeError, TypeError, ValueError):
            # Its iteration budget, and whatever else it raises instead of giving it as a value.
            value = None
        if value is True:
            return Truth.TRUE
        if value is False:
            return Truth.FALSE
        if identity is not None or not self._of_identity:
            self._tally.failures += 1
        return Truth.UNKNOWN


def loading() -> Iterator[None]:
    """Loads the evaluator, then has it compile and tell a first time: 3 ms each, and 8 MB, for those alone whose rules
    ask for it. Nothing where the extra is not installed."""
    try:
        importlib.import_module("cel_expr_python.cel")
    except ImportError:
        return
    yield
    Cel((), Tally()).compile("request.path.matches('/')").truth(None, Facts())
    yield


def variables(attributes: Iterable[str]) -> dict[str, str]:
    """Name to kind of value."""
    found = {f"user.{name}": _STRING for name in OF_USER} | _OF_REQUEST
    for name in attributes:
        found[f"user.{name}"] = _LIST if name in LISTS else _STRING
        found[f"values.{name}"] = _LIST
    return found


def _value(name: str, identity: Identity | None, facts: Facts) -> object:
    """None: there is no such value, and what turns on it cannot be told."""
    root, _, rest = name.partition(".")
    if root == "request":
        return _of_request(rest, facts)
    if identity is None:
        return None
    if root == "user" and rest in OF_USER:
        return facts.tenant if rest == "tenant" else getattr(identity, rest)
    if rest in identity.left_out:
        return None
    values = identity.attributes.get(rest)
    if values is None or root == "values" or rest in LISTS:
        return None if values is None else list(values)
    return values[0] if len(values) == 1 else None


def _of_request(name: str, facts: Facts) -> object:
    if name == "method":
        return facts.method or None
    asked = facts.asked
    if asked is None:
        return None
    match name:
        case "path":
            return asked.path
        case "client":
            return None if asked.client is None else str(asked.client)
        case _:
            return datetime.fromtimestamp(asked.now, UTC)


def _reason(error: str) -> str:
    """The first two of its complaints, each at its line and column of the expression."""
    found = [f"{place}: {what.removesuffix(' [INVALID_ARGUMENT]')}" for place, what in _WHERE.findall(error)]
    return "; ".join(one.replace(" (in container '')", "") for one in found[:2]) or error.partition("\n")[0]


def _check_pattern(pattern: str | None) -> None:
    """The evaluator compiles a pattern only when it comes to it, and then there is no telling."""
    if pattern is None:
        raise GatewayError(POLICY_CONDITION, "what `matches` takes is written out, not computed: it is checked at load")
    compile_re2(pattern)


# --- the checked expression, as it is serialized: cel.expr.CheckedExpr of google/api/expr -----------------------------

_MATCHES = "matches()"
_IDENT, _CONSTANT = 4, 3
# The fields of Expr that hold expressions: select, call, list, struct, comprehension; and below each, which of its own.
_HOLDING = {5: (1,), 6: (1, 3), 7: (1,), 8: (2,), 9: (2, 4, 5, 6, 7)}
_STRUCT, _CALL = 8, 6
_ENTRY_EXPRESSIONS = (3, 4)
_LENGTH_DELIMITED = 2


def _parts(expression: bytes) -> Iterator[tuple[str, str | None]]:
    """(name, None) of each identifier; (_MATCHES, the pattern, None where it is computed) of each call of `matches`."""
    for field, content in _fields(expression):
        if field == _IDENT:
            yield _field(content, 1).decode(), None
        elif field in _HOLDING:
            if field == _CALL and _field(content, 2) == b"matches":
                yield _MATCHES, _constant([value for number, value in _fields(content) if number == 3][-1])
            for number, below in _fields(content):
                if number in _HOLDING[field]:
                    for one in _entries(below) if field == _STRUCT else (below,):
                        yield from _parts(one)


def _entries(entry: bytes) -> list[bytes]:
    return [value for number, value in _fields(entry) if number in _ENTRY_EXPRESSIONS]


def _constant(expression: bytes) -> str | None:
    return next(
        (value.decode() for field, content in _fields(expression) if field == _CONSTANT
         for number, value in _fields(content) if number == 6),
        None,
    )  # fmt: skip


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
