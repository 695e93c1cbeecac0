"""The conditions of a rule, in three values: a condition that cannot be decided is unknown, never false.

Evaluating a condition cannot fail, so no error can let anybody in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.budget import MOST_STEPS
from gateway.policy.facts import NO_FACTS, Facts
from gateway.policy.hours import Time
from gateway.policy.levels import AcrMin, Amr, MaxAge
from gateway.policy.persons import Mandate, SignedInBy, Tenant, User
from gateway.policy.request_conditions import Header, Method, Network, Query
from gateway.policy.truth import FALSE, TRUE, UNKNOWN, Truth, negated, truth_of
from gateway.policy.values import ValueTest, any_truth, check_members, check_text, steps_of

GROUPS = "groups"
DEEPEST = 32
PART_STEPS: Final = 100
"""Steps (policy.budget) of a part of a combination, before what the part itself takes."""
_SETTLE_STEPS: Final = 300
"""Steps of replacing a part by its truth, evaluation excluded."""
_OVER: Final = (
    f"the conditions of this path could take over {MOST_STEPS:,} steps (some 10 ms) together, for this person and this "
    "request: write fewer or cheaper ones"
)


@dataclass(frozen=True, slots=True)
class Anyone:
    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = False

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return TRUE


@dataclass(frozen=True, slots=True)
class SignedIn:
    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return UNKNOWN if identity is None else TRUE


@dataclass(frozen=True, slots=True)
class Group:
    """One of the values of the attribute `groups`."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    name: str

    def __post_init__(self) -> None:
        check_text(self.name)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        values = values_of(identity, GROUPS)
        if values is None or not facts.afford((4 + len(self.name) // 64) * len(values)):
            return UNKNOWN
        return truth_of(self.name in values)


@dataclass(frozen=True, slots=True)
class Claim:
    """At least one value of the attribute `name` (after mapping) passes the test."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    name: str
    test: ValueTest

    def __post_init__(self) -> None:
        check_text(self.name)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        values = values_of(identity, self.name)
        if values is None or not facts.afford(steps_of(self.test, values)):
            return UNKNOWN
        return any_truth(self.test, values)


class CompiledExpression(Protocol):
    """A compiled expression. Evaluating never raises: a result other than true or false is unknown, and is counted.

    `usual_steps`: the most steps (policy.budget) for usual values.
    `too_costly`: the reason, for the operator, why the expression is not evaluated for these values. Empty: evaluated.
    """

    @property
    def usual_steps(self) -> int: ...

    def truth(self, identity: Identity | None, facts: Facts) -> Truth: ...

    def too_costly(self, identity: Identity | None, facts: Facts) -> str: ...


@dataclass(frozen=True, slots=True)
class When:
    """`when:`, an expression that `config` compiles.
    `of_identity`, `of_request`: whether the expression has variables of the person, of the request.
    """

    source: str
    expression: CompiledExpression = field(repr=False, compare=False)
    of_identity: bool = field(repr=False)
    of_request: bool = field(repr=False)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return self.expression.truth(identity, facts)


@dataclass(frozen=True, slots=True)
class All:
    conditions: tuple["Condition", ...]
    of_identity: bool = field(init=False, repr=False, compare=False)
    of_request: bool = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_members(self.conditions)
        _take_from_parts(self, self.conditions)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if not facts.afford(PART_STEPS * len(self.conditions)):
            return UNKNOWN
        found = TRUE
        for part in self.conditions:
            truth = part.truth(identity, facts)
            if truth is FALSE:
                return truth
            if truth is UNKNOWN:
                found = truth
                if facts.is_over_budget:
                    break
        return found


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - `Any` is typing's
    conditions: tuple["Condition", ...]
    of_identity: bool = field(init=False, repr=False, compare=False)
    of_request: bool = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_members(self.conditions)
        _take_from_parts(self, self.conditions)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if not facts.afford(PART_STEPS * len(self.conditions)):
            return UNKNOWN
        found = FALSE
        for part in self.conditions:
            truth = part.truth(identity, facts)
            if truth is TRUE:
                return truth
            if truth is UNKNOWN:
                found = truth
                if facts.is_over_budget:
                    break
        return found


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"
    of_identity: bool = field(init=False, repr=False, compare=False)
    of_request: bool = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _take_from_parts(self, (self.condition,))

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if not facts.afford(PART_STEPS):
            return UNKNOWN
        return negated(self.condition.truth(identity, facts))


@dataclass(frozen=True, slots=True)
class Settled:
    """The truth of a condition, decided before the request is known. `costly`: as `too_costly` says."""

    of_request: ClassVar[bool] = False
    value: Truth
    of_identity: bool
    costly: str = ""

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return self.value


Leaf = (
    Anyone | SignedIn | Group | Claim
    | User | SignedInBy | Tenant | Mandate
    | Network | Method | Header | Query | Time
    | AcrMin | Amr | MaxAge
    | When | Settled
)  # fmt: skip
"""`of_identity`: signing in could change the truth of the condition.
`of_request`: two requests of one person for one path and method can differ in the condition."""

Condition = Leaf | All | Any_ | Not


def evaluate(condition: Condition, identity: Identity | None, facts: Facts = NO_FACTS) -> Truth:
    """The truth of a condition, by Kleene's logic. `identity` None: nobody is signed in, so the person is unknown."""
    return condition.truth(identity, facts)


def leaves(condition: Condition) -> Iterator[Leaf]:
    todo = [condition]
    while todo:
        match todo.pop():
            case All(parts) | Any_(parts):
                todo += reversed(parts)
            case Not(part):
                todo.append(part)
            case leaf:
                yield leaf


def settle(condition: Condition, identity: Identity | None, facts: Facts) -> Condition:
    """The condition, with every part that does not depend on the request replaced by its truth."""
    if not facts.afford(_SETTLE_STEPS):
        return Settled(UNKNOWN, condition.of_identity, _OVER)
    if not condition.of_request:
        truth = evaluate(condition, identity, facts)
        costly = too_costly(condition, identity, facts) if truth is UNKNOWN else ""
        return Settled(truth, condition.of_identity, costly)
    match condition:
        case All():
            return All(tuple(settle(part, identity, facts) for part in condition.conditions))
        case Any_():
            return Any_(tuple(settle(part, identity, facts) for part in condition.conditions))
        case Not():
            return Not(settle(condition.condition, identity, facts))
        case _:
            return condition


def too_costly(condition: Condition, identity: Identity | None, facts: Facts) -> str:
    """Why a part of the condition is not evaluated, in words for the operator. Empty: every part is evaluated."""
    if facts.is_over_budget:
        return _OVER
    for leaf in leaves(condition):
        match leaf:
            case When():
                why = leaf.expression.too_costly(identity, facts)
            case Settled():
                why = leaf.costly
            case _:
                continue
        if why:
            return why
    return ""


def values_of(identity: Identity | None, name: str) -> tuple[str, ...] | None:
    """The values of an attribute. None: unknown, or the provider sent only a part of the values."""
    if identity is None or name in identity.left_out:
        return None
    return identity.attributes.get(name)


def _take_from_parts(combination: All | Any_ | Not, parts: tuple[Condition, ...]) -> None:
    """Sets the fields that follow from the parts.

    Bounds the depth, so that evaluating never exhausts the stack. Raises GatewayError(policy_codes.CONDITION).
    """
    depth = 1 + max(part.depth if isinstance(part, All | Any_ | Not) else 1 for part in parts)
    if depth > DEEPEST:
        raise GatewayError(policy_codes.CONDITION, f"conditions are nested more than {DEEPEST} deep")
    object.__setattr__(combination, "of_identity", any(part.of_identity for part in parts))
    object.__setattr__(combination, "of_request", any(part.of_request for part in parts))
    object.__setattr__(combination, "depth", depth)
