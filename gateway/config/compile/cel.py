"""`when:` in CEL, by Google's own evaluator: an extra. Typed at load; whatever is not the boolean true lets nobody in.

The evaluator has no budget for memory, and for time only a number of iterations. So an expression whose cost could pass
the bound (`cel_bound`) for usual values does not load; for larger values, its cost is added up before it runs.

The evaluator names its variables `user.mail`, one by one: `user.NAME` is an attribute's only value, but for groups and
mandates, which are lists; `values.NAME` is the list of an attribute's values, whichever it is.
"""

import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.config.compile.cel_bound import BYTES, SCALAR, STEPS, Cost, Node, Shape, list_of, text_of, with_values
from gateway.config.compile.cel_tree import CheckedExpression
from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATES
from gateway.policy.conditions import GROUPS, When
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth

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
_USUAL = {_STRING: text_of(200), _LIST: list_of(30, 30 * 64, 64), _TIMESTAMP: Shape()}
"""The values for which each expression has to stay within the bound at load."""
_LARGEST = {_STRING: text_of(1 << 16), _LIST: list_of(4096, 1 << 19, 8192), _TIMESTAMP: Shape()}
"""No value of a person is larger (identity.mapping), nor is a path. What fits for these is not added up
again."""
_CHEAP = 20_000
"""Steps. An expression that takes no more for the largest values is not added up again for the decision's budget
(policy.budget)."""
_ADDING_UP = 300
"""Steps of adding up one part of an expression, which is Python."""
_STARTING = 1500
"""Steps of starting an evaluation."""
_WHERE = re.compile(r"<input>:(\d+:\d+): (.*)")


@dataclass(slots=True)
class Tally:
    """The number of times that an expression came to anything but true or false, for a person who is signed in."""

    failures: int = 0


class Cel:
    """The expressions of one snapshot. Raises GatewayError(policy_codes.CONDITION) where the extra is not installed."""

    def __init__(self, attributes: Iterable[str], tally: Tally) -> None:
        try:
            from cel_expr_python import cel
        except ImportError as error:
            raise GatewayError(
                policy_codes.CONDITION,
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
        """Raises GatewayError(policy_codes.CONDITION): `1:5: undeclared reference to 'user.maill'`."""
        if any("\ud800" <= letter <= "\udfff" for letter in source):
            raise GatewayError(policy_codes.CONDITION, "half of a surrogate pair")
        try:
            expression = self._env.compile(source)
            checked = expression.serialize()
        except (RuntimeError, ValueError) as error:
            raise GatewayError(policy_codes.CONDITION, _reason(str(error))) from None
        if expression.return_type() != self._bool:
            raise GatewayError(
                policy_codes.CONDITION, f"this comes to {expression.return_type()}, and a condition is true or false"
            )
        read = CheckedExpression()
        tree = read.read(checked)
        names = frozenset(name for name in read.names if name in self._variables)
        usual = with_values(tree, {name: _USUAL[self._variables[name]] for name in names})
        if not usual.fits:
            raise GatewayError(
                policy_codes.CONDITION, f"{_over(usual)}, for texts of 200 bytes and lists of 30 texts of 64"
            )
        for zone in read.zones:
            self._check_zone(zone)
        # The evaluator plans at the first evaluation.
        _evaluated(expression, {})
        largest = with_values(tree, {name: _LARGEST[self._variables[name]] for name in names})
        cheap = largest.fits and largest.steps <= _CHEAP
        of_request = any(name.startswith("request.") and name != _AHEAD for name in names)
        of_identity = any(not name.startswith("request.") for name in names)
        compiled = CelExpression(
            expression,
            self._bool,
            names,
            of_identity,
            self._tally,
            _STARTING + (largest if cheap else usual).steps,
            None if cheap else tree,
            _ADDING_UP * read.parts,
        )
        return When(source, compiled, of_identity, of_request)

    def _check_zone(self, zone: str) -> None:
        """Checks that the time zone exists. The evaluator opens a zone's file at first use, and keeps the content."""
        found = _evaluated(self._env.compile(f"timestamp(0).getHours({json.dumps(zone, ensure_ascii=False)}) >= 0"), {})
        if found is None or found.type() != self._bool:
            raise GatewayError(policy_codes.CONDITION, f"no time zone is named `{zone}`")


class CelExpression:
    """policy.Expression.

    `usual_steps`: the most steps for usual values, or for all values if `tree` is None.
    `tree`: the nodes whose costs are added up before each evaluation with larger values; None if the expression is
    cheap for the largest values.
    `adding_up`: the steps of adding up."""

    __slots__ = ("_adding_up", "_bool", "_expression", "_names", "_of_identity", "_tally", "_tree", "usual_steps")

    def __init__(
        self,
        expression: Any,
        bool_type: Any,
        names: frozenset[str],
        of_identity: bool,
        tally: Tally,
        usual_steps: int,
        tree: Node | None,
        adding_up: int,
    ) -> None:
        self._expression = expression
        self._bool = bool_type
        self._names = names
        self._of_identity = of_identity
        self._tally = tally
        self.usual_steps = usual_steps
        self._tree = tree
        self._adding_up = adding_up

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        data = self._values(identity, facts)
        found = _evaluated(self._expression, data) if self._is_affordable(data, facts) else None
        value = found.value() if found is not None and found.type() == self._bool else None
        if value is True:
            return Truth.TRUE
        if value is False:
            return Truth.FALSE
        if identity is not None or not self._of_identity:
            self._tally.failures += 1
        return Truth.UNKNOWN

    def too_costly(self, identity: Identity | None, facts: Facts) -> str:
        data = self._values(identity, facts)
        if self._tree is None or all(map(_is_usual, (shapes := _shapes(data)).values())):
            return ""
        cost = with_values(self._tree, shapes)
        if cost.fits:
            return ""
        return f"{_over(cost)}, for this person and this request"

    def _values(self, identity: Identity | None, facts: Facts) -> dict[str, object]:
        return {name: value for name in self._names if (value := _value(name, identity, facts)) is not None}

    def _is_affordable(self, data: Mapping[str, object], facts: Facts) -> bool:
        """Whether one evaluation with these values stays within its bound, and within the decision's budget."""
        if self._tree is None or all(map(_is_usual, (shapes := _shapes(data)).values())):
            return facts.afford(self.usual_steps)
        if not facts.afford(self._adding_up + sum(8 * shape.top + shape.size // 2 for shape in shapes.values())):
            return False
        cost = with_values(self._tree, shapes)
        return cost.fits and facts.afford(_STARTING + cost.steps)


def _evaluated(expression: Any, data: Mapping[str, object]) -> Any:
    """The value of the expression; None if the evaluator raises an error, as it does when its iteration budget ends."""
    try:
        return expression.eval(data=data)
    except (RuntimeError, TypeError, ValueError):
        return None


def _shapes(data: Mapping[str, object]) -> dict[str, Shape]:
    return {name: _shape(value) for name, value in data.items()}


def _shape(value: object) -> Shape:
    if isinstance(value, str):
        return text_of(len(value.encode()))
    if not isinstance(value, list):
        return Shape()
    whole = "".join(value)
    size = len(whole.encode())
    # UTF-8: four bytes a letter at most.
    return list_of(len(value), size, min(size, max(map(len, value), default=0) * (1 if len(whole) == size else 4)))


def _is_usual(shape: Shape) -> bool:
    """Whether a value is no larger than the values of _USUAL."""
    usual = _USUAL[_STRING if shape.entry is None else _LIST]
    longest, usual_longest = shape.entry or SCALAR, usual.entry or SCALAR
    return shape.top <= usual.top and shape.size <= usual.size and longest.size <= usual_longest.size


def _over(cost: Cost) -> str:
    """The message about the bound, in numbers that a person can read."""
    steps, size = (f"{number:,}" if number < 10**9 else "over 1,000,000,000" for number in (cost.steps, cost.bytes))
    return (
        f"this could take {steps} steps and {size} bytes of memory (at most {STEPS:,} and {BYTES:,}): "
        "nest fewer macros, add fewer lists, use exists in place of map and filter"
    )


def loading() -> Iterator[None]:
    """Loads the evaluator, then compiles and evaluates a first expression: 3 ms each, and 8 MB, only for configurations
    with expressions. Does nothing if the extra is not installed."""
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
    """The value of a variable; None if the variable has no value, so that the expression is unknown."""
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
    """The evaluator's first two complaints, each with its line and column in the expression."""
    found = [f"{place}: {what.removesuffix(' [INVALID_ARGUMENT]')}" for place, what in _WHERE.findall(error)]
    return "; ".join(one.replace(" (in container '')", "") for one in found[:2]) or error.partition("\n")[0]
